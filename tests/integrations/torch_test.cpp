#include "cohub/torch.hpp"

#include "cohub/safetensors_model.hpp"

#include "integrations/torch_models.hpp"
#include "support/temporary_folder.hpp"

#include <doctest/doctest.h>

#include <cstring>

using namespace cohub;
using test::net_impl;
namespace fs = std::filesystem;

namespace {

struct weights_fixture {
  test::temporary_folder home;
  fs::path folder = home.path() / "model";

  std::set<std::string> names() const {
    std::set<std::string> result;
    for (const auto& item : fs::directory_iterator(folder))
      result.insert(item.path().filename().string());
    return result;
  }
  static bool equal(const torch::nn::Module& a, const torch::nn::Module& b) {
    const auto ours = state_dict_of(a);
    const auto theirs = state_dict_of(b);
    bool same = ours.size() == theirs.size();
    for (std::size_t i = 0; same && i < ours.size(); ++i)
      same = ours[i].first == theirs[i].first && torch::equal(ours[i].second, theirs[i].second);
    return same;
  }
};

struct pair_impl : torch::nn::Module {
  pair_impl() {
    a = register_parameter("a", torch::rand({2, 3}));
    b = register_parameter("b", torch::rand({2}));
  }
  torch::Tensor a, b;
};

}  // namespace

TEST_CASE("a state dict has the names of Python's, in its order") {
  const net_impl net;
  std::vector<std::string> names;
  for (const auto& item : state_dict_of(net)) names.push_back(item.first);
  CHECK(names == std::vector<std::string>{
                     "scale", "steps", "halves", "mask", "conv.weight", "norm.weight", "norm.bias",
                     "norm.running_mean", "norm.running_var", "norm.num_batches_tracked",
                     "body.0.weight", "body.0.bias", "body.1.weight", "body.1.bias", "head.weight",
                     "head.bias", "tail.weight", "tail.bias"});
}

TEST_CASE_FIXTURE(weights_fixture, "the header of a linear layer is as long as Python's (V29)") {
  torch::nn::Module holder;
  holder.register_module("l1", torch::nn::Linear(2, 2));
  const save_state_dict_options bare{.format = {}};
  save_torch_model(holder, folder, bare);
  std::uint64_t length = 0;
  std::memcpy(&length, test::read_all(folder / "model.safetensors").data(), 8);
  CHECK(length == 128);
  save_torch_model(holder, folder);
  CHECK(safetensors_model(folder).metadata().at("format") == "pt");
}

TEST_CASE_FIXTURE(weights_fixture,
                  "weights come back as they were, whole or in shards (V87, V91)") {
  for (const std::uint64_t max_shard_size : {1'000'000u, 100u}) {
    const net_impl saved;
    net_impl loaded;
    CHECK_FALSE(equal(saved, loaded));
    const save_state_dict_options options{.max_shard_size = max_shard_size};
    CHECK(save_torch_model(saved, folder, options).is_sharded() == (max_shard_size == 100));
    const auto keys = load_torch_model(loaded, folder);
    CHECK(keys.missing.empty());
    CHECK(keys.unexpected.empty());
    CHECK(equal(saved, loaded));
    const bool same_dtype = loaded.halves.scalar_type() == torch::kBFloat16;
    CHECK(same_dtype);
  }
}

TEST_CASE_FIXTURE(weights_fixture,
                  "a layer under two names is saved once, and stays one (V31, V88)") {
  const net_impl saved;
  save_torch_model(saved, folder);
  const safetensors_model file(folder);
  CHECK(file.find("head.weight"));
  CHECK_FALSE(file.find("tail.weight"));
  CHECK(file.metadata().at("tail.bias") == "head.bias");
  net_impl loaded;
  load_torch_model(loaded, folder);
  const auto named = loaded.named_parameters();
  CHECK(named["head.weight"].data_ptr() == named["tail.weight"].data_ptr());
  CHECK(torch::equal(named["tail.bias"], saved.head->bias));

  save_state_dict_options discarding;
  discarding.shared_tensors_to_discard = {"head.weight"};
  save_torch_model(saved, folder, discarding);
  CHECK(safetensors_model(folder).find("tail.weight"));
  CHECK(load_torch_model(loaded, folder).missing.empty());
}

