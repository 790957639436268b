// The guide to integrating a library with the Hub, point by point (mixin-and-cards, section 1).

#include "cohub/hub_card.hpp"
#include "cohub/model_hub_mixin.hpp"
#include "cohub/safetensors.hpp"

#include "support/client_fixture.hpp"

#include <boost/json/parse.hpp>
#include <doctest/doctest.h>

#include <set>
#include <vector>

using namespace cohub;
namespace fs = std::filesystem;

namespace {

/// Of G48: a value of a foreign type, with coders of its own.
struct celsius {
  double degrees = 0;
};
celsius tag_invoke(boost::json::value_to_tag<celsius>, const boost::json::value& value) {
  return {value.to_number<double>() / 10};
}
void tag_invoke(boost::json::value_from_tag, boost::json::value& value, const celsius& given) {
  value = given.degrees * 10;
}

struct guide_config {
  std::string value = "my_value";
  int size = 3;
  celsius temperature{};
};
BOOST_DESCRIBE_STRUCT(guide_config, (), (value, size, temperature))

constexpr const char* own_template =
    "---\n# a comment\n{{ card_data }}\n---\n\n# {{ library_name }}\n\nCite us.\n";

/// What a library gives all its models (G38, G39); a class adds to it (G29).
struct family {
  static model_info hub_info() {
    return model_info()
        .library_name("my-library")
        .license("apache-2.0")
        .pipeline_tag("text-classification")
        .repo_url("https://example.org/code")
        .docs_url("https://example.org/docs")
        .tags("arxiv:2304.12244");
  }
};

class net : public model_hub_mixin<net> {
 public:
  explicit net(guide_config config = {}) : config_(std::move(config)) {}
  const guide_config& config() const { return config_; }
  static model_info hub_info() { return family::hub_info().tags("keras"); }
  void hub_save(const fs::path& folder) const {
    const std::vector<float> weights{1, 2};
    save_safetensors(folder / "model.safetensors", {tensor_of("w", {2}, weights)});
    test::write_all(folder / "logs/train.log", "loss 0.1");
  }
  static net hub_load(load_context context) {
    safetensors_file(context.file("model.safetensors"));
    return net(context.config<guide_config>());
  }

 private:
  guide_config config_;
};

/// Of G41 and G42: a template of the class, and a card that is changed.
class cited : public model_hub_mixin<cited> {
 public:
  no_config config() const { return {}; }
  static model_info hub_info() { return family::hub_info().model_card_template(own_template); }
  void hub_save(const fs::path& folder) const { test::write_all(folder / "w.txt", "w"); }
  static cited hub_load(load_context) { return {}; }
  model_card generate_model_card(template_variables variables = {}) const {
    auto card = model_hub_mixin::generate_model_card(std::move(variables));
    card.data()["metrics"] = std::vector<std::string>{"accuracy"};
    card.text() += "\nMore of it.\n";
    return card;
  }
};

struct guide_fixture : test::client_fixture {
  net model{guide_config{"given", 128, {21.5}}};

  std::string remote(const std::string& path, const std::string& revision = "main") {
    const download_options options{.revision = revision};
    return test::read_all(run(api->download_file("alice/net", path, options)));
  }
  std::set<std::string> names() {
    std::set<std::string> found;
    const list_repo_tree_options all{.recursive = true};
    for (const auto& entry : run(api->list_repo_tree("alice/net", all).all()))
      if (entry.type == tree_entry::kind::file) found.insert(entry.path);
    return found;
  }
};

}  // namespace

TEST_CASE_FIXTURE(guide_fixture,
                  "helpers create, write, send in one commit and clean up (G4, G6, G7, G8)") {
  fs::path staged;
  const std::function<void(const fs::path&)> write = [&](const fs::path& to) {
    staged = to;
    test::write_all(to / "model.safetensors", "w");
    test::write_all(to / "README.md", "# Helped\n");
  };
  push_to_hub_options options;
  options.config = boost::json::object{{"a", 1}};
  const auto commit = run(push_with(*api, "net", write, options));  // a bare name
  CHECK(commit.commit_url.find("/alice/net/commit/") != std::string::npos);
  CHECK_FALSE(fs::exists(staged));
  CHECK(names() ==
        std::set<std::string>{".gitattributes", "README.md", "config.json", "model.safetensors"});
  CHECK(run(api->list_repo_commits("alice/net").all()).size() == 2);
  run(push_with(*api, "net", write, options));  // it may exist
  const fetch_pretrained_options one{.file = "model.safetensors"};
  CHECK(test::read_all(run(fetch_pretrained(*api, "alice/net", one))) == "w");
}

TEST_CASE_FIXTURE(
    guide_fixture,
    "the mixin saves, pushes by a short name and loads the same config "
    "(G2, G3, G22, G23, G24, G25, G26, G27, G30, G31, G32, G33, G43, G44, G45, G46)") {
  const auto local = folder.path() / "my-awesome-model";
  run(model.save_pretrained(*api, local));
  CHECK(test::read_all(local / "config.json") ==
        "{\n  \"size\": 128,\n  \"temperature\": 215.0,\n  \"value\": \"given\"\n}");
  run(model.push_to_hub(*api, "net"));
  CHECK(names() == std::set<std::string>{".gitattributes", "README.md", "config.json",
                                         "logs/train.log", "model.safetensors"});
  const auto loaded = run(net::from_pretrained(*api, "alice/net"));
  CHECK(loaded.config().size == 128);
  CHECK(loaded.config().value == "given");
  CHECK(run(net::from_pretrained(*api, local.string())).config().size == 128);
  CHECK(run(net().save_pretrained(*api, local)) == std::nullopt);
  CHECK(test::read_all(local / "config.json").find("\"my_value\"") != std::string::npos);
}

