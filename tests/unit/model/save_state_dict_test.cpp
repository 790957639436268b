#include "cohub/error.hpp"
#include "cohub/remote_safetensors.hpp"
#include "cohub/safetensors_model.hpp"
#include "cohub/save_sink.hpp"
#include "cohub/state_dict.hpp"

#include "support/temporary_folder.hpp"

#include <doctest/doctest.h>

#include <array>
#include <set>

using namespace cohub;
namespace fs = std::filesystem;

namespace {

struct state_dict_fixture {
  test::temporary_folder home;
  fs::path folder = home.path() / "model";
  std::array<std::vector<std::int64_t>, 5> values{};  // 8 bytes each

  state_dict_fixture() {
    for (std::size_t i = 0; i < values.size(); ++i)
      values[i].push_back(static_cast<std::int64_t>(i + 1));
  }

  std::vector<tensor_source> five() const {
    std::vector<tensor_source> tensors;
    for (std::size_t i = 0; i < values.size(); ++i)
      tensors.push_back(tensor_of("layer_" + std::to_string(i + 1), {1}, values[i]));
    return tensors;
  }
  /// "second" is the very memory of "first".
  std::vector<tensor_source> shared() const {
    std::vector<tensor_source> tensors;
    tensors.push_back(tensor_of("second", {1}, values[0]));
    tensors.push_back(tensor_of("first", {1}, values[0]));
    tensors.push_back(tensor_of("third", {1}, values[1]));
    return tensors;
  }
  std::set<std::string> names() const {
    std::set<std::string> result;
    for (const auto& item : fs::directory_iterator(folder))
      result.insert(item.path().filename().string());
    return result;
  }
};

/// Half, or all, of a storage of 16 bytes.
tensor_source view(const std::string& name, const std::array<std::int64_t, 2>& storage,
                   std::size_t begin, std::size_t end) {
  auto tensor = tensor_of(name, {end - begin}, std::span(storage).subspan(begin, end - begin));
  tensor.storage = tensor_storage{storage.data(), 16, begin * 8, end * 8};
  return tensor;
}

const std::string one = "model-00001-of-00002.safetensors";
const std::string two = "model-00002-of-00002.safetensors";
const std::string index_name = "model.safetensors.index.json";

}  // namespace

TEST_CASE_FIXTURE(state_dict_fixture, "a model is one file, or shards with an index (V87)") {
  const save_state_dict_options whole{.max_shard_size = "1GB"};
  CHECK_FALSE(save_state_dict(folder, five(), whole).is_sharded());
  CHECK(names() == std::set<std::string>{"model.safetensors"});
  CHECK(safetensors_model(folder).metadata().at("format") == "pt");

  const save_state_dict_options parts{.max_shard_size = 30};
  const auto split = save_state_dict(folder, five(), parts);
  CHECK(split.total_size == 40);
  CHECK(names() == std::set<std::string>{one, two, index_name});
  CHECK(test::read_all(folder / index_name) ==
        "{\n  \"metadata\": {\n    \"total_size\": 40\n  },\n  \"weight_map\": {\n"
        "    \"layer_1\": \"" +
            one + "\",\n    \"layer_2\": \"" + one + "\",\n    \"layer_3\": \"" + one +
            "\",\n    \"layer_4\": \"" + two + "\",\n    \"layer_5\": \"" + two + "\"\n  }\n}");
  CHECK(safetensors_file(folder / one).size() == 3);
  CHECK(safetensors_file(folder / two).metadata() ==
        std::map<std::string, std::string>{{"format", "pt"}});
}

