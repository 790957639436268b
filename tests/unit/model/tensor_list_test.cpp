#include "cohub/tensor_list.hpp"

#include "cohub/error.hpp"
#include "cohub/state_dict.hpp"

#include "io/file.hpp"

#include <doctest/doctest.h>

#include <array>
#include <string>
#include <vector>

using namespace cohub;

namespace {

struct layer {
  std::vector<float> weight{1, 2, 3, 4, 5, 6};
  std::array<double, 2> bias{0.5, -0.5};
  std::vector<std::int64_t> steps{};

  static tensor_list tensors(auto& self) {
    return tensor_list()
        .add("weight", {2, 3}, self.weight)
        .add("bias", self.bias)
        .add("steps", self.steps);
  }
};

struct fixture {
  io::temporary_directory folder;

  safetensors_model saved(std::vector<tensor_source> tensors, byte_size shard = "5GB") {
    const save_state_dict_options options{.max_shard_size = shard};
    save_state_dict(folder.path(), std::move(tensors), options);
    return safetensors_model(folder.path());
  }
  static std::string refusal(const tensor_list& list, const safetensors_model& from,
                             errc code = errc::incompatible_weights) {
    try {
      list.load(from);
    } catch (const error& e) {
      CHECK(e.code() == code);
      return e.what();
    }
    return {};
  }
};

}  // namespace

TEST_CASE_FIXTURE(fixture, "an empty shape is a scalar's, and no dtype") {
  std::vector<float> scale{2};
  std::vector<std::uint8_t> level{7};
  const auto list = tensor_list().add("scale", {}, scale).add("level", {}, level);
  const auto sources = list.sources();
  REQUIRE(sources.size() == 2);
  CHECK(sources[0].shape.empty());
  CHECK(sources[0].dtype == tensor_dtype::f32);
  CHECK(sources[1].shape.empty());
  CHECK(sources[1].dtype == tensor_dtype::u8);
}

TEST_CASE_FIXTURE(fixture, "listed members are saved and filled again, from one file or shards") {
  layer model;
  model.weight[4] = 42;
  model.bias[1] = 7;
  for (const char* const shard : {"5GB", "0.02KB"}) {
    CAPTURE(shard);
    const auto& to_save = model;
    const auto from = saved(layer::tensors(to_save).sources(), shard);
    CHECK(std::vector<std::uint64_t>(from.tensor("weight").shape().begin(),
                                     from.tensor("weight").shape().end()) ==
          std::vector<std::uint64_t>{2, 3});
    CHECK(from.tensor("bias").dtype() == tensor_dtype::f64);
    layer other;
    layer::tensors(other).load(from);
    CHECK(other.weight == model.weight);
    CHECK(other.bias == model.bias);
  }
}

TEST_CASE_FIXTURE(fixture, "what does not fit is named, and nothing is changed") {
  layer model;
  const std::vector<float> flat(6);
  const std::vector<float> narrow(2);
  const std::vector<float> more(2);
  const auto from = saved({tensor_of("weight", {3, 2}, flat), tensor_of("bias", {2}, narrow),
                           tensor_of("left_over", {2}, more)});
  layer untouched;
  const auto said = refusal(layer::tensors(model), from);
  CHECK(said.find((folder.path() / "model.safetensors").string()) != said.npos);
  CHECK(said.find("missing: steps") != said.npos);
  CHECK(said.find("unexpected: left_over") != said.npos);
  CHECK(said.find("weight (F32[3, 2] for F32[2, 3])") != said.npos);
  CHECK(said.find("bias (F32[2] for F64[2])") != said.npos);
  CHECK(model.weight == untouched.weight);
  CHECK(model.bias == untouched.bias);
}

TEST_CASE_FIXTURE(fixture, "a member of another size than its shape says is never written beyond") {
  const std::vector<float> six(6);
  const auto from = saved({tensor_of("weight", {2, 3}, six)});
  std::vector<float> two(2);
  CHECK(refusal(tensor_list().add("weight", {2, 3}, two), from).find("weight") !=
        std::string::npos);
}

TEST_CASE_FIXTURE(fixture, "a const model is saved, and not loaded into") {
  const layer model;
  const auto from = saved(layer::tensors(model).sources());
  const auto said = refusal(layer::tensors(model), from, errc::invalid_argument);
  CHECK(said.find("const") != std::string::npos);
}

TEST_CASE_FIXTURE(fixture, "what a member holds the bits of is called so, saved and loaded") {
  std::vector<std::uint16_t> bits{0x3f80, 0xc000};
  std::vector<std::uint8_t> flags{1, 0};
  const auto list = [](auto& halves, auto& truths) {
    return tensor_list()
        .add("half", tensor_dtype::bf16, halves)
        .add("mask", tensor_dtype::boolean, {2, 1}, truths);
  };
  const auto from = saved(list(bits, flags).sources());
  CHECK(from.tensor("half").dtype() == tensor_dtype::bf16);
  CHECK(from.tensor("mask").dtype() == tensor_dtype::boolean);
  std::vector<std::uint16_t> room(2);
  std::vector<std::uint8_t> truths(2);
  list(room, truths).load(from);
  CHECK(room == bits);
  CHECK(truths == flags);
  // Saved again without their dtypes they would be integers.
  room = {7, 7};
  const auto said = refusal(tensor_list().add("half", room).add("mask", {2, 1}, truths), from);
  CHECK(said.find("half (BF16[2] for U16[2])") != said.npos);
  CHECK(said.find("mask (BOOL[2, 1] for U8[2, 1])") != said.npos);
  CHECK(said.find("add(\"half\", tensor_dtype::bf16, shape, values)") != said.npos);
  CHECK(room == std::vector<std::uint16_t>{7, 7});
  CHECK(refusal(tensor_list().add("half", tensor_dtype::f16, room), from).find("BF16[2] for F16") !=
        std::string::npos);
  CHECK_THROWS_WITH_AS(tensor_list().add("half", tensor_dtype::bf16, flags),
                       doctest::Contains("cannot hold"), error);
}

TEST_CASE("integers have a dtype by their size and sign, characters and truth values have none") {
  CHECK(dtype_of<long> == tensor_dtype::i64);
  CHECK(dtype_of<long long> == tensor_dtype::i64);
  CHECK(dtype_of<unsigned long> == tensor_dtype::u64);
  CHECK(dtype_of<unsigned long long> == tensor_dtype::u64);
  CHECK(dtype_of<signed char> == tensor_dtype::i8);
  CHECK(dtype_of<unsigned short> == tensor_dtype::u16);
  CHECK(dtype_of<int> == tensor_dtype::i32);
  CHECK_FALSE(dtype_of<bool>.has_value());
  CHECK_FALSE(dtype_of<char>.has_value());
  CHECK_FALSE(dtype_of<char16_t>.has_value());
  CHECK_FALSE(dtype_of<wchar_t>.has_value());
  CHECK_FALSE(dtype_of<std::string>.has_value());
}

TEST_CASE_FIXTURE(fixture, "tensors that shared memory when they were saved are each filled") {
  std::vector<float> tied{1, 2};
  const auto from = saved({tensor_of("embed", {2}, tied), tensor_of("head", {2}, tied)});
  REQUIRE(from.size() == 1);
  std::vector<float> embed(2);
  std::vector<float> head(2);
  tensor_list().add("embed", embed).add("head", head).load(from);
  CHECK(embed == tied);
  CHECK(head == tied);
}
