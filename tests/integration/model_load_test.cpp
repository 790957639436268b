// What loading a model asks the Hub for, and in which state an interrupted one leaves the cache.

#include "cohub/model_hub_mixin.hpp"
#include "cohub/remote_safetensors.hpp"
#include "cohub/safetensors_model.hpp"

#include "support/client_fixture.hpp"
#include "support/scripted_server.hpp"

#include <doctest/doctest.h>

#include <optional>
#include <vector>

using namespace cohub;
namespace fs = std::filesystem;
namespace json = boost::json;

namespace {

struct cfg {
  int foo = 10;
  std::string bar = "baz";
  friend bool operator==(const cfg&, const cfg&) = default;
};
BOOST_DESCRIBE_STRUCT(cfg, (), (foo, bar))

/// Has a described config; the same file is read as other kinds below (V13).
class typed : public model_hub_mixin<typed> {
 public:
  explicit typed(cfg given = {}) : config_(std::move(given)) {}
  const cfg& config() const { return config_; }
  static model_info hub_info() { return model_info().weight_files("w.txt"); }
  void hub_save(const fs::path& folder) const { test::write_all(folder / "w.txt", "w"); }
  static typed hub_load(load_context context) { return typed(context.config<cfg>()); }

 private:
  cfg config_;
};

class untyped : public model_hub_mixin<untyped> {
 public:
  json::object config() const { return map; }
  void hub_save(const fs::path&) const {}
  static awaitable<untyped> hub_load(load_context context) {
    untyped loaded;
    loaded.map = context.config<json::object>();
    loaded.optional_map = context.config_object();
    if (context.config_object()) loaded.optional_typed = context.config<cfg>();
    co_return loaded;
  }
  json::object map{};
  std::optional<json::object> optional_map{};
  std::optional<cfg> optional_typed{};
};

/// No config, and several files.
class many_files : public model_hub_mixin<many_files> {
 public:
  no_config config() const { return {}; }
  static model_info hub_info() {
    return model_info().weight_files("a.txt", "b.txt", "model{suffix}.safetensors");
  }
  void hub_save(const fs::path&) const {}
  static many_files hub_load(load_context context) {
    many_files loaded;
    loaded.text = test::read_all(context.file("a.txt")) + test::read_all(context.file("b.txt"));
    loaded.revision = context.revision();
    loaded.size = safetensors_model(context.file("model{suffix}.safetensors")).size();
    return loaded;
  }
  std::string text{}, revision{};
  std::size_t size = 0;
};

struct load_fixture : test::client_fixture {
  const std::vector<float> values{1, 2}, others{3, 4};

  void put_weights(int shard_size) {
    save_state_dict_options options;
    options.max_shard_size = shard_size;
    const auto made = folder.path() / "made";
    save_state_dict(made, {tensor_of("a", {2}, values), tensor_of("b", {2}, others)}, options);
    run(api->upload_folder(made, "alice/m"));
  }
  /// What a server was told of who asks, by whatever request.
  template <class Ask>
  std::vector<std::string> user_agents(Ask ask) {
    test::scripted_server server(context, [](const test::seen_request&) {
      return test::scripted_reply::text(404, "", "X-Error-Code: RepoNotFound\r\n");
    });
    client_settings.endpoint = server.origin();
    client other(context.get_executor(), client_settings);
    CHECK_THROWS_AS(run(ask(other)), error);
    std::vector<std::string> found;
    for (const auto& request : server.seen()) found.push_back(request.header("user-agent"));
    REQUIRE_FALSE(found.empty());
    return found;
  }
};

}  // namespace

TEST_CASE_FIXTURE(load_fixture, "a config is loaded as whatever the class has (V13)") {
  run(typed(cfg{20, "qux"}).push_to_hub(*api, "alice/m"));
  const json::object c1{{"foo", 20}, {"bar", "qux"}};
  CHECK(parse_config(test::read_all(run(api->download_file("alice/m", "config.json")))) == c1);
  CHECK(run(typed::from_pretrained(*api, "alice/m")).config() == cfg{20, "qux"});
  const auto loaded = run(untyped::from_pretrained(*api, "alice/m"));
  CHECK(loaded.map == c1);
  CHECK(loaded.optional_map == c1);
  CHECK(loaded.optional_typed == cfg{20, "qux"});
}

TEST_CASE_FIXTURE(load_fixture, "without config all files come from one commit, shards included") {
  put_file("alice/m", "a.txt", "A");
  put_file("alice/m", "b.txt", "B");
  const int shard_size = 8;
  put_weights(shard_size);
  const auto head = run(api->repo_info("alice/m")).sha;
  hub->clear_requests();
  const auto loaded = run(many_files::from_pretrained(*api, "alice/m"));
  CHECK(loaded.text == "AB");
  CHECK(loaded.size == 2);
  CHECK(loaded.revision == head);
  CHECK(hub->count_requests("/resolve/main/") == hub->count_requests("/resolve/main/config.json"));
  CHECK(hub->count_requests("/resolve/" + head + "/model-00002-of-00002.safetensors") >= 1);
  SUBCASE("and offline they come from the cache") {
    const from_pretrained_options cached{.local_files_only = true};
    CHECK(run(many_files::from_pretrained(*api, "alice/m", cached)).revision == head);
  }
  SUBCASE("and from a folder") {
    const auto local = run(api->snapshot_download("alice/m"));
    CHECK(run(many_files::from_pretrained(*api, local.string())).size == 2);
  }
}