TEST_CASE_FIXTURE(state_dict_fixture, "names on one storage are written once (V88)") {
  save_state_dict(folder, shared());
  const safetensors_model single(folder);
  CHECK(single.size() == 2);
  CHECK(single.metadata().at("second") == "first");
  CHECK(single.kept_name("second") == "first");
  CHECK(single.kept_name("first") == "first");
  CHECK_THROWS_WITH_AS(single.tensor("second"), doctest::Contains("its values are in \"first\""),
                       error);

  const save_state_dict_options parts{.max_shard_size = 8};
  CHECK(save_state_dict(folder, shared(), parts).total_size == 16);
  const safetensors_model sharded(folder);
  CHECK(sharded.sharded());
  CHECK(sharded.metadata().at("second") == "first");
  CHECK(sharded.tensor("third").as<std::int64_t>()[0] == 2);
  CHECK_FALSE(sharded.files()[0].metadata().contains("second"));

  save_state_dict_options discarding;
  discarding.shared_tensors_to_discard = {"first"};
  save_state_dict(folder, shared(), discarding);
  CHECK(safetensors_model(folder).metadata().at("first") == "second");
  discarding.shared_tensors_to_discard = {"first", "second"};
  discarding.metadata["second"] = "the user's own";
  save_state_dict(folder, shared(), discarding);
  CHECK(safetensors_model(folder).metadata().at("second") == "the user's own");
  CHECK(safetensors_model(folder).find("first"));
}

TEST_CASE_FIXTURE(state_dict_fixture,
                  "of views that overlap the one that covers all is kept, or there is none") {
  const std::array<std::int64_t, 2> storage{1, 2};
  std::vector<tensor_source> tensors{view("half", storage, 0, 1), view("whole", storage, 0, 2),
                                     view("also", storage, 0, 2)};
  save_state_dict(folder, tensors);
  CHECK(safetensors_model(folder).size() == 1);
  CHECK(safetensors_model(folder).tensor("also").element_count() == 2);
  CHECK(safetensors_model(folder).metadata().at("half") == "also");

  save_state_dict(folder, {view("left", storage, 0, 1), view("right", storage, 1, 2)});
  CHECK(safetensors_model(folder).size() == 2);  // they do not overlap
  CHECK(safetensors_model(folder).tensor("right").as<std::int64_t>()[0] == 2);

  CHECK_THROWS_WITH_AS(
      save_state_dict(folder, {view("b", storage, 0, 1), view("a", storage, 0, 1)}),
      doctest::Contains("\"a\", \"b\" are views that overlap"), error);
}

TEST_CASE_FIXTURE(state_dict_fixture,
                  "the same bytes as another kind of element are stored twice") {
  const std::vector<std::uint32_t> bits{0x3f800000};
  auto as_float = tensor_of("f", {1}, bits);
  as_float.dtype = tensor_dtype::f32;
  save_state_dict(folder, {as_float, tensor_of("u", {1}, bits)});
  CHECK(safetensors_model(folder).tensor("f").as<float>()[0] == 1.0f);
  CHECK(safetensors_model(folder).tensor("u").as<std::uint32_t>()[0] == 0x3f800000);
}

TEST_CASE_FIXTURE(state_dict_fixture, "equal views are one, whatever another shape's name is") {
  const std::vector<float> four{1, 2, 3, 4};
  save_state_dict(
      folder, {tensor_of("a", {4}, four), tensor_of("b", {2, 2}, four), tensor_of("c", {4}, four)});
  const safetensors_file file(folder / "model.safetensors");
  CHECK(file.find("a").has_value());
  CHECK(file.find("b").has_value());
  CHECK_FALSE(file.find("c").has_value());
}

TEST_CASE_FIXTURE(state_dict_fixture, "a pattern names file, shards and index (V89)") {
  save_state_dict_options options{.filename_pattern = "model.variant{suffix}.safetensors"};
  save_state_dict(folder, five(), options);
  CHECK(names() == std::set<std::string>{"model.variant.safetensors"});
  options.max_shard_size = 30;
  save_state_dict(folder, five(), options);
  CHECK(names() == std::set<std::string>{"model.variant-00001-of-00002.safetensors",
                                         "model.variant-00002-of-00002.safetensors",
                                         "model.variant.safetensors.index.json"});
  const safetensors_model_options opening{.filename_pattern = options.filename_pattern};
  CHECK(safetensors_model(folder, opening).size() == 5);
}

