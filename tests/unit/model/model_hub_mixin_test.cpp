#include "cohub/model_hub_mixin.hpp"

#include "cohub/safetensors.hpp"

#include "support/run.hpp"
#include "support/temporary_folder.hpp"

#include <doctest/doctest.h>

#include <set>
#include <thread>

using namespace cohub;

namespace {

struct line_config {
  std::string name = "line";
  std::optional<double> slope{};
};
BOOST_DESCRIBE_STRUCT(line_config, (), (name, slope))

/// Plain hooks.
class line : public model_hub_mixin<line> {
 public:
  explicit line(line_config config = {}, std::vector<float> weights = {1, 2})
      : config_(std::move(config)), weights_(std::move(weights)) {}
  const line_config& config() const { return config_; }
  const std::vector<float>& weights() const { return weights_; }
  std::thread::id thread() const { return thread_; }

  static model_info hub_info() {
    return model_info().library_name("lines").tags("z", "a").license("mit");
  }
  void hub_save(const std::filesystem::path& folder) const {
    save_safetensors(folder / "model.safetensors", {tensor_of("w", {weights_.size()}, weights_)});
  }
  static line hub_load(load_context context) {
    line loaded(context.config<line_config>(),
                safetensors_file(context.file("model.safetensors")).tensor("w").to_vector<float>());
    loaded.thread_ = std::this_thread::get_id();
    return loaded;
  }

 private:
  line_config config_;
  std::vector<float> weights_;
  std::thread::id thread_{};
};

/// Awaitable hooks, a shared handle, no config, a card of its own.
class shared_line : public model_hub_mixin<shared_line, std::shared_ptr<shared_line>> {
 public:
  shared_line() = default;
  shared_line(shared_line&&) = delete;
  no_config config() const { return {}; }
  awaitable<void> hub_save(std::filesystem::path folder) const {
    test::write_all(folder / "weights" / "w.txt", "7");
    test::write_all(folder / "config.json", "{\"own\": 1}");
    co_return;
  }
  static awaitable<std::shared_ptr<shared_line>> hub_load(load_context context) {
    auto fetching = context.download("weights/w.txt");
    const auto path = co_await std::move(fetching);
    auto loaded = std::make_shared<shared_line>();
    loaded->text = test::read_all(path);
    co_return loaded;
  }
  model_card generate_model_card(template_variables variables = {}) const {
    auto card = model_hub_mixin::generate_model_card(std::move(variables));
    card.data()["metrics"] = card_list{"abs_rel"};
    card.text() += "\n## Notes\n";
    return card;
  }
  std::string text;
};

/// Declares nothing.
class bare : public model_hub_mixin<bare> {
 public:
  no_config config() const { return {}; }
  void hub_save(const std::filesystem::path&) const {}
  static bare hub_load(load_context) { return {}; }
};

struct mixin_fixture {
  test::temporary_folder folder;
  asio::io_context context{1};
  client hub = make_client();

  client make_client() {
    client_config config;
    config.endpoint = "http://127.0.0.1:1";  // nothing here needs it
    config.token = "";
    config.cache_dir = folder.path() / "cache";
    return client(context.get_executor(), config);
  }
  template <class T>
  T run(awaitable<T> operation) {
    return test::run(context, std::move(operation));
  }
  template <class Model>
  auto load(std::string path, from_pretrained_options options = {}) {
    return run(Model::from_pretrained(hub, std::move(path), options));
  }

  static std::set<std::string> names(const std::filesystem::path& in) {
    std::set<std::string> result;
    for (const auto& item : std::filesystem::directory_iterator(in))
      result.insert(item.path().filename());
    return result;
  }
};

}  // namespace

TEST_CASE_FIXTURE(mixin_fixture, "a model that was saved is loaded back (V2, V12, V28)") {
  line_config config;
  config.slope = 0.5;
  const line model(config, {3, 4, 5});
  const auto saved = folder.path() / "m";
  CHECK_FALSE(run(model.save_pretrained(hub, saved)));
  CHECK(names(saved) == std::set<std::string>{"README.md", "config.json", "model.safetensors"});
  CHECK(test::read_all(saved / "config.json") == "{\n  \"name\": \"line\",\n  \"slope\": 0.5\n}");
  const auto loaded = load<line>(saved.string());
  CHECK(loaded.weights() == model.weights());
  CHECK(loaded.config().slope == 0.5);
  CHECK(loaded.thread() != std::this_thread::get_id());
}

TEST_CASE_FIXTURE(mixin_fixture,
                  "a class without config leaves no config.json, and removes an old one (V1)") {
  const bare model;
  test::write_all(folder.path() / "m" / "config.json", "{\"old\": 1}");
  run(model.save_pretrained(hub, folder.path() / "m"));
  CHECK(names(folder.path() / "m") == std::set<std::string>{"README.md"});
}

