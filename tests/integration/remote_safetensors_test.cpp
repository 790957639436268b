#include "cohub/remote_safetensors.hpp"

#include "support/client_fixture.hpp"

#include <doctest/doctest.h>

#include <numeric>

using namespace cohub;

namespace {

struct fixture : test::client_fixture {
  static local_hub_config settings() {
    local_hub_config config;
    config.lfs_threshold = 1000;
    return config;
  }
  fixture() : client_fixture(settings()) {}

  /// A file with these tensors of F32, each `shape` long and counting on from its number.
  std::string file_with(const std::vector<std::string>& names, std::vector<std::uint64_t> shape) {
    const auto count =
        std::accumulate(shape.begin(), shape.end(), std::uint64_t{1}, std::multiplies<>());
    std::vector<std::vector<float>> values(names.size(), std::vector<float>(count));
    std::vector<tensor_source> tensors;
    for (std::size_t i = 0; i < names.size(); ++i) {
      std::iota(values[i].begin(), values[i].end(), static_cast<float>(1000 * i));
      tensors.push_back(tensor_of(names[i], shape, values[i]));
    }
    save_safetensors_options options;
    options.metadata["format"] = "pt";
    const auto path = folder.path() / "made.safetensors";
    save_safetensors(path, std::move(tensors), options);
    return test::read_all(path);
  }

  static std::string file_of(const std::string& header, const std::string& data) {
    std::string bytes(8, '\0');
    const std::uint64_t length = header.size();
    std::memcpy(bytes.data(), &length, 8);
    return bytes + header + data;
  }