TEST_CASE_FIXTURE(state_dict_fixture, "what an older save left goes, and nothing else (V90)") {
  const std::set<std::string> old{"model-00001-of-00003.safetensors",
                                  "model-00003-of-00003.safetensors", index_name};
  const std::set<std::string> others{"pytorch_model-00001-of-00002.bin", "model.safetensors.bak",
                                     "xmodel.safetensors", "model-1-of-2.safetensors",
                                     "model-0000a-of-00002.safetensors"};
  for (const auto& name : old) test::write_all(folder / name, "old");
  for (const auto& name : others) test::write_all(folder / name, "other");
  auto expected = others;
  save_state_dict_options options;
  SUBCASE("by the main process") { options.is_main_process = true; }
  SUBCASE("by another one") {
    options.is_main_process = false;
    expected.insert(old.begin(), old.end());
  }
  expected.insert("model.safetensors");
  save_state_dict(folder, five(), options);
  CHECK(names() == expected);
}

TEST_CASE_FIXTURE(state_dict_fixture, "a save that fails leaves the old model as it was") {
  const save_state_dict_options parts{.max_shard_size = 30};
  save_state_dict(folder, five(), parts);
  auto broken = five();
  broken[4].content = [](const tensor_sink&) { throw std::runtime_error("the device is gone"); };
  CHECK_THROWS_AS(save_state_dict(folder, std::move(broken)), std::runtime_error);
  CHECK(names() == std::set<std::string>{one, two, index_name});
  CHECK(safetensors_model(folder).size() == 5);
  CHECK_THROWS_AS(
      save_state_dict(folder, {tensor_of("a", {1}, values[0]), tensor_of("a", {1}, values[1])}),
      error);
  const save_state_dict_options pickle{.filename_pattern = "pytorch_model{suffix}.bin"};
  CHECK_THROWS_AS(save_state_dict(folder, five(), pickle), error);
}

TEST_CASE_FIXTURE(
    state_dict_fixture,
    "text that is not UTF-8 is refused, in one file or in shards, and replaces nothing") {
  save_state_dict(folder, five());
  const auto refused = [&](const save_state_dict_options& options, const char* message) {
    try {
      save_state_dict(folder, five(), options);
      FAIL_CHECK("saved");
    } catch (const error& failure) {
      CHECK(failure.code() == errc::invalid_argument);
      CHECK(std::string(failure.what()).find(message) != std::string::npos);
    }
    save_sink sink(folder);
    CHECK_THROWS_AS(sink.save_state_dict(five(), options), error);
    CHECK(sink.take_texts().empty());
    CHECK(names() == std::set<std::string>{"model.safetensors"});
  };
  for (const int size : {30, 1000}) {
    save_state_dict_options options{.max_shard_size = size};
    options.metadata = {{"note", "caf\xe9"}};
    refused(options, "a text of the metadata is not UTF-8");
    options.metadata = {{"\xff", "note"}};
    refused(options, "a key of the metadata is not UTF-8");
    options.metadata.clear();
    options.filename_pattern = "caf\xe9{suffix}.safetensors";
    refused(options, "the pattern of file names is not UTF-8");
  }
}

TEST_CASE_FIXTURE(state_dict_fixture,
                  "the shards of a model may be made of its own mapping (V106)") {
  const save_state_dict_options parts{.max_shard_size = 30};
  save_state_dict(folder, five(), parts);
  const safetensors_model before(folder);
  std::vector<tensor_source> tensors;
  for (std::size_t i = 0; i < before.size(); ++i) {
    auto& tensor = tensors.emplace_back();
    tensor.name = before[i].name();
    tensor.dtype = before[i].dtype();
    tensor.shape.assign(before[i].shape().begin(), before[i].shape().end());
    tensor.content = before[i].bytes();
  }
  save_state_dict(folder, std::move(tensors));
  CHECK(names() == std::set<std::string>{"model.safetensors"});
  const safetensors_model after(folder);
  for (std::size_t i = 0; i < values.size(); ++i) {
    const auto name = "layer_" + std::to_string(i + 1);
    CHECK(before.tensor(name).to_vector<std::int64_t>() == values[i]);
    CHECK(after.tensor(name).to_vector<std::int64_t>() == values[i]);
  }
}

