#include "support/temporary_folder.hpp"
#include "unit/model/safetensors_text.hpp"

#include <doctest/doctest.h>

#include <array>
#include <chrono>
#include <vector>

using namespace cohub;

namespace {

struct writer_fixture {
  test::temporary_folder folder;
  std::filesystem::path path = folder.path() / "m.safetensors";

  std::string write(std::vector<tensor_source> tensors,
                    const save_safetensors_options& options = {}) {
    save_safetensors(path, std::move(tensors), options);
    return test::read_all(path);
  }

  /// The padded length of the header, as the file's first bytes tell.
  static std::uint64_t header_length(const std::string& file) {
    std::uint64_t length = 0;
    std::memcpy(&length, file.data(), 8);
    return length;
  }

  std::size_t files() const {
    return static_cast<std::size_t>(
        std::distance(std::filesystem::directory_iterator(folder.path()), {}));
  }
};

tensor_source zeros(std::string name, tensor_dtype dtype, std::vector<std::uint64_t> shape,
                    std::size_t bytes) {
  static const std::array<std::byte, 64> content{};
  tensor_source source;
  source.name = std::move(name);
  source.dtype = dtype;
  source.shape = std::move(shape);
  source.content = std::span(content).first(bytes);
  return source;
}

}  // namespace

TEST_CASE_FIXTURE(writer_fixture, "an empty set is eight bytes of header (V100)") {
  CHECK(write({}) == std::string("\x08\0\0\0\0\0\0\0{}      ", 16));
}

TEST_CASE_FIXTURE(writer_fixture,
                  "headers are as long as those of the format's own writer (V100, V29)") {
  save_safetensors_options with_metadata;
  with_metadata.metadata["framework"] = "pt";
  CHECK(header_length(write({}, with_metadata)) == 40);
  CHECK(header_length(write({zeros("attn.0", tensor_dtype::f32, {1, 2, 3}, 24)})) == 64);
  CHECK(header_length(write({zeros("attn0", tensor_dtype::f32, {1, 1, 2, 3}, 24)})) == 72);
  const auto packed = write({zeros("attn.0", tensor_dtype::f4, {1, 2}, 1)});
  CHECK(header_length(packed) == 64);
  CHECK(packed.size() == 8 + 64 + 1);
  with_metadata.metadata = {{"format", "pt"}};
  CHECK(header_length(
            write({zeros("z", tensor_dtype::f32, {2}, 8), zeros("a", tensor_dtype::i64, {2}, 16)},
                  with_metadata)) == 144);
  CHECK(header_length(write({zeros("l1.weight", tensor_dtype::f32, {2, 2}, 16),
                             zeros("l1.bias", tensor_dtype::f32, {2}, 8)})) == 128);
}

TEST_CASE_FIXTURE(writer_fixture, "a file has the bytes that every reader expects") {
  const std::vector<float> values{1.0f, 2.0f};
  CHECK(write({tensor_of("a", {2}, values)}) ==
        std::string("\x38\0\0\0\0\0\0\0", 8) +
            R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}  )" +
            std::string("\0\0\x80\x3f\0\0\0\x40", 8));
}

TEST_CASE_FIXTURE(writer_fixture, "tensors are sorted by alignment, then by name") {
  save_safetensors_options options;
  options.metadata["format"] = "pt";
  const auto file =
      write({zeros("z", tensor_dtype::f32, {2}, 8), zeros("b", tensor_dtype::u8, {1}, 1),
             zeros("a", tensor_dtype::i64, {2}, 16), zeros("y", tensor_dtype::f32, {1}, 4)},
            options);
  const safetensors_file opened(path);
  CHECK(opened.metadata().at("format") == "pt");
  std::string order;
  for (std::size_t i = 0; i < opened.size(); ++i) order += opened[i].name();
  CHECK(order == "ayzb");
  CHECK(opened.header().data_offset % 8 == 0);
}

TEST_CASE_FIXTURE(writer_fixture, "content may come in pieces, made when their turn comes") {
  std::vector<int> calls;
  tensor_source streamed;
  streamed.name = "s";
  streamed.dtype = tensor_dtype::u8;
  streamed.shape = {600'000};
  streamed.content = [&calls](const tensor_sink& sink) {
    calls.push_back(1);
    const std::vector<std::byte> piece(100'000, std::byte{7});
    for (int i = 0; i < 6; ++i) sink(piece);
  };
  write({streamed});
  CHECK(calls.size() == 1);
  const safetensors_file opened(path);
  CHECK(opened.tensor("s").to_vector<std::uint8_t>() == std::vector<std::uint8_t>(600'000, 7));
}

TEST_CASE_FIXTURE(writer_fixture,
                  "a mapped file may be the source of the file that replaces it (V106)") {
  const std::vector<float> values{1.0f, 2.0f, 3.0f};
  write({tensor_of("a", {3}, values)});
  const safetensors_file before(path);
  write({tensor_of("a", {3}, before.tensor("a").as<float>())});
  CHECK(before.tensor("a").to_vector<float>() == values);
  CHECK(safetensors_file(path).tensor("a").to_vector<float>() == values);
}

TEST_CASE_FIXTURE(writer_fixture, "a failure leaves the old file and nothing beside it") {
  const std::vector<float> values{1.0f};
  const auto old = write({tensor_of("a", {1}, values)});
  CHECK_THROWS_WITH_AS(write({tensor_of("a", {2}, values)}),
                       doctest::Contains("\"a\" gives 4 bytes"), error);
  CHECK_THROWS_AS(write({tensor_of("a", {1}, values), tensor_of("a", {1}, values)}), error);
  CHECK_THROWS_AS(write({tensor_of("__metadata__", {1}, values)}), error);
  CHECK_THROWS_AS(write({tensor_of("\xff", {1}, values)}), error);
  CHECK_THROWS_AS(write({zeros("p", tensor_dtype::f4, {3}, 2)}), error);
  CHECK_THROWS_AS(write({zeros("p", tensor_dtype::f32, {1ull << 62, 8}, 2)}), error);
  tensor_source endless;
  endless.name = "e";
  endless.shape = {1};
  endless.content = [](const tensor_sink& sink) { sink(std::array<std::byte, 5>{}); };
  CHECK_THROWS_AS(write({endless}), error);
  const save_safetensors_options tight{.max_header_bytes = 16};
  CHECK_THROWS_AS(write({tensor_of("a", {1}, values)}, tight), error);
  CHECK(test::read_all(path) == old);
  CHECK(files() == 1);
}

TEST_CASE_FIXTURE(writer_fixture, "names with quotes, controls and other alphabets survive") {
  const std::vector<std::uint8_t> value{1};
  const std::string name = "a\"b\\c\n\t\x01 한글 🎁";
  write({tensor_of(name, {1}, value)});
  CHECK(safetensors_file(path)[0].name() == name);
}

TEST_CASE_FIXTURE(writer_fixture, "the header of ten thousand tensors is read at once") {
  std::vector<tensor_source> many;
  for (int i = 0; i < 10'000; ++i)
    many.push_back(zeros("model.layers." + std::to_string(i) + ".self_attn.q_proj.weight",
                         tensor_dtype::f32, {1}, 4));
  write(std::move(many));
  const auto start = std::chrono::steady_clock::now();
  const safetensors_file opened(path);
  const std::chrono::duration<double, std::milli> taken = std::chrono::steady_clock::now() - start;
  MESSAGE("parsed in " << taken.count() << " ms");
  CHECK(opened.size() == 10'000);
  CHECK(opened.tensor("model.layers.77.self_attn.q_proj.weight").element_count() == 1);
}
