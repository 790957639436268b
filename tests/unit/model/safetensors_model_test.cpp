#include "cohub/safetensors_model.hpp"

#include "cohub/error.hpp"
#include "cohub/remote_safetensors.hpp"
#include "cohub/state_dict.hpp"

#include "support/temporary_folder.hpp"
#include "unit/model/safetensors_text.hpp"

#include <doctest/doctest.h>

using namespace cohub;
namespace fs = std::filesystem;

namespace {

struct model_fixture {
  test::temporary_folder home;
  fs::path folder = home.path() / "model";
  const std::vector<float> big = std::vector<float>(10, 0.5f);
  const std::vector<std::int64_t> small{1, 2, 3};
  const std::vector<float> scalar{7};

  void save(std::uint64_t max_shard_size) {
    const save_state_dict_options options{.max_shard_size = max_shard_size,
                                          .metadata = {{"trained by", "me"}}};
    save_state_dict(folder,
                    {tensor_of("big", {2, 5}, big), tensor_of("small", {3}, small),
                     tensor_of("scalar", {}, scalar)},
                    options);
  }
  error failure_of(const fs::path& path) {
    try {
      const safetensors_model model(path);
    } catch (const error& failure) {
      return failure;
    }
    throw std::runtime_error("the model should not have opened");
  }
  void write_index(const std::string& weight_map) {
    test::write_all(folder / "model.safetensors.index.json",
                    "{\"metadata\":{},\"weight_map\":{" + weight_map + "}}");
  }
};

}  // namespace

TEST_CASE_FIXTURE(model_fixture, "one file and many shards are the same set of tensors (V91)") {
  for (const std::uint64_t max_shard_size : {1000u, 44u, 1u}) {
    save(max_shard_size);
    const safetensors_model model(folder);
    CHECK(model.sharded() == (max_shard_size < 1000));
    CHECK(model.size() == 3);
    CHECK(model.tensor("big").to_vector<float>() == big);
    CHECK(model.tensor("small").to_vector<std::int64_t>() == small);
    CHECK(model.tensor("scalar").shape().empty());
    CHECK(model.metadata().at("trained by") == "me");
    CHECK(model.parameter_count() == std::map<std::string, std::uint64_t>{{"F32", 11}, {"I64", 3}});
    CHECK_FALSE(model.find("gone"));
    CHECK_THROWS_AS(model.tensor("gone"), error);
  }
  CHECK(safetensors_model(folder / "model.safetensors.index.json").size() == 3);
  CHECK(safetensors_model(folder / "model-00002-of-00003.safetensors").size() == 1);
}

TEST_CASE_FIXTURE(model_fixture, "views outlive the model they were found in, and its files") {
  save(1);
  std::optional<safetensors_model> model(folder);
  const auto files = model->files();
  const auto tensor = model->tensor("small");
  model.reset();
  fs::remove_all(folder);
  CHECK(tensor.to_vector<std::int64_t>() == small);
}

TEST_CASE_FIXTURE(model_fixture,
                  "no such path, no model in it and a missing shard are three errors (V93)") {
  CHECK(failure_of(home.path() / "nowhere").code() ==
        boost::system::errc::no_such_file_or_directory);
  fs::create_directories(folder);
  CHECK(failure_of(folder).code() == errc::not_safetensors_repo);
  save(1);
  fs::remove(folder / "model-00002-of-00003.safetensors");
  const auto missing = failure_of(folder);
  CHECK(missing.code() == errc::entry_not_found);
  CHECK(std::string(missing.what()).find("model-00002-of-00003.safetensors") != std::string::npos);
  CHECK_THROWS_AS(get_local_safetensors_metadata(folder), error);
}

TEST_CASE_FIXTURE(model_fixture, "an index that leads out of its folder is refused (V94)") {
  save(1000);
  for (const auto* name :
       {"x.bin", "../x.safetensors", "..\\\\x.safetensors", "/x.safetensors", "\\\\x.safetensors",
        "C:x.safetensors", "C:\\\\x.safetensors", "\\\\\\\\server\\\\share\\\\x.safetensors"}) {
    CAPTURE(name);
    write_index("\"a\":\"" + std::string(name) + "\"");
    CHECK(failure_of(folder / "model.safetensors.index.json").code() == errc::invalid_safetensors);
  }
}