TEST_CASE_FIXTURE(state_dict_fixture, "a model without tensors leaves no file") {
  CHECK(save_state_dict(folder, {}).files.empty());
  CHECK(names().empty());
}

TEST_CASE_FIXTURE(state_dict_fixture, "shards of two saves are never one model") {
  const save_state_dict_options parts{.max_shard_size = 30};
  save_state_dict(folder, five(), parts);
  const auto old_shard = test::read_all(folder / two);
  fs::remove(folder / two);
  test::write_all(folder / two / "in the way", "x");  // stops the next save behind its first shard
  for (auto& value : values) value[0] += 10;
  CHECK_THROWS_AS(save_state_dict(folder, five(), parts), error);
  fs::remove_all(folder / two);
  test::write_all(folder / two, old_shard);
  CHECK(safetensors_file(folder / one).tensor("layer_1").as<std::int64_t>()[0] == 11);
  try {
    const safetensors_model mixed(folder);
    FAIL_CHECK("loaded");
  } catch (const error& failure) {
    CHECK(failure.code() == errc::not_safetensors_repo);
  }
  CHECK_THROWS_AS(get_local_safetensors_metadata(folder), error);
  save_state_dict(folder, five(), parts);
  CHECK(safetensors_model(folder).tensor("layer_5").as<std::int64_t>()[0] == 15);
}

TEST_CASE_FIXTURE(state_dict_fixture, "a sink takes each name once, and names of repositories") {
  const auto refused = [](errc code, auto save) {
    try {
      save();
      FAIL_CHECK("taken");
    } catch (const error& failure) {
      CHECK(failure.code() == code);
    }
  };
  save_sink sink(folder);
  sink.save_safetensors("a.safetensors", five());
  for (const auto* name : {"a.safetensors", "./a.safetensors", "b/../a.safetensors"}) {
    CAPTURE(name);
    CHECK_THROWS_AS(sink.save_safetensors(name, five()), error);
  }
  refused(errc::invalid_argument, [&] { sink.save_safetensors("a.safetensors", five()); });
  sink.save_safetensors("b//c.safetensors", five());
  refused(errc::invalid_argument, [&] { sink.save_safetensors("b/c.safetensors", five()); });
  refused(errc::invalid_path, [&] { sink.save_safetensors(".git/w.safetensors", five()); });
  refused(errc::invalid_path, [&] { sink.save_safetensors(".cache/w.safetensors", five()); });
  refused(errc::invalid_path, [&] { sink.save_safetensors("a\\b.safetensors", five()); });
  const save_state_dict_options parts{.max_shard_size = 30};
  sink.save_state_dict(five());
  refused(errc::invalid_argument, [&] { sink.save_state_dict(five()); });
  refused(errc::invalid_argument, [&] { sink.save_state_dict(five(), parts); });
  refused(errc::invalid_argument, [&] { sink.save_safetensors("model.safetensors", five()); });
  CHECK(sink.take_files().size() == 3);
  CHECK(sink.take_texts().empty());
  refused(errc::invalid_argument, [&] { sink.save_safetensors("a.safetensors", five()); });
}

TEST_CASE_FIXTURE(state_dict_fixture, "a model without tensors is one empty file of a sink") {
  save_sink sink(folder);
  const save_state_dict_options options{.metadata = {{"note", "empty"}}};
  CHECK(sink.save_state_dict({}, options).files.empty());
  auto files = sink.take_files();
  REQUIRE(files.size() == 1);
  CHECK(files[0].name == "model.safetensors");
  const save_safetensors_options writing{.metadata = files[0].metadata};
  fs::create_directories(folder);
  save_safetensors(folder / files[0].name, std::move(files[0].tensors), writing);
  const safetensors_model model(folder);
  CHECK(model.size() == 0);
  CHECK(model.metadata() ==
        std::map<std::string, std::string>{{"format", "pt"}, {"note", "empty"}});
}
