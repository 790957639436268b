#include "cohub/model_hub_mixin.hpp"

#include "cohub/safetensors.hpp"
#include "cohub/safetensors_model.hpp"

#include "support/run.hpp"
#include "support/temporary_folder.hpp"

#include <boost/asio/post.hpp>
#include <doctest/doctest.h>

#include <memory>
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

/// Saves by a sink, in one file or in shards, and never asks for its config.
class sharded : public model_hub_mixin<sharded> {
 public:
  explicit sharded(float first = 1) : a{first, 2}, b{3, 4} {}
  line_config config() const { return {}; }
  static model_info hub_info() { return model_info().weight_files("model{suffix}.safetensors"); }
  void hub_save(save_sink& sink) const {
    save_state_dict_options options;
    options.max_shard_size = shard_size;
    sink.save_state_dict({tensor_of("a", {2}, a), tensor_of("b", {2}, b)}, options);
  }
  static sharded hub_load(load_context context) {
    const safetensors_model weights(context.file("model{suffix}.safetensors"));
    sharded loaded;
    loaded.a = weights.tensor("a").to_vector<float>();
    loaded.b = weights.tensor("b").to_vector<float>();
    return loaded;
  }
  std::vector<float> a, b;
  int shard_size = 1000;
};

/// An awaitable hook that is given the sink.
class awaiting_sink : public model_hub_mixin<awaiting_sink> {
 public:
  no_config config() const { return {}; }
  awaitable<void> hub_save(std::shared_ptr<save_sink> sink) const {
    co_await asio::post(co_await asio::this_coro::executor, asio::use_awaitable);
    std::vector<tensor_source> tensors;
    tensors.push_back(tensor_of("w", {2}, weights));
    sink->save_safetensors("model.safetensors", std::move(tensors));
  }
  static awaiting_sink hub_load(load_context context) {
    awaiting_sink loaded;
    loaded.weights =
        safetensors_file(context.file("model.safetensors")).tensor("w").to_vector<float>();
    return loaded;
  }
  std::vector<float> weights{1, 2};
};

/// Owned by whoever holds it last.
class owned : public model_hub_mixin<owned, std::shared_ptr<owned>>,
              public std::enable_shared_from_this<owned> {
 public:
  no_config config() const { return {}; }
  awaitable<void> hub_save(std::filesystem::path folder) const {
    co_await asio::post(co_await asio::this_coro::executor, asio::use_awaitable);
    test::write_all(folder / "w.txt", text);
  }
  static std::shared_ptr<owned> hub_load(load_context) { return std::make_shared<owned>(); }
  std::string text = "a text that is longer than what a string holds in itself";
};

/// A family: its members are made by their own names.
template <class Derived>
class family : public model_hub_mixin<Derived, Derived, family<Derived>> {
 public:
  no_config config() const { return {}; }
  void hub_save(const std::filesystem::path& folder) const { test::write_all(folder / "w", "f"); }
};
class member_of_family : public family<member_of_family> {
 public:
  static model_info hub_info() { return model_info().weight_files("w"); }
  static member_of_family hub_load(load_context context) {
    member_of_family loaded;
    loaded.text = test::read_all(context.file("w"));
    return loaded;
  }
  std::string text;
};

/// Tells what its hook was given.
class witness : public model_hub_mixin<witness> {
 public:
  explicit witness(std::optional<load_context> given = {}) : context(std::move(given)) {}
  boost::json::object config() const { return taken; }
  void hub_save(const std::filesystem::path&) const {}
  static awaitable<witness> hub_load(load_context context) {
    ++calls;
    witness loaded(context);
    loaded.taken = context.config<boost::json::object>();
    co_return loaded;
  }
  inline static int calls = 0;
  std::optional<load_context> context;
  boost::json::object taken{};
};

/// Loads by its config alone.
template <class Derived, class Config>
class configured : public model_hub_mixin<Derived, Derived, configured<Derived, Config>> {
 public:
  using config_type = Config;
  explicit configured(Config given = {}) : value(std::move(given)) {}
  const Config& config() const { return value; }
  void hub_save(const std::filesystem::path&) const {}
  static awaitable<Derived> hub_load(load_context context) {
    Derived loaded;
    loaded.value = context.config_of<Derived>();
    co_return loaded;
  }
  Config value;
};

/// A config that need not be there.
class maybe_configured : public configured<maybe_configured, std::optional<line_config>> {};

/// A config that converts itself.
struct own_config {
  int size = 1;
};
void tag_invoke(boost::json::value_from_tag, boost::json::value& into, const own_config& from) {
  into = boost::json::object{{"n", from.size}};
}
own_config tag_invoke(boost::json::value_to_tag<own_config>, const boost::json::value& from) {
  return {from.at("n").to_number<int>()};
}
class self_configured : public configured<self_configured, own_config> {};

