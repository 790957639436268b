#include "cohub/model_hub_mixin.hpp"
#include "cohub/safetensors.hpp"

#include "support/client_fixture.hpp"

#include <doctest/doctest.h>

#include <set>
#include <vector>

using namespace cohub;
using test::client_fixture;
namespace fs = std::filesystem;

namespace {

enum class link { identity, logistic };
BOOST_DESCRIBE_ENUM(link, identity, logistic)

struct training {
  double rate = 0.1;
};
BOOST_DESCRIBE_STRUCT(training, (), (rate))

struct linear_config {
  link output = link::identity;
  std::optional<double> decay{};
  training trained{};
};
BOOST_DESCRIBE_STRUCT(linear_config, (), (output, decay, trained))

class linear : public model_hub_mixin<linear> {
 public:
  explicit linear(linear_config config = {}, std::vector<float> weights = {})
      : config_(config), weights_(std::move(weights)) {}
  const linear_config& config() const { return config_; }
  const std::vector<float>& weights() const { return weights_; }

  static model_info hub_info() { return model_info().library_name("linear").license("mit"); }
  void hub_save(const fs::path& folder) const {
    save_safetensors(folder / "model.safetensors", {tensor_of("w", {weights_.size()}, weights_)});
  }
  static linear hub_load(load_context context) {
    const auto config = context.config<linear_config>();
    const safetensors_file file(context.file("model.safetensors"));
    return linear(config, file.tensor("w").to_vector<float>());
  }

 private:
  linear_config config_;
  std::vector<float> weights_;
};

/// Nothing to configure; its hook fetches by itself.
class plain : public model_hub_mixin<plain> {
 public:
  explicit plain(std::string content = {}) : text(std::move(content)) {}
  no_config config() const { return {}; }
  void hub_save(const fs::path& folder) const { test::write_all(folder / "w.txt", text); }
  static awaitable<plain> hub_load(load_context context) {
    auto fetching = context.download("w.txt");
    const auto path = co_await std::move(fetching);
    co_return plain(test::read_all(path));
  }
  std::string text;
};

struct mixin_fixture : client_fixture {
  linear model = make_model();

  static linear make_model() {
    linear_config config;
    config.output = link::logistic;
    config.trained.rate = 1e-5;
    return linear(config, {1.0f, 0.1f, -3.0f});
  }

  std::string remote(const std::string& repo, const std::string& path,
                     const std::string& revision = "main") {
    const download_options options{.revision = revision};
    return test::read_all(run(api->download_file(repo, path, options)));
  }
  std::set<std::string> remote_names(const std::string& repo) {
    std::set<std::string> names;
    for (const auto& entry : run(api->list_repo_tree(repo).all())) names.insert(entry.path);
    return names;
  }
  /// The temporary folders of pushes.
  static std::size_t staging_folders() {
    std::size_t count = 0;
    for (const auto& item : fs::directory_iterator(fs::temp_directory_path()))
      if (item.path().filename().string().starts_with("cohub-") &&
          fs::exists(item.path() / "staged-by-test"))
        ++count;
    return count;
  }
};

}  // namespace

TEST_CASE_FIXTURE(mixin_fixture,
                  "a pushed model is loaded back from its commit, bit for bit (V35)") {
  const auto commit = run(model.push_to_hub(*api, "line"));
  CHECK(commit.oid.size() == 40);
  CHECK(commit.commit_message == "Push model using cohub.");
  client_settings.cache_dir = folder.path() / "fresh";
  api.emplace(context.get_executor(), client_settings);
  const from_pretrained_options options{.revision = commit.oid};
  const auto loaded = run(linear::from_pretrained(*api, "alice/line", options));
  CHECK(loaded.weights() == model.weights());
  CHECK(loaded.config().output == link::logistic);
  CHECK(loaded.config().trained.rate == 1e-5);
  CHECK(remote("alice/line", "config.json") ==
        "{\n  \"decay\": null,\n  \"output\": \"logistic\",\n  \"trained\": {\n    \"rate\": "
        "1e-05\n  }\n}");
  const auto card = model_card::parse(remote("alice/line", "README.md"));
  CHECK(card.data().text_or("library_name") == "linear");
  CHECK(card.content() == model.generate_model_card().content());
}