TEST_CASE_FIXTURE(load_fixture, "without config the weights are those of today, not of the cache") {
  put_file("alice/m", "a.txt", "old");
  put_file("alice/m", "b.txt", "B");
  const int shard_size = 8;
  put_weights(shard_size);
  CHECK(run(many_files::from_pretrained(*api, "alice/m")).text == "oldB");
  put_file("alice/m", "a.txt", "new");
  const auto head = run(api->repo_info("alice/m")).sha;
  SUBCASE("where the answer about the config tells the commit") {
    hub->clear_requests();
    CHECK(run(many_files::from_pretrained(*api, "alice/m")).revision == head);
    CHECK(hub->count_requests("/api/models/alice/m/revision/main") == 0);
  }
  SUBCASE("where it does not") {
    hub_fault silent;
    silent.path_part = "/resolve/main/config.json";
    silent.status = 404;
    silent.headers = {{"X-Error-Code", "EntryNotFound"}};
    silent.times = 0;
    hub->inject(silent);
    const auto loaded = run(many_files::from_pretrained(*api, "alice/m"));
    CHECK(loaded.text == "newB");
    CHECK(loaded.revision == head);
  }
}

TEST_CASE_FIXTURE(load_fixture, "a load that is cancelled after the config goes on later") {
  run(typed(cfg{1, "x"}).push_to_hub(*api, "alice/m"));
  hub_fault stall;
  stall.path_part = "/w.txt";
  stall.stall = true;
  hub->inject(stall);
  hub->clear_requests();
  const auto outcome = test::run_and_cancel(context, typed::from_pretrained(*api, "alice/m"),
                                            [&] { return hub->count_requests("/w.txt") > 0; });
  CHECK(outcome == asio::error::operation_aborted);
  hub->clear_faults();
  CHECK(run(typed::from_pretrained(*api, "alice/m")).config().foo == 1);
}

TEST_CASE_FIXTURE(load_fixture, "a helper tells the Hub which library asks (G5)") {
  fetch_pretrained_options fetch{.file = "w"};
  fetch.library_name = "fastai";
  fetch.library_version = "2.7";
  for (const auto& agent :
       user_agents([&](client asking) { return fetch_pretrained(asking, "alice/m", fetch); }))
    CHECK(agent.starts_with("fastai/2.7; cohub/"));
  push_to_hub_options push;
  push.library_name = "fastai";
  const std::function<void(const fs::path&)> write = [](const fs::path&) {};
  for (const auto& agent :
       user_agents([&](client asking) { return push_with(asking, "alice/m", write, push); }))
    CHECK(agent.starts_with("fastai; cohub/"));
  from_pretrained_options from;
  from.library_name = "mine";
  from.library_version = "3";
  client_settings.library_name = "server";
  for (const auto& agent :
       user_agents([&](client asking) { return typed::from_pretrained(asking, "alice/m", from); }))
    CHECK(agent.starts_with("mine/3; server; cohub/"));
}

TEST_CASE_FIXTURE(load_fixture, "the proxy of a client takes its helpers' requests (G14)") {
  test::scripted_server proxy(context, [](const test::seen_request&) {
    return test::scripted_reply::text(404, "", "X-Error-Code: RepoNotFound\r\n");
  });
  client_settings.endpoint = "http://hub.example:8080";
  client_settings.proxy = proxy.origin();
  client_settings.no_proxy = "";
  client proxied(context.get_executor(), client_settings);
  const fetch_pretrained_options one{.file = "w"};
  CHECK(failure_of(fetch_pretrained(proxied, "alice/m", one)).code() == errc::repository_not_found);
  REQUIRE_FALSE(proxy.seen().empty());
  CHECK(proxy.seen()[0].line == "HEAD http://hub.example:8080/alice/m/resolve/main/w HTTP/1.1");
}

TEST_CASE_FIXTURE(load_fixture, "one file and eight shards are described alike (V96)") {
  std::vector<std::vector<float>> layers(8, std::vector<float>{1, 2});
  const auto put = [&](int shard_size) {
    std::vector<tensor_source> tensors;
    for (std::size_t i = 0; i < layers.size(); ++i)
      tensors.push_back(tensor_of("layer." + std::to_string(i), {2}, layers[i]));
    save_state_dict_options options;
    options.max_shard_size = shard_size;
    const auto made = folder.path() / std::to_string(shard_size);
    save_state_dict(made, std::move(tensors), options);
    const auto repo = "alice/m" + std::to_string(shard_size);
    run(api->create_repo(repo));
    run(api->upload_folder(made, repo));
    return run(get_safetensors_metadata(*api, repo));
  };
  const auto whole = put(1000);
  CHECK_FALSE(whole.sharded);
  CHECK_FALSE(whole.metadata);
  const auto split = put(8);
  CHECK(split.sharded);
  REQUIRE(split.metadata);
  CHECK(split.files_metadata.size() == 8);
  CHECK(split.parameter_count == std::map<std::string, std::uint64_t>{{"F32", 16}});
  CHECK(whole.parameter_count == split.parameter_count);
}

TEST_CASE_FIXTURE(load_fixture, "weights that only a pull request has are found there (V97)") {
  put_file("alice/m", "README.md", "no weights");
  CHECK(failure_of(get_safetensors_metadata(*api, "alice/m")).code() == errc::not_safetensors_repo);
  save_state_dict(folder.path() / "made", {tensor_of("a", {2}, values)});
  upload_folder_options proposing;
  proposing.create_pr = true;
  const auto proposed = run(api->upload_folder(folder.path() / "made", "alice/m", proposing));
  remote_safetensors_options there;
  there.revision = proposed.pr_revision;
  CHECK(run(get_safetensors_metadata(*api, "alice/m", there)).weight_map.size() == 1);
  CHECK(failure_of(get_safetensors_metadata(*api, "alice/m")).code() == errc::not_safetensors_repo);
}