/// Coders are given with the class, as in Python.
struct color {
  int red = 0;
};
struct color_coder {
  static boost::json::value encode(const color& value) {
    return boost::json::string(std::to_string(value.red));
  }
  static color decode(const boost::json::value& from) {
    return {std::stoi(std::string(from.as_string()))};
  }
};
struct color_config {
  color front{};
};
BOOST_DESCRIBE_STRUCT(color_config, (), (front))
class colored : public configured<colored, color_config> {
 public:
  using hub_coders = coders<color_coder>;
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

TEST_CASE_FIXTURE(mixin_fixture, "a model that was saved is loaded back (V2, V28)") {
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

TEST_CASE_FIXTURE(mixin_fixture, "a folder is found by its absolute and its relative path (V12)") {
  line_config config;
  config.slope = 2;
  const auto saved = folder.path() / "m";
  run(line(config).save_pretrained(hub, saved));
  CHECK(load<line>(saved.string()).config().slope == 2.0);
  const auto relative = std::filesystem::relative(saved);
  REQUIRE(relative.is_relative());
  CHECK(load<line>(relative.string()).config().slope == 2.0);
  run(line().save_pretrained(hub, relative));
  CHECK_FALSE(load<line>(saved.string()).config().slope);
}

TEST_CASE_FIXTURE(mixin_fixture, "a class without config is given none (V5)") {
  run(witness().save_pretrained(hub, folder.path() / "m"));
  CHECK_FALSE(std::filesystem::exists(folder.path() / "m" / "config.json"));
  const auto loaded = load<witness>((folder.path() / "m").string());
  CHECK_FALSE(loaded.context->config_object());
  CHECK(loaded.taken.empty());
}

TEST_CASE_FIXTURE(mixin_fixture, "a config that was saved reaches the hook (V6, V7)") {
  witness model;
  model.taken = {{"something", "else"}};
  run(model.save_pretrained(hub, folder.path() / "m"));
  const auto loaded = load<witness>((folder.path() / "m").string());
  REQUIRE(loaded.context->config_object());
  CHECK(loaded.taken == model.taken);
  CHECK(loaded.config() == model.config());
}

TEST_CASE_FIXTURE(mixin_fixture, "without the flag nothing is pushed (V8)") {
  save_pretrained_options options;
  options.repo_id = "alice/m";  // the client's endpoint cannot be reached
  CHECK_FALSE(run(line().save_pretrained(hub, folder.path() / "m", options)));
}

TEST_CASE_FIXTURE(mixin_fixture,
                  "the hook is called once, with all that was asked for (V10, V11)") {
  run(witness().save_pretrained(hub, folder.path() / "m"));
  witness::calls = 0;
  from_pretrained_options options;
  options.revision = "123456789";
  options.extra = {{"strict", false}};
  const auto loaded = load<witness>((folder.path() / "m").string(), options);
  CHECK(witness::calls == 1);
  const auto& given = *loaded.context;
  CHECK(given.model_id() == (folder.path() / "m").string());
  CHECK(given.options().revision == "123456789");
  CHECK(given.options().cache_dir.empty());
  CHECK_FALSE(given.options().force_download);
  CHECK_FALSE(given.options().local_files_only);
  CHECK_FALSE(given.options().token);
  CHECK(given.options().extra == options.extra);
}

TEST_CASE_FIXTURE(mixin_fixture, "an override that is taken is saved again (V21)") {
  const auto saved = folder.path() / "m";
  run(line().save_pretrained(hub, saved));
  from_pretrained_options options;
  options.config_overrides["name"] = "other";
  const auto loaded = load<line>(saved.string(), options);
  std::filesystem::remove(saved / "config.json");
  run(loaded.save_pretrained(hub, saved));
  CHECK(test::read_all(saved / "config.json") == "{\n  \"name\": \"other\",\n  \"slope\": null\n}");
}

TEST_CASE_FIXTURE(mixin_fixture, "an unknown override is refused by a hook that never asks, too") {
  const auto saved = folder.path() / "m";
  run(sharded().save_pretrained(hub, saved));
  from_pretrained_options options;
  options.config_overrides["width"] = 1;
  CHECK_THROWS_WITH_AS(load<sharded>(saved.string(), options), doctest::Contains("\"width\""),
                       error);
}

TEST_CASE_FIXTURE(mixin_fixture, "weights are what was saved last, in one file or in shards") {
  const auto saved = folder.path() / "m";
  sharded model(1);
  for (int round = 0; round < 4; ++round) {
    CAPTURE(round);
    model.a[0] = static_cast<float>(10 + round);
    model.shard_size = round % 2 == 0 ? 1000 : 8;
    run(model.save_pretrained(hub, saved));
    CHECK(load<sharded>(saved.string()).a == model.a);
    CHECK(safetensors_model(saved).tensor("a").to_vector<float>() == model.a);
    CHECK(std::filesystem::exists(saved / "model.safetensors") == (round % 2 == 0));
    CHECK(std::filesystem::exists(saved / "model.safetensors.index.json") == (round % 2 == 1));
    CHECK(names(saved).size() == (round % 2 == 0 ? 3 : 5));
  }
}

TEST_CASE_FIXTURE(mixin_fixture, "an awaitable hook may hand its weights to a sink") {
  awaiting_sink model;
  model.weights = {5, 6};
  run(model.save_pretrained(hub, folder.path() / "m"));
  CHECK(load<awaiting_sink>((folder.path() / "m").string()).weights == model.weights);
}

TEST_CASE_FIXTURE(mixin_fixture, "a shared model lives as long as its operation") {
  auto model = std::make_shared<owned>();
  const std::weak_ptr<owned> watched = model;
  auto saving = model->save_pretrained(hub, folder.path() / "m");
  model.reset();
  CHECK_FALSE(watched.expired());
  run(std::move(saving));
  CHECK(test::read_all(folder.path() / "m" / "w.txt") == owned().text);
  CHECK(watched.expired());
}

TEST_CASE_FIXTURE(mixin_fixture, "a family passes the class on to the mixin") {
  run(member_of_family().save_pretrained(hub, folder.path() / "m"));
  CHECK(load<member_of_family>((folder.path() / "m").string()).text == "f");
}

TEST_CASE_FIXTURE(mixin_fixture, "a card is edited by a function where the class cannot be") {
  save_pretrained_options options;
  options.edit_card = [](model_card& card) { card.data()["license"] = "apache-2.0"; };
  run(line().save_pretrained(hub, folder.path() / "m", options));
  const auto card = model_card::load(folder.path() / "m" / "README.md");
  CHECK(card.data().text_or("license") == "apache-2.0");
  CHECK(card.data().text_or("library_name") == "lines");
}

TEST_CASE_FIXTURE(mixin_fixture, "a config may be optional (V3, V13, G45)") {
  const auto folder_of_model = (folder.path() / "m").string();
  maybe_configured model;
  run(model.save_pretrained(hub, folder_of_model));
  CHECK_FALSE(std::filesystem::exists(folder.path() / "m" / "config.json"));
  CHECK_FALSE(load<maybe_configured>(folder_of_model).value);
  from_pretrained_options options;
  options.config_overrides["name"] = "given";
  CHECK(load<maybe_configured>(folder_of_model, options).value->name == "given");
  model.value = line_config{"mine", 2.0};
  run(model.save_pretrained(hub, folder_of_model));
  CHECK(load<maybe_configured>(folder_of_model).value->slope == 2.0);
  options.config_overrides["no such"] = 1;
  CHECK_THROWS_AS(load<maybe_configured>(folder_of_model, options), error);
}

TEST_CASE_FIXTURE(mixin_fixture, "a config may convert itself (V24)") {
  const auto folder_of_model = (folder.path() / "m").string();
  self_configured model;
  model.value.size = 7;
  run(model.save_pretrained(hub, folder_of_model));
  CHECK(test::read_all(folder.path() / "m" / "config.json") == "{\n  \"n\": 7\n}");
  CHECK(load<self_configured>(folder_of_model).value.size == 7);
  std::filesystem::remove(folder.path() / "m" / "config.json");
  CHECK(load<self_configured>(folder_of_model).value.size == 1);
}

TEST_CASE_FIXTURE(mixin_fixture, "coders may be given with the model class (G48)") {
  const auto folder_of_model = (folder.path() / "m").string();
  colored model;
  model.value.front.red = 200;
  run(model.save_pretrained(hub, folder_of_model));
  CHECK(test::read_all(folder.path() / "m" / "config.json") == "{\n  \"front\": \"200\"\n}");
  CHECK(load<colored>(folder_of_model).value.front.red == 200);
}

TEST_CASE_FIXTURE(mixin_fixture, "an override that no member takes is refused before files are") {
  // The weights are missing, which nobody gets to see.
  std::filesystem::create_directories(folder.path() / "m");
  from_pretrained_options options;
  options.config_overrides["no such"] = 1;
  CHECK_THROWS_WITH_AS(load<line>((folder.path() / "m").string(), options),
                       doctest::Contains("\"no such\" is no member"), error);
}