TEST_CASE_FIXTURE(mixin_fixture,
                  "loading asks the Hub for config.json, also for a class without config") {
  const plain text("seven");
  run(text.push_to_hub(*api, "alice/plain"));
  CHECK_FALSE(remote_names("alice/plain").contains("config.json"));
  hub->clear_requests();
  CHECK(run(plain::from_pretrained(*api, "alice/plain")).text == "seven");
  CHECK(hub->count_requests("/alice/plain/resolve/main/config.json") >= 1);
  SUBCASE("and offline the cache remembers that there is none") {
    const from_pretrained_options cached{.local_files_only = true};
    hub->clear_requests();
    CHECK(run(plain::from_pretrained(*api, "alice/plain", cached)).text == "seven");
    CHECK(hub->requests().empty());
  }
}

TEST_CASE_FIXTURE(mixin_fixture, "weights come from the commit that the config came from") {
  run(model.push_to_hub(*api, "alice/line"));
  hub->clear_requests();
  run(linear::from_pretrained(*api, "alice/line"));
  CHECK(hub->count_requests("/alice/line/resolve/main/config.json") >= 1);
  CHECK(hub->count_requests("/alice/line/resolve/main/model.safetensors") == 0);
}

TEST_CASE_FIXTURE(mixin_fixture,
                  "saving with push sends what was saved, under the folder's name (V9)") {
  save_pretrained_options options;
  options.push_to_hub = true;
  const auto saved = folder.path() / "abc";
  test::write_all(saved / "unrelated.txt", "stays here");
  const auto commit = run(model.save_pretrained(*api, saved, options));
  REQUIRE(commit);
  CHECK(remote_names("alice/abc") ==
        std::set<std::string>{".gitattributes", "README.md", "config.json", "model.safetensors"});
  CHECK(remote("alice/abc", "model.safetensors") == test::read_all(saved / "model.safetensors"));
  CHECK_FALSE(fs::exists(saved / ".cache"));
  options.repo_id = "CustomID";
  run(model.save_pretrained(*api, saved, options));
  CHECK(remote("alice/CustomID", "config.json") == test::read_all(saved / "config.json"));
}

TEST_CASE_FIXTURE(mixin_fixture, "a folder without a name is the one that the process is in") {
  const auto before = fs::current_path();
  fs::create_directory(folder.path() / "here");
  fs::current_path(folder.path() / "here");
  std::exception_ptr failure;
  try {
    run(model.save_pretrained(*api, ""));
  } catch (...) {
    failure = std::current_exception();
  }
  fs::current_path(before);
  CHECK_FALSE(failure);
  std::set<std::string> names;
  for (const auto& item : fs::directory_iterator(folder.path() / "here"))
    names.insert(item.path().filename().string());
  CHECK(names == std::set<std::string>{"README.md", "config.json", "model.safetensors"});
}

TEST_CASE_FIXTURE(mixin_fixture, "a push replaces the remote card unless it shall stay") {
  put_file("alice/line", "README.md", "mine");
  push_to_hub_options options;
  options.keep_remote_card = true;
  run(model.push_to_hub(*api, "alice/line", options));
  CHECK(remote("alice/line", "README.md") == "mine");
  run(model.push_to_hub(*api, "alice/line"));
  CHECK(remote("alice/line", "README.md").starts_with("---\nlibrary_name: linear\n"));
}

TEST_CASE_FIXTURE(mixin_fixture, "a push may go to a pull request, and be filtered") {
  push_to_hub_options options;
  options.create_pr = true;
  options.commit_message = "Try this";
  options.ignore_patterns = {"*.md"};
  const auto commit = run(model.push_to_hub(*api, "alice/line", options));
  CHECK(commit.pr_num == 1u);
  CHECK_FALSE(remote_names("alice/line").contains("model.safetensors"));
  const from_pretrained_options from{.revision = "refs/pr/1"};
  CHECK(run(linear::from_pretrained(*api, "alice/line", from)).weights() == model.weights());
  const download_options card{.revision = "refs/pr/1"};
  CHECK(failure_of(api->download_file("alice/line", "README.md", card)).code() ==
        errc::entry_not_found);
}