TEST_CASE_FIXTURE(weights_fixture, "views, strides and lazy conjugates are saved by their values") {
  const auto base = torch::arange(6, torch::kFloat32).view({2, 3});
  const auto complex = torch::complex(torch::tensor({1.0f}), torch::tensor({2.0f}));
  save_torch_state_dict(folder, {{"turned", base.t()},
                                 {"row", torch::arange(4).slice(0, 1, 3)},
                                 {"conjugate", complex.conj()},
                                 {"none", torch::empty({0, 3})},
                                 {"expanded", torch::ones({1}).expand({3})}});
  const safetensors_model file(folder);
  CHECK(file.tensor("turned").to_vector<float>() == std::vector<float>{0, 3, 1, 4, 2, 5});
  CHECK(file.tensor("row").to_vector<std::int64_t>() == std::vector<std::int64_t>{1, 2});
  CHECK(file.tensor("conjugate").as<std::complex<float>>()[0] == std::complex<float>(1, -2));
  CHECK(file.tensor("none").shape()[1] == 3);
  CHECK(file.tensor("expanded").to_vector<float>() == std::vector<float>(3, 1.0f));
  const auto halves = torch::arange(4);
  const torch_state_dict overlapping{{"left", halves.slice(0, 0, 3)},
                                     {"right", halves.slice(0, 1, 4)}};
  CHECK_THROWS_AS(save_torch_state_dict(folder, overlapping), error);
  CHECK_THROWS_WITH_AS(save_torch_state_dict(folder, {{"s", torch::eye(2).to_sparse()}}),
                       doctest::Contains("\"s\": it is sparse"), error);
  CHECK_THROWS_AS(save_torch_state_dict(folder, {{"c", torch::zeros({1}, torch::kComplexDouble)}}),
                  error);
}

TEST_CASE_FIXTURE(weights_fixture, "every dtype that both know makes the round") {
  for (const auto type :
       {torch::kBool, torch::kUInt8, torch::kInt8, torch::kInt16, torch::kFloat16, torch::kBFloat16,
        torch::kInt32, torch::kFloat32, torch::kFloat64, torch::kComplexFloat, torch::kInt64}) {
    CAPTURE(torch::toString(type));
    const auto values = torch::tensor({0, 1, 1}).to(type);
    save_torch_state_dict(folder, {{"t", values}});
    torch::nn::Module module;
    const auto into = module.register_buffer("t", torch::zeros({3}, type));
    load_torch_model(module, folder);
    CHECK(torch::equal(into, values));
  }
}

TEST_CASE_FIXTURE(weights_fixture, "other names are errors, or told where they are allowed (V92)") {
  save_torch_state_dict(folder, {{"a", torch::ones({2, 3})}, {"z", torch::ones({1})}});
  pair_impl module;
  const auto before = module.a.detach().clone();
  try {
    load_torch_model(module, folder);
    FAIL("it does not fit");
  } catch (const incompatible_weights& failure) {
    CHECK(failure.code() == errc::incompatible_weights);
    CHECK(failure.keys().missing == std::vector<std::string>{"b"});
    CHECK(failure.keys().unexpected == std::vector<std::string>{"z"});
    CHECK(std::string(failure.what()).find("missing: b; unexpected: z") != std::string::npos);
  }
  CHECK(torch::equal(module.a, before));  // nothing was copied
  const load_torch_model_options relaxed{.strict = false};
  const auto keys = load_torch_model(module, folder, relaxed);
  CHECK(keys.missing == std::vector<std::string>{"b"});
  CHECK(keys.unexpected == std::vector<std::string>{"z"});
  CHECK(torch::equal(module.a, torch::ones({2, 3})));
  CHECK(module.a.requires_grad());

  save_torch_state_dict(folder, {{"a", torch::ones({3, 2})}, {"b", torch::ones({2})}});
  try {
    load_torch_model(module, folder, relaxed);
    FAIL("it does not fit");
  } catch (const incompatible_weights& failure) {
    CHECK(failure.keys().mismatched == std::vector<std::string>{"a"});
  }
}

TEST_CASE_FIXTURE(weights_fixture, "what cannot be loaded is refused for what it is") {
  pair_impl module;
  save_torch_state_dict(folder, state_dict_of(module));
  const load_torch_model_options nowhere{.map_location = "warp:9"};
  CHECK_THROWS_WITH_AS(load_torch_model(module, folder, nowhere), doctest::Contains("warp:9"),
                       error);
  const load_torch_model_options here{.map_location = "cpu"};
  CHECK_NOTHROW(load_torch_model(module, folder, here));

  const save_state_dict_options other{.format = "tf"};
  save_torch_model(module, folder, other);
  CHECK_THROWS_WITH_AS(load_torch_model(module, folder), doctest::Contains("\"tf\", not \"pt\""),
                       error);

  const std::vector<std::byte> packed(6);
  tensor_source eight;
  eight.name = "a";
  eight.dtype = tensor_dtype::f8_e8m0;
  eight.shape = {2, 3};
  eight.content = std::span(packed);
  save_state_dict(folder, {eight});
  CHECK_THROWS_WITH_AS(load_torch_model(module, folder), doctest::Contains("no dtype for F8_E8M0"),
                       error);
}

TEST_CASE_FIXTURE(weights_fixture, "values that are not aligned in their file are read") {
  std::string header =
      R"({"a":{"dtype":"F32","shape":[2,3],"data_offsets":[0,24]},"b":{"dtype":"F32","shape":[2],"data_offsets":[24,32]}})";
  while (header.size() % 4 == 0) header += ' ';
  std::string bytes(8, '\0');
  bytes[0] = static_cast<char>(header.size());
  test::write_all(folder / "model.safetensors", bytes + header + std::string(32, '\0'));
  pair_impl module;
  load_torch_model(module, folder);
  CHECK(torch::equal(module.a, torch::zeros({2, 3})));
}