TEST_CASE_FIXTURE(model_fixture, "the file comes before the index, and the pattern decides (V95)") {
  save(1000);
  fs::rename(folder / "model.safetensors", folder / "all.safetensors");
  CHECK(safetensors_model(folder).size() == 3);  // the only one
  save(1000);
  CHECK(failure_of(folder / "none.safetensors").code() ==
        boost::system::errc::no_such_file_or_directory);
  write_index(R"("big":"all.safetensors")");
  CHECK(safetensors_model(folder / "model.safetensors.index.json").size() == 1);
  CHECK(safetensors_model(folder).size() == 3);  // in the order in which the Hub is asked
  fs::remove(folder / "model.safetensors");
  CHECK(safetensors_model(folder).size() == 1);
  save(1000);
  const safetensors_model_options other{.filename_pattern = "other{suffix}.safetensors"};
  CHECK_THROWS_AS(safetensors_model(folder, other), error);  // several, and none of that name
  const safetensors_model_options all{.filename_pattern = "all{suffix}.safetensors"};
  CHECK(safetensors_model(folder, all).size() == 3);
}

TEST_CASE_FIXTURE(model_fixture, "an index that promises what a shard lacks is refused") {
  save(1000);
  write_index(R"("big":"model.safetensors","gone":"model.safetensors")");
  const auto failure = failure_of(folder / "model.safetensors.index.json");
  CHECK(failure.code() == errc::invalid_safetensors);
  CHECK(std::string(failure.what()).find("\"gone\" is in model.safetensors") != std::string::npos);
  test::write_all(folder / "model.safetensors", "PK pickle, not tensors at all");
  CHECK(failure_of(folder / "model.safetensors.index.json").code() == errc::invalid_safetensors);
}

TEST_CASE_FIXTURE(model_fixture,
                  "headers of local files and folders are told as those of the Hub") {
  save(1000);
  const auto single = get_local_safetensors_metadata(folder);
  CHECK_FALSE(single.sharded);
  CHECK_FALSE(single.metadata);
  CHECK(single.parameter_count == std::map<std::string, std::uint64_t>{{"F32", 11}, {"I64", 3}});
  CHECK(single.weight_map.at("small") == "model.safetensors");
  CHECK(get_local_safetensors_metadata(folder / "model.safetensors").weight_map ==
        single.weight_map);
  save(1);
  const auto sharded = get_local_safetensors_metadata(folder);
  CHECK(sharded.sharded);
  CHECK(sharded.metadata->at("total_size").as_int64() == 68);
  CHECK(sharded.files_metadata.size() == 3);
  CHECK(sharded.parameter_count == single.parameter_count);
  fs::remove(folder / "model.safetensors.index.json");
  try {
    get_local_safetensors_metadata(folder);
    FAIL("there is no model");
  } catch (const error& failure) {
    CHECK(failure.code() == errc::not_safetensors_repo);
  }
}

TEST_CASE("a local header is read without its data, and counted (V98, V99)") {
  const test::temporary_folder folder;
  const auto path = folder.path() / "x.safetensors";
  test::write_all(path,
                  test::file_of(R"({"w":{"dtype":"BF16","shape":[4096],"data_offsets":[0,8192]},)"
                                R"("q":{"dtype":"FP4","shape":[6],"data_offsets":[8192,8195]}})",
                                std::string(8195, 'x')));
  const auto file = parse_local_safetensors_file_metadata(path);
  CHECK(file.parameter_count.at("BF16") == 4096);
  CHECK(file.parameter_count.at("FP4") == 6);  // the set of dtypes is open
  for (const auto& broken : {std::string("\x80\x02}q\0.", 6), std::string("PK\3\4\0\0\0\0\0\0"),
                             test::file_of("{}", "x"), test::file_of("[]")}) {
    test::write_all(path, broken);
    CHECK_THROWS_AS(parse_local_safetensors_file_metadata(path), error);
  }
  std::string long_name(100'000, 'n');
  test::write_all(
      path, test::file_of(
                "{\"" + long_name + R"(":{"dtype":"U8","shape":[],"data_offsets":[0,1]}})", "x"));
  CHECK(parse_local_safetensors_file_metadata(path).tensors.contains(long_name));
}

TEST_CASE_FIXTURE(model_fixture, "one shard of several is no model, though it is the only file") {
  save(1);
  for (const auto* name : {"model.safetensors.index.json", "model-00001-of-00003.safetensors",
                           "model-00003-of-00003.safetensors"})
    fs::remove(folder / name);
  const auto failure = failure_of(folder);
  CHECK(failure.code() == errc::not_safetensors_repo);
  CHECK(std::string(failure.what()).find("a part of a model") != std::string::npos);
  fs::rename(folder / "model-00002-of-00003.safetensors",
             folder / "model-00001-of-00001.safetensors");
  CHECK(safetensors_model(folder).size() == 1);
}