TEST_CASE_FIXTURE(mixin_fixture,
                  "a legacy config.json is replaced, a README.md and other files stay (V15)") {
  const auto saved = folder.path() / "m";
  test::write_all(saved / "config.json", "{\"something_legacy\": 123}");
  test::write_all(saved / "README.md", "mine");
  test::write_all(saved / "notes.txt", "notes");
  run(line().save_pretrained(hub, saved));
  CHECK(test::read_all(saved / "config.json") == "{\n  \"name\": \"line\",\n  \"slope\": null\n}");
  CHECK(test::read_all(saved / "README.md") == "mine");
  CHECK(test::read_all(saved / "notes.txt") == "notes");
}

TEST_CASE_FIXTURE(mixin_fixture,
                  "a config given to save replaces the model's, an empty one is written (V4)") {
  const auto saved = folder.path() / "m";
  save_pretrained_options options;
  options.config = boost::json::object{{"foo", 20}};
  run(line().save_pretrained(hub, saved, options));
  CHECK(test::read_all(saved / "config.json") == "{\n  \"foo\": 20\n}");
  options.config = boost::json::object();
  run(line().save_pretrained(hub, saved, options));
  CHECK(test::read_all(saved / "config.json") == "{}");
}

TEST_CASE_FIXTURE(mixin_fixture,
                  "awaitable hooks, their own config.json and a shadowed card (V14)") {
  const auto saved = folder.path() / "m";
  const shared_line model;
  run(model.save_pretrained(hub, saved));
  CHECK(test::read_all(saved / "config.json") == "{\"own\": 1}");
  CHECK(names(saved) == std::set<std::string>{"README.md", "config.json", "weights"});
  const auto card = model_card::load(saved / "README.md");
  CHECK(card.data().find("metrics")->as_list() == card_list{"abs_rel"});
  CHECK(card.text().ends_with("\n## Notes\n"));
  CHECK(load<shared_line>(saved.string())->text == "7");
}

TEST_CASE_FIXTURE(mixin_fixture, "overrides are laid over the config, and unknown ones refused") {
  const auto saved = folder.path() / "m";
  run(line().save_pretrained(hub, saved));
  from_pretrained_options options;
  options.config_overrides["name"] = "other";
  CHECK(load<line>(saved.string(), options).config().name == "other");
  options.config_overrides["width"] = 1;
  CHECK_THROWS_WITH_AS(load<line>(saved.string(), options), doctest::Contains("\"width\""), error);
}

TEST_CASE_FIXTURE(mixin_fixture,
                  "a folder without config.json gives the defaults, one without weights an error") {
  const auto saved = folder.path() / "m";
  run(line({}, {9}).save_pretrained(hub, saved));
  std::filesystem::remove(saved / "config.json");
  CHECK(load<line>(saved.string()).config().name == "line");
  test::write_all(saved / "config.json", "{\"slope\": \"steep\"}");
  CHECK_THROWS_WITH_AS(load<line>(saved.string()), doctest::Contains("config.slope"), error);
  std::filesystem::remove(saved / "model.safetensors");
  try {
    load<line>(saved.string());
    FAIL("loaded");
  } catch (const error& failure) {
    CHECK(failure.code() == errc::entry_not_found);
  }
}

TEST_CASE_FIXTURE(mixin_fixture, "a hook that fails leaves the folder as it was") {
  struct broken : model_hub_mixin<broken> {
    no_config config() const { return {}; }
    void hub_save(const std::filesystem::path& to) const {
      test::write_all(to / "model.safetensors", "half");
      throw std::runtime_error("the disk of the hook is full");
    }
    static broken hub_load(load_context) { return {}; }
  };
  const auto saved = folder.path() / "m";
  test::write_all(saved / "model.safetensors", "old");
  const broken model;
  CHECK_THROWS_WITH(run(model.save_pretrained(hub, saved)), "the disk of the hook is full");
  CHECK(test::read_all(saved / "model.safetensors") == "old");
}

TEST_CASE_FIXTURE(mixin_fixture,
                  "a pull request against another branch is refused before any request") {
  push_to_hub_options options;
  options.create_pr = true;
  options.branch = "dev";
  try {
    run(line().push_to_hub(hub, "alice/m", options));
    FAIL("pushed");
  } catch (const error& failure) {
    CHECK(failure.code() == errc::invalid_argument);
  }
}

TEST_CASE("the card of a class that declares nothing (V110)") {
  const auto text = bare().generate_model_card().content();
  CHECK(text.starts_with("---\ntags:\n- model_hub_mixin\n---\n\n"));
  std::size_t count = 0;
  for (auto i = text.find("[More Information Needed]"); i != text.npos;
       i = text.find("[More Information Needed]", i + 1))
    ++count;
  CHECK(count == 3);
  CHECK_FALSE(text.ends_with("\n"));
}

TEST_CASE("the card of a class bears its info, the tags sorted (V32, V33, V34)") {
  const auto card = line().generate_model_card({{"repo_url", "https://example.org/code"}});
  CHECK(card.data().text_or("library_name") == "lines");
  CHECK(card.data().find("tags")->as_list() == card_list{"a", "model_hub_mixin", "z"});
  CHECK(card.text().find("- Code: https://example.org/code\n") != std::string::npos);
}