TEST_CASE_FIXTURE(mixin_fixture, "what is missing on the Hub is the error it is") {
  CHECK(failure_of(linear::from_pretrained(*api, "alice/none")).code() ==
        errc::repository_not_found);
  run(model.push_to_hub(*api, "alice/line"));
  const from_pretrained_options elsewhere{.revision = "v9"};
  CHECK(failure_of(linear::from_pretrained(*api, "alice/line", elsewhere)).code() ==
        errc::revision_not_found);
  put_file("alice/weightless", "config.json", "{}");
  CHECK(failure_of(linear::from_pretrained(*api, "alice/weightless")).code() ==
        errc::entry_not_found);
  put_file("alice/broken", "config.json", "{\"trained\": 1}");
  put_file("alice/broken", "model.safetensors", "no tensors at all");
  CHECK(failure_of(linear::from_pretrained(*api, "alice/broken")).code() == errc::invalid_config);
  put_file("alice/broken", "config.json", "{}");
  CHECK(failure_of(linear::from_pretrained(*api, "alice/broken")).code() ==
        errc::invalid_safetensors);
}

TEST_CASE_FIXTURE(mixin_fixture,
                  "helpers push a folder that a function fills, and fetch it again") {
  const std::function<void(const fs::path&)> write = [](const fs::path& to) {
    test::write_all(to / "model.bin", "weights");
    test::write_all(to / "logs" / "train.log", "done");
  };
  push_to_hub_options options;
  options.config = boost::json::object{{"depth", 3}};
  run(push_with(*api, "alice/trees", write, options));
  CHECK(remote("alice/trees", "config.json") == "{\n  \"depth\": 3\n}");
  const auto all = run(fetch_pretrained(*api, "alice/trees"));
  CHECK(test::read_all(all / "logs" / "train.log") == "done");
  const fetch_pretrained_options one{.file = "model.bin"};
  CHECK(test::read_all(run(fetch_pretrained(*api, "alice/trees", one))) == "weights");
  CHECK(test::read_all(run(fetch_pretrained(*api, all.string(), one))) == "weights");
}

TEST_CASE_FIXTURE(mixin_fixture, "a push that fails leaves no commit and no staging folder") {
  const std::function<void(const fs::path&)> write = [](const fs::path& to) {
    test::write_all(to / "staged-by-test", "half");
    throw std::runtime_error("out of paper");
  };
  CHECK_THROWS_WITH(run(push_with(*api, "alice/half", write)), "out of paper");
  CHECK_FALSE(remote_names("alice/half").contains("staged-by-test"));
  api.reset();  // ends the client's pool, and with it the removal
  CHECK(staging_folders() == 0);
}

namespace {

/// Its weights are made as they are needed, and are never whole in memory.
class streamed : public model_hub_mixin<streamed> {
 public:
  static constexpr std::uint64_t rows = 300, columns = 1000;
  no_config config() const { return {}; }
  void hub_save(save_sink& sink) const {
    test::write_all(sink.folder() / "notes.txt", "beside");
    tensor_source tensor;
    tensor.name = "w";
    tensor.shape = {rows, columns};
    tensor.content = [this](const tensor_sink& out) {
      for (std::uint64_t row = 0; row < rows; ++row) {
        if (fails && row == 100) throw std::runtime_error("no more rows");
        const std::vector<float> values(columns, static_cast<float>(row));
        out(std::as_bytes(std::span(values)));
      }
    };
    std::vector<tensor_source> tensors;
    tensors.push_back(std::move(tensor));
    sink.save_safetensors("model.safetensors", std::move(tensors));
  }
  static streamed hub_load(load_context context) {
    const safetensors_file file(context.file("model.safetensors"));
    const auto values = file.tensor("w").to_vector<float>();
    streamed model;
    model.last = values.back();
    return model;
  }
  bool fails = false;
  float last = 0;
};

}  // namespace