  /// Two shards with five tensors, and their index.
  void put_sharded() {
    put_file("alice/m", "model-00001-of-00002.safetensors", file_with({"a", "b", "c"}, {100, 4}));
    put_file("alice/m", "model-00002-of-00002.safetensors", file_with({"d", "e"}, {70'000}));
    put_file("alice/m", "model.safetensors.index.json",
             R"({"metadata":{"total_size":564800},"weight_map":{
               "a":"model-00001-of-00002.safetensors","b":"model-00001-of-00002.safetensors",
               "c":"model-00001-of-00002.safetensors","d":"model-00002-of-00002.safetensors",
               "e":"model-00002-of-00002.safetensors"}})");
    hub->clear_requests();
  }

  /// The ranges that were asked for, in order.
  std::vector<std::string> ranges() const {
    std::vector<std::string> found;
    for (const auto& request : hub->requests())
      if (!request.range.empty()) found.push_back(request.range);
    return found;
  }
};

}  // namespace

TEST_CASE_FIXTURE(fixture, "the header of a remote file costs one ranged request") {
  put_file("alice/m", "model.safetensors", file_with({"w", "b"}, {200, 300}));
  hub->clear_requests();
  const auto repo = run(get_safetensors_metadata(*api, "alice/m"));
  CHECK_FALSE(repo.sharded);
  CHECK_FALSE(repo.metadata.has_value());
  CHECK(repo.weight_map.at("w") == "model.safetensors");
  CHECK(repo.weight_map.size() == 2);
  CHECK(repo.parameter_count == std::map<std::string, std::uint64_t>{{"F32", 120'000}});
  const auto& file = repo.files_metadata.at("model.safetensors");
  CHECK(file.metadata == std::map<std::string, std::string>{{"format", "pt"}});
  CHECK(file.tensors.at("w").dtype == "F32");
  CHECK(file.tensors.at("w").shape == std::vector<std::uint64_t>{200, 300});
  CHECK(file.tensors.at("w").begin == 240'000);
  CHECK(file.tensors.at("w").parameter_count == 60'000);
  CHECK(hub->requests().size() == 2);
  CHECK(ranges() == std::vector<std::string>{"bytes=0-100000"});
  CHECK_FALSE(std::filesystem::exists(folder.path() / "cache"));
}

TEST_CASE_FIXTURE(fixture,
                  "a header beyond the first request costs a second one, of what is left") {
  std::vector<std::string> names;
  for (int i = 0; i < 3000; ++i) names.push_back("layer." + std::to_string(i) + ".weight");
  const auto content = file_with(names, {1});
  put_file("alice/m", "sub/x.safetensors", content);
  hub->clear_requests();
  const auto file = run(parse_safetensors_file_metadata(*api, "alice/m", "sub/x.safetensors"));
  CHECK(file.tensors.size() == 3000);
  CHECK(file.tensors.at("layer.2999.weight").parameter_count == 1);
  std::uint64_t length = 0;
  std::memcpy(&length, content.data(), 8);
  CHECK(file.data_offset == 8 + length);
  CHECK(ranges() ==
        std::vector<std::string>{"bytes=0-100000", "bytes=100001-" + std::to_string(7 + length)});
}

TEST_CASE_FIXTURE(fixture, "one request brings headers of up to 99,993 bytes") {
  for (const std::size_t length : {99'993u, 99'994u, 100'000u}) {
    CAPTURE(length);
    std::string header = R"({"a":{"dtype":"BF16","shape":[4096],"data_offsets":[0,8192]}})";
    header.resize(length, ' ');
    put_file("alice/m", "model.safetensors", file_of(header, std::string(8192, 'x')));
    hub->clear_requests();
    const auto repo = run(get_safetensors_metadata(*api, "alice/m"));
    CHECK(repo.parameter_count == std::map<std::string, std::uint64_t>{{"BF16", 4096}});
    CHECK(ranges().size() == (length == 99'993u ? 1 : 2));
  }
}

TEST_CASE_FIXTURE(fixture, "the headers of all shards make the metadata of a model") {
  put_sharded();
  const auto repo = run(get_safetensors_metadata(*api, "alice/m"));
  CHECK(repo.sharded);
  REQUIRE(repo.metadata.has_value());
  CHECK(repo.metadata->at("total_size").as_int64() == 564'800);
  CHECK(repo.commit.size() == 40);
  CHECK(repo.files_metadata.size() == 2);
  CHECK(repo.files_metadata.at("model-00002-of-00002.safetensors").tensors.count("e") == 1);
  CHECK(repo.parameter_count.at("F32") == 141'200);
  // HEAD: model.safetensors, the index and each shard; GET: the index, and the start of each shard.
  CHECK(hub->requests().size() == 7);
}

TEST_CASE_FIXTURE(fixture, "tensors are loaded by range, without their file") {
  put_file("alice/m", "model.safetensors", file_with({"a", "b", "c", "d"}, {50'000}));
  auto model = run(open_safetensors(*api, "alice/m"));
  hub->clear_requests();
  const auto b = run(model.load_tensor("b"));
  CHECK(b.name() == "b");
  CHECK(b.dtype() == tensor_dtype::f32);
  CHECK(b.shape()[0] == 50'000);
  CHECK(b.as<float>()[0] == 1000.f);
  CHECK(b.as<float>()[49'999] == 50'999.f);
  const auto offset = run(model.get_metadata()).files_metadata.at("model.safetensors").data_offset;
  CHECK(ranges() == std::vector<std::string>{"bytes=" + std::to_string(offset + 200'000) + "-" +
                                             std::to_string(offset + 399'999)});

  std::vector<float> mine(50'000);
  run(model.load_tensor_into("d", std::as_writable_bytes(std::span(mine))));
  CHECK(mine[1] == 3001.f);
  CHECK(failure_of(model.load_tensor_into("d", std::as_writable_bytes(std::span(mine).first(3))))
            .code() == errc::invalid_argument);
  CHECK(failure_of(model.load_tensor("nope")).code() == errc::invalid_argument);
}

TEST_CASE_FIXTURE(fixture,
                  "neighbours are loaded together, over all shards, in the order asked for") {
  put_sharded();
  auto model = run(open_safetensors(*api, "alice/m"));
  CHECK(hub->requests().size() == 3);  // no shard is looked at yet
  const auto first = run(model.load_tensors({"c", "e", "a", "b", "d", "a"}));
  CHECK(hub->requests().size() == 3 + 2 * 3);
  REQUIRE(first.size() == 6);
  CHECK(first[0].name() == "c");
  CHECK(first[0].as<float>()[0] == 2000.f);
  CHECK(first[0].shape().size() == 2);
  CHECK(first[1].as<float>()[69'999] == 70'999.f);
  CHECK(first[2].as<float>()[7] == 7.f);
  CHECK(first[3].as<float>()[7] == 1007.f);
  CHECK(first[4].as<float>()[7] == 7.f);
  CHECK(first[5].bytes().data() == first[2].bytes().data());
  hub->clear_requests();
  const auto again = run(model.load_tensors({"a", "e"}));
  CHECK(again[1].as<float>()[1] == 1001.f);
  CHECK(hub->requests().size() == 2);
  CHECK(run(model.load_tensors({})).empty());
}

TEST_CASE_FIXTURE(fixture, "an open model stays at its commit") {
  put_sharded();
  auto model = run(open_safetensors(*api, "alice/m"));
  put_file("alice/m", "model-00001-of-00002.safetensors", file_with({"z"}, {5}));
  CHECK(run(model.load_tensor("c")).to_vector<float>()[1] == 2001.f);
  CHECK(run(model.get_metadata()).commit == model.commit());
}

TEST_CASE_FIXTURE(fixture, "a repository without safetensors is told from one that is missing") {
  put_file("alice/m", "config.json", "{}");
  CHECK(failure_of(get_safetensors_metadata(*api, "alice/m")).code() == errc::not_safetensors_repo);
  CHECK(failure_of(get_safetensors_metadata(*api, "alice/absent")).code() ==
        errc::repository_not_found);
  const remote_safetensors_options nowhere{.revision = "nowhere"};
  CHECK(failure_of(get_safetensors_metadata(*api, "alice/m", nowhere)).code() ==
        errc::revision_not_found);
  const remote_safetensors_options offline{.local_files_only = true};
  CHECK(failure_of(get_safetensors_metadata(*api, "alice/m", offline)).code() ==
        errc::local_entry_not_found);
}

TEST_CASE_FIXTURE(fixture, "hostile files are refused before more of them is fetched") {
  std::string huge = file_of("{}", std::string(200'000, ' '));
  SUBCASE("a header longer than any may be") {
    const std::uint64_t length = 25'000'001;
    std::memcpy(huge.data(), &length, 8);
  }
  SUBCASE("a header longer than its file") {
    const std::uint64_t length = 24'000'000;
    std::memcpy(huge.data(), &length, 8);
    put_file("alice/m", "model.safetensors", huge);
    CHECK(failure_of(get_safetensors_metadata(*api, "alice/m")).code() ==
          errc::invalid_safetensors);
    return;
  }
  SUBCASE("no header at all") { huge = "short"; }
  SUBCASE("a pickle") { huge = "\x80\x02}q\x00(X\x06\x00\x00weights"; }
  SUBCASE("tensors that do not fill the file") {
    huge = file_of(R"({"a":{"dtype":"U8","shape":[5],"data_offsets":[0,5]}})", "123456");
  }
  put_file("alice/m", "model.safetensors", huge);
  hub->clear_requests();
  CHECK(failure_of(get_safetensors_metadata(*api, "alice/m")).code() == errc::invalid_safetensors);
  CHECK(hub->requests().size() == 2);
}

TEST_CASE_FIXTURE(fixture, "an index that lies is found out") {
  put_file("alice/m", "x.safetensors", file_with({"a"}, {5}));
  put_file("alice/m", "model.safetensors.index.json",
           R"({"weight_map":{"a":"x.safetensors","b":"x.safetensors","c":"gone.safetensors"}})");
  auto model = run(open_safetensors(*api, "alice/m"));
  CHECK(run(model.load_tensor("a")).to_vector<float>()[2] == 2.f);
  CHECK(failure_of(model.load_tensor("b")).code() == errc::invalid_safetensors);
  CHECK(failure_of(model.load_tensor("c")).code() == errc::entry_not_found);
  CHECK(failure_of(model.get_metadata()).code() == errc::entry_not_found);
}

TEST_CASE_FIXTURE(fixture, "an unknown dtype is described, and not loaded") {
  put_file("alice/m", "model.safetensors",
           file_of(R"({"a":{"dtype":"FP4","shape":[3],"data_offsets":[0,2]},)"
                   R"("s":{"dtype":"U8","shape":[],"data_offsets":[2,3]}})",
                   "123"));
  auto model = run(open_safetensors(*api, "alice/m"));
  const auto repo = run(model.get_metadata());
  CHECK(repo.parameter_count == std::map<std::string, std::uint64_t>{{"FP4", 3}, {"U8", 1}});
  CHECK(failure_of(model.load_tensor("a")).code() == errc::invalid_safetensors);
  CHECK(run(model.load_tensor("s")).to_vector<std::uint8_t>()[0] == '3');
}

TEST_CASE_FIXTURE(fixture, "a model in the cache is read from there") {
  put_sharded();
  run(api->snapshot_download("alice/m"));
  hub->clear_requests();
  const remote_safetensors_options local{.local_files_only = true};
  auto model = run(open_safetensors(*api, "alice/m", local));
  CHECK(model.sharded());
  CHECK(run(model.load_tensor("e")).to_vector<float>()[0] == 1000.f);
  CHECK(hub->requests().empty());
}