TEST_CASE_FIXTURE(guide_fixture, "types with coders of their own are coded by them (G48, G49)") {
  run(model.push_to_hub(*api, "net"));
  CHECK(boost::json::parse(remote("config.json")).at("temperature").to_number<double>() == 215);
  CHECK(run(net::from_pretrained(*api, "alice/net")).config().temperature.degrees == 21.5);
}

TEST_CASE_FIXTURE(guide_fixture, "loading has every parameter (G10, G11, G12, G13)") {
  push_to_hub_options options;
  options.is_private = true;
  const auto first = run(model.push_to_hub(*api, "net", options));
  auto anonymous = client_settings;
  anonymous.token = "";
  client stranger(context.get_executor(), anonymous);
  from_pretrained_options from;
  CHECK(failure_of(net::from_pretrained(stranger, "alice/net", from)).code() ==
        error_kind::repository_not_found);
  from.token = token;
  CHECK(run(net::from_pretrained(stranger, "alice/net", from)).config().size == 128);
  run(net().push_to_hub(*api, "net"));
  from.revision = first.oid;
  CHECK(run(net::from_pretrained(*api, "alice/net", from)).config().size == 128);
  from.revision = "main";
  from.cache_dir = folder.path() / "elsewhere";
  CHECK(run(net::from_pretrained(*api, "alice/net", from)).config().size == 3);
  CHECK(fs::exists(from.cache_dir / "models--alice--net"));
  hub->clear_requests();
  from.local_files_only = true;
  CHECK(run(net::from_pretrained(*api, "alice/net", from)).config().size == 3);
  CHECK(hub->requests().empty());
  from.local_files_only = false;
  from.force_download = true;
  run(net::from_pretrained(*api, "alice/net", from));
  CHECK(hub->count_requests("", "GET") > 0);
}

TEST_CASE_FIXTURE(guide_fixture, "pushing has every parameter (G9, G15, G16, G17, G18, G19, G20)") {
  push_to_hub_options options;
  options.is_private = true;
  options.commit_message = "A message";
  options.ignore_patterns = {"*.log"};
  run(model.push_to_hub(*api, "net", options));
  CHECK(run(api->repo_info("alice/net")).is_private);
  CHECK(run(api->list_repo_commits("alice/net").all())[0].title == "A message");
  CHECK_FALSE(names().contains("logs/train.log"));
  options = {};
  options.allow_patterns = {"logs/*"};
  options.delete_patterns = {"model.*"};
  run(model.push_to_hub(*api, "net", options));
  CHECK(names().contains("logs/train.log"));
  CHECK_FALSE(names().contains("model.safetensors"));
  run(api->create_branch("alice/net", "dev"));
  options = {};
  options.branch = "dev";
  run(model.push_to_hub(*api, "net", options));
  CHECK(remote("model.safetensors", "dev").size() > 8);
  CHECK_FALSE(names().contains("model.safetensors"));
  options = {};
  options.create_pr = true;
  const auto proposed = run(model.push_to_hub(*api, "net", options));
  CHECK(remote("model.safetensors", proposed.pr_revision).size() > 8);
  auto without = client_settings;
  without.token = "";
  client stranger(context.get_executor(), without);
  options = {};
  CHECK(failure_of(model.push_to_hub(stranger, "alice/net", options)).code() == errc::unauthorized);
  options.token = token;
  options.model_card_variables = {{"repo_url", "https://example.org/other"}};
  run(model.push_to_hub(stranger, "alice/net", options));
  CHECK(remote("README.md").find("https://example.org/other") != std::string::npos);
}

TEST_CASE_FIXTURE(guide_fixture,
                  "cards are made of what the class says (G29, G34, G37, G38, G39, G40)") {
  run(model.push_to_hub(*api, "net"));
  const auto card = run(load_card(*api, "alice/net"));
  CHECK(card.data().text_or("library_name") == "my-library");
  CHECK(card.data().text_or("pipeline_tag") == "text-classification");
  CHECK(card.data().text_or("license") == "apache-2.0");
  CHECK(*card.data().find("tags") ==
        card_value(std::vector<std::string>{"arxiv:2304.12244", "keras", "model_hub_mixin"}));
  CHECK(card.text().find("https://example.org/code") != std::string::npos);
  CHECK(card.text().find("https://example.org/docs") != std::string::npos);
}

TEST_CASE_FIXTURE(guide_fixture,
                  "a class has a template of its own, and changes its card (G41, G42)") {
  run(cited().push_to_hub(*api, "net"));
  const auto text = remote("README.md");
  CHECK(text.find("# my-library\n\nCite us.") != std::string::npos);
  CHECK(text.ends_with("\nMore of it.\n"));
  CHECK(text.find("metrics:\n- accuracy\n") != std::string::npos);
  CHECK(text.find("# a comment") == std::string::npos);
}

TEST_CASE_FIXTURE(guide_fixture, "downloads are counted (G50)") {
  run(model.push_to_hub(*api, "net"));
  hub->clear_requests();
  client_settings.cache_dir = folder.path() / "fresh";
  client counted(context.get_executor(), client_settings);
  run(net::from_pretrained(counted, "alice/net"));
  CHECK(hub->count_requests("/resolve/main/config.json") >= 1);
}