TEST_CASE_FIXTURE(mixin_fixture, "weights are streamed into the upload as they are made") {
  const streamed made;
  run(made.push_to_hub(*api, "streamed"));
  CHECK(run(streamed::from_pretrained(*api, "alice/streamed")).last == 299);
  CHECK(remote("alice/streamed", "notes.txt") == "beside");
  const auto local = folder.path() / "streamed";
  run(made.save_pretrained(*api, local));
  CHECK(test::read_all(local / "model.safetensors") ==
        remote("alice/streamed", "model.safetensors"));
  push_to_hub_options without;
  without.ignore_patterns = {"*.safetensors"};
  without.delete_patterns = {"*.safetensors"};
  run(made.push_to_hub(*api, "streamed", without));
  CHECK_FALSE(remote_names("alice/streamed").contains("model.safetensors"));
}

TEST_CASE_FIXTURE(mixin_fixture, "weights that cannot be made leave no commit") {
  run(api->create_repo("alice/streamed"));
  streamed broken;
  broken.fails = true;
  CHECK_THROWS_WITH(run(broken.push_to_hub(*api, "alice/streamed")), "no more rows");
  CHECK(run(api->list_repo_commits("alice/streamed").all()).size() == 1);
}

namespace {

struct listed_config {
  std::size_t size = 2;
};
BOOST_DESCRIBE_STRUCT(listed_config, (), (size))

/// Names its tensors once, and has no hooks of its own.
template <template <class> class HandleOf>
class listed : public model_hub_mixin<listed<HandleOf>, HandleOf<listed<HandleOf>>> {
 public:
  explicit listed(listed_config config)
      : config_(config), weight_(config.size * 3), bias_(config.size) {}
  const listed_config& config() const { return config_; }
  static tensor_list hub_tensors(auto& self) {
    return tensor_list().add("w", {self.config_.size, 3}, self.weight_).add("b", self.bias_);
  }
  std::vector<float>& weight() { return weight_; }
  std::vector<double>& bias() { return bias_; }

 private:
  listed_config config_;
  std::vector<float> weight_;
  std::vector<double> bias_;
};

template <class Model>
using itself = Model;

}  // namespace

TEST_CASE_FIXTURE(mixin_fixture, "a class that lists its tensors needs no hooks") {
  listed_config of_four;
  of_four.size = 4;
  listed<itself> made(of_four);
  made.weight()[7] = 1.5f;
  made.bias()[3] = -2;
  run(made.push_to_hub(*api, "listed"));
  CHECK(remote_names("alice/listed") ==
        std::set<std::string>{".gitattributes", "README.md", "config.json", "model.safetensors"});
  const auto load = [this](std::string from) -> awaitable<void> {
    auto value = co_await listed<itself>::from_pretrained(*api, from);
    CHECK(value.weight()[7] == 1.5f);
    CHECK(value.bias() == std::vector<double>{0, 0, 0, -2});
  };
  run(load("alice/listed"));
  SUBCASE("also behind a pointer") {
    const auto pointed = run(listed<std::shared_ptr>::from_pretrained(*api, "alice/listed"));
    CHECK(pointed->weight()[7] == 1.5f);
  }
  SUBCASE("also from shards") {
    const auto shards = folder.path() / "shards";
    test::write_all(shards / "config.json", R"({"size": 4})");
    const save_state_dict_options small{.max_shard_size = 48};
    save_state_dict(shards, listed<itself>::hub_tensors(std::as_const(made)).sources(), small);
    CHECK(fs::exists(shards / "model.safetensors.index.json"));
    run(load(shards.string()));
    run(api->upload_folder(shards, "alice/listed"));
    const delete_file_options why{};
    run(api->delete_file("model.safetensors", "alice/listed", why));
    run(load("alice/listed"));
  }
  SUBCASE("and is told what does not fit its config") {
    const from_pretrained_options larger{.config_overrides = {{"size", 5}}};
    const auto failure =
        failure_of(listed<std::shared_ptr>::from_pretrained(*api, "alice/listed", larger));
    CHECK(failure.code() == errc::incompatible_weights);
    CHECK(std::string(failure.what()).find("w (F32[4, 3] for F32[5, 3])") != std::string::npos);
  }
}
