// What a push of a model leaves on the Hub: its weights and no others, and nothing when it fails.

#include "cohub/model_hub_mixin.hpp"
#include "cohub/safetensors_model.hpp"
#include "cohub/safetensors_source.hpp"

#include "support/client_fixture.hpp"

#include <boost/asio/post.hpp>
#include <doctest/doctest.h>

#include <atomic>
#include <cstdlib>
#include <optional>
#include <set>
#include <thread>
#include <vector>

using namespace cohub;
namespace fs = std::filesystem;

namespace {

/// Weights in one file or in shards, by whichever hook.
template <class Derived>
class two_tensors : public model_hub_mixin<Derived, Derived, two_tensors<Derived>> {
 public:
  no_config config() const { return {}; }
  static model_info hub_info() { return model_info().weight_files("model{suffix}.safetensors"); }
  static Derived hub_load(load_context context) {
    const safetensors_model weights(context.file("model{suffix}.safetensors"));
    Derived loaded;
    loaded.a = weights.tensor("a").template to_vector<float>();
    loaded.b = weights.tensor("b").template to_vector<float>();
    return loaded;
  }
  save_state_dict_options how() const {
    save_state_dict_options options;
    options.max_shard_size = shard_size;
    options.is_main_process = main_process;
    return options;
  }
  std::vector<tensor_source> tensors() const {
    std::vector<tensor_source> result;
    result.push_back(tensor_of("a", {2}, a));
    result.push_back(tensor_of("b", {2}, b));
    return result;
  }
  std::vector<float> a{1, 2}, b{3, 4};
  int shard_size = 1000;
  bool main_process = true;
};

class written : public two_tensors<written> {
 public:
  void hub_save(const fs::path& folder) const {
    const auto options = how();
    save_state_dict(folder, tensors(), options);
  }
};

class streamed : public two_tensors<streamed> {
 public:
  void hub_save(save_sink& sink) const {
    const auto options = how();
    sink.save_state_dict(tensors(), options);
  }
};

/// Tells how its tensors are made.
class produced : public model_hub_mixin<produced> {
 public:
  no_config config() const { return {}; }
  void hub_save(save_sink& sink) const {
    test::write_all(sink.folder() / "staged-by-test", "staged");
    std::vector<tensor_source> tensors;
    for (int i = 0; i < 4; ++i) {
      tensor_source tensor;
      tensor.name = "t" + std::to_string(i);
      tensor.shape = {2};
      tensor.content = [this, i](const tensor_sink& out) {
        on_tensor(i);
        const std::vector<float> values(2, static_cast<float>(i));
        out(std::as_bytes(std::span(values)));
      };
      tensors.push_back(std::move(tensor));
    }
    sink.save_safetensors(name, std::move(tensors));
  }
  static produced hub_load(load_context) { return {}; }
  std::function<void(int)> on_tensor = [](int) {};
  std::string name = "model.safetensors";
};

/// Has as many tensors as it is told, listed as its members.
struct counted_config {
  int tensors = 0;
};
BOOST_DESCRIBE_STRUCT(counted_config, (), (tensors))

class listed : public model_hub_mixin<listed> {
 public:
  explicit listed(counted_config config = {}) : config_(config), values(config.tensors, 7.0f) {}
  const counted_config& config() const { return config_; }
  static tensor_list hub_tensors(auto& self) {
    tensor_list list;
    std::span all(self.values);
    for (std::size_t i = 0; i < all.size(); ++i) {
      auto one = all.subspan(i, 1);
      list.add("t" + std::to_string(i), one);
    }
    return list;
  }

 private:
  counted_config config_;

 public:
  std::vector<float> values;
};

/// Hands over one file, and writes or hands over another.
class twice : public model_hub_mixin<twice> {
 public:
  no_config config() const { return {}; }
  void hub_save(save_sink& sink) const {
    sink.save_safetensors(name, {tensor_of("w", {2}, values)});
    if (writes)
      test::write_all(sink.folder() / name, "mine");
    else
      sink.save_safetensors(name, {tensor_of("v", {2}, values)});
  }
  static twice hub_load(load_context) { return {}; }
  std::string name = "model.safetensors";
  bool writes = false;
  std::vector<float> values{1, 2};
};

/// Has temporary files made in a folder of its own, where nobody else's are counted.
struct own_temporary_files {
  own_temporary_files() {
    if (const char* value = std::getenv("TMPDIR")) usual_folder.emplace(value);
    ::setenv("TMPDIR", temporary.path().c_str(), 1);
  }
  own_temporary_files(own_temporary_files&&) = delete;
  ~own_temporary_files() {
    if (usual_folder)
      ::setenv("TMPDIR", usual_folder->c_str(), 1);
    else
      ::unsetenv("TMPDIR");
  }

  test::temporary_folder temporary;
  std::optional<std::string> usual_folder{};
};

struct push_fixture : own_temporary_files, test::client_fixture {
  std::set<std::string> remote_names(const std::string& repo) {
    std::set<std::string> names;
    for (auto& path : run(api->list_repo_files(repo).all())) names.insert(std::move(path));
    names.erase(".gitattributes");
    return names;
  }
  std::size_t commits(const std::string& repo) {
    return run(api->list_repo_commits(repo).all()).size();
  }
  /// Folders in which pushes of `produced` were put together; counted when the pool is done.
  std::size_t staging_folders() {
    api.reset();
    std::size_t count = 0;
    for (const auto& item : fs::directory_iterator(temporary.path()))
      if (item.path().filename().string().starts_with("cohub-") &&
          fs::exists(item.path() / "staged-by-test"))
        ++count;
    return count;
  }

  template <class Model>
  void push_by_turns() {
    Model model;
    for (int round = 0; round < 4; ++round) {
      CAPTURE(round);
      model.a[0] = static_cast<float>(10 + round);
      model.shard_size = round % 2 == 0 ? 1000 : 8;
      const auto before = round == 0 ? 1 : commits("alice/m");
      run(model.push_to_hub(*api, "alice/m"));
      CHECK(commits("alice/m") == before + 1);
      const std::set<std::string> single{"README.md", "model.safetensors"};
      const std::set<std::string> shards{"README.md", "model.safetensors.index.json",
                                         "model-00001-of-00002.safetensors",
                                         "model-00002-of-00002.safetensors"};
      CHECK(remote_names("alice/m") == (round % 2 == 0 ? single : shards));
      CHECK(run(Model::from_pretrained(*api, "alice/m")).a == model.a);
    }
  }
};

}  // namespace

TEST_CASE_FIXTURE(push_fixture, "the Hub has what was pushed last, in one file or in shards") {
  SUBCASE("written") { push_by_turns<written>(); }
  SUBCASE("streamed") { push_by_turns<streamed>(); }
}

TEST_CASE_FIXTURE(push_fixture, "saving with push replaces weights on both sides") {
  written model;
  save_pretrained_options options;
  options.push_to_hub = true;
  options.repo_id = "alice/m";
  for (const int size : {8, 1000}) {
    model.shard_size = size;
    run(model.save_pretrained(*api, folder.path() / "m", options));
  }
  CHECK(remote_names("alice/m") == std::set<std::string>{"README.md", "model.safetensors"});
  CHECK_FALSE(fs::exists(folder.path() / "m" / "model-00001-of-00002.safetensors"));
}

TEST_CASE_FIXTURE(push_fixture, "weights that a push leaves out stay, and so do other files") {
  written model;
  model.shard_size = 8;
  run(model.push_to_hub(*api, "alice/m"));
  put_file("alice/m", "adapter.safetensors", "other");
  const auto before = remote_names("alice/m");
  push_to_hub_options options;
  options.ignore_patterns = {"*.safetensors", "*.json"};
  model.shard_size = 1000;
  run(model.push_to_hub(*api, "alice/m", options));
  CHECK(remote_names("alice/m") == before);
  run(model.push_to_hub(*api, "alice/m"));
  CHECK(remote_names("alice/m") ==
        std::set<std::string>{"README.md", "adapter.safetensors", "model.safetensors"});
}

TEST_CASE_FIXTURE(push_fixture, "a commit tells which repository it was made in") {
  for (int round = 0; round < 2; ++round) {  // then without a change
    const auto commit = run(written().push_to_hub(*api, "m"));
    CHECK(commit.unchanged == (round == 1));
    CHECK(commit.repo_id == "alice/m");
    CHECK(commit.repo_url == api->endpoint() + "/alice/m");
  }
}

TEST_CASE_FIXTURE(push_fixture, "a push of a part of a model leaves the other parts") {
  const auto check = [&](auto model) {
    model.shard_size = 8;
    run(model.push_to_hub(*api, "alice/m"));
    const auto before = remote_names("alice/m");
    CHECK(before.size() == 4);
    push_to_hub_options options;
    SUBCASE("no weights") { options.ignore_patterns = {"*.safetensors"}; }
    SUBCASE("an index alone") {
      options.allow_patterns = std::vector<std::string>{"*.json", "*.md"};
    }
    SUBCASE("shards alone") { options.allow_patterns = std::vector<std::string>{"*.safetensors"}; }
    SUBCASE("one shard") { options.allow_patterns = std::vector<std::string>{"*-00001-of-*"}; }
    model.a[0] = 5;
    model.b[0] = 6;
    run(model.push_to_hub(*api, "alice/m", options));
    CHECK(remote_names("alice/m") == before);
  };
  SUBCASE("written") { check(written()); }
  SUBCASE("streamed") { check(streamed()); }
}

TEST_CASE_FIXTURE(push_fixture, "processes that push a shard each leave those of the others") {
  run(written().push_to_hub(*api, "alice/m"));
  for (int rank = 1; rank <= 3; ++rank) {
    produced model;
    model.name = "model-0000" + std::to_string(rank) + "-of-00003.safetensors";
    run(model.push_to_hub(*api, "alice/m"));
  }
  CHECK(remote_names("alice/m") == std::set<std::string>{"README.md", "staged-by-test",
                                                         "model-00001-of-00003.safetensors",
                                                         "model-00002-of-00003.safetensors",
                                                         "model-00003-of-00003.safetensors"});
}

TEST_CASE_FIXTURE(push_fixture, "a process that is not the main one removes nothing") {
  const auto saved = folder.path() / "m";
  streamed model;
  run(model.save_pretrained(*api, saved));
  run(model.push_to_hub(*api, "alice/m"));
  model.main_process = false;
  model.shard_size = 8;
  run(model.save_pretrained(*api, saved));
  run(model.push_to_hub(*api, "alice/m"));
  CHECK(fs::exists(saved / "model.safetensors"));
  CHECK(remote_names("alice/m").contains("model.safetensors"));
  model.main_process = true;
  run(model.save_pretrained(*api, saved));
  run(model.push_to_hub(*api, "alice/m"));
  CHECK_FALSE(fs::exists(saved / "model.safetensors"));
  CHECK_FALSE(remote_names("alice/m").contains("model.safetensors"));
}

TEST_CASE_FIXTURE(push_fixture, "a push lists the folders of its weights, and no others") {
  produced model;
  model.name = "deep/model.safetensors";
  put_file("alice/m", "deep/model-00001-of-00001.safetensors", "old");
  put_file("alice/m", "model-00001-of-00001.safetensors", "other");
  hub->clear_requests();
  run(model.push_to_hub(*api, "alice/m"));
  CHECK(hub->count_requests("/tree/", "GET") == 1);
  CHECK(hub->count_requests("/tree/main/deep", "GET") == 1);
  CHECK(remote_names("alice/m") == std::set<std::string>{"README.md", "deep/model.safetensors",
                                                         "staged-by-test",
                                                         "model-00001-of-00001.safetensors"});
  model.name = "new/model.safetensors";
  run(model.push_to_hub(*api, "alice/m"));
  CHECK(remote_names("alice/m").contains("new/model.safetensors"));
}

TEST_CASE_FIXTURE(push_fixture, "weights are not saved where they do not belong") {
  for (const std::string& name : {std::string("../model.safetensors"),
                                  std::string((folder.path() / "model.safetensors").string())}) {
    CAPTURE(name);
    produced model;
    model.name = name;
    CHECK_THROWS_WITH_AS(run(model.save_pretrained(*api, folder.path() / "m")),
                         doctest::Contains("saving tensors as"), error);
    CHECK_FALSE(fs::exists(folder.path() / "model.safetensors"));
  }
}

TEST_CASE_FIXTURE(push_fixture, "a model that cannot be described leaves no repository") {
  bool asked_for_weights = false;
  const std::function<void(const fs::path&)> write = [&](const fs::path&) {
    asked_for_weights = true;
  };
  push_to_hub_options options;
  options.config = boost::json::object{{"name", "\xff"}};
  CHECK_THROWS_AS(run(push_with(*api, "alice/new", write, options)), error);
  CHECK_FALSE(asked_for_weights);
  const bool exists = run(api->repo_exists("alice/new"));
  CHECK_FALSE(exists);
}

/// By a thread of its own: what a thread of the pool posts itself may come behind the next tensor.
static void post_as_another(asio::any_io_executor pool, std::function<void()> work) {
  std::thread([&] { asio::post(pool, work); }).join();
}

TEST_CASE_FIXTURE(push_fixture, "a save leaves the pool to others between tensors") {
  client_settings.blocking_threads = 1;
  connect();
  bool others_had_a_turn = false;
  produced model;
  model.on_tensor = [&](int i) {
    if (i == 1) post_as_another(api->blocking_executor(), [&] { others_had_a_turn = true; });
    if (i == 2) CHECK(others_had_a_turn);
  };
  run(model.save_pretrained(*api, folder.path() / "m"));
  CHECK(others_had_a_turn);
}

TEST_CASE_FIXTURE(push_fixture, "a card that shall stay does, whatever is deleted") {
  put_file("alice/m", "README.md", "mine");
  put_file("alice/m", "old.txt", "old");
  push_to_hub_options options;
  options.keep_remote_card = true;
  options.delete_patterns = {"*"};
  run(written().push_to_hub(*api, "alice/m", options));
  CHECK(remote_names("alice/m") == std::set<std::string>{"README.md", "model.safetensors"});
  CHECK(test::read_all(run(api->download_file("alice/m", "README.md"))) == "mine");
}

TEST_CASE_FIXTURE(push_fixture, "a card is edited by a function of the call") {
  push_to_hub_options options;
  options.edit_card = [](model_card& card) { card.text() += "\nEdited.\n"; };
  run(written().push_to_hub(*api, "alice/m", options));
  const auto text = test::read_all(run(api->download_file("alice/m", "README.md")));
  CHECK(text.ends_with("\nEdited.\n"));
  CHECK(text.find("model_hub_mixin") != std::string::npos);
  const std::function<void(const fs::path&)> write = [](const fs::path& to) {
    test::write_all(to / "w.txt", "w");
  };
  run(push_with(*api, "alice/helped", write, options));
  CHECK(test::read_all(run(api->download_file("alice/helped", "README.md"))) == "\nEdited.\n");
}

TEST_CASE_FIXTURE(push_fixture, "tensors are made by the pool, and leave it to others in between") {
  client_settings.blocking_threads = 1;
  connect();
  std::thread::id pool_thread;
  bool others_had_a_turn = false;
  std::vector<std::thread::id> makers;
  produced model;
  model.on_tensor = [&](int i) {
    makers.push_back(std::this_thread::get_id());
    if (i == 1)
      post_as_another(api->blocking_executor(), [&] {
        others_had_a_turn = true;
        pool_thread = std::this_thread::get_id();
      });
    if (i == 2) CHECK(others_had_a_turn);
  };
  run(model.push_to_hub(*api, "alice/m"));
  CHECK(makers == std::vector<std::thread::id>(4, pool_thread));
}

TEST_CASE_FIXTURE(push_fixture, "a push that is cancelled while tensors are made ends there") {
  run(api->create_repo("alice/m"));
  std::atomic<int> made = 0;
  std::atomic<bool> cancelled = false;
  produced model;
  model.on_tensor = [&](int) {
    ++made;
    // The tensor is done when the cancellation is on its way: nobody waits for the one after it.
    while (!cancelled) std::this_thread::yield();
  };
  const auto outcome = test::run_and_cancel(context, model.push_to_hub(*api, "alice/m"), [&] {
    if (made == 0) return false;
    asio::post(context, [&] { cancelled = true; });
    return true;
  });
  CHECK(outcome == asio::error::operation_aborted);
  CHECK(made == 1);
  CHECK(commits("alice/m") == 1);
  CHECK(staging_folders() == 0);
}

TEST_CASE_FIXTURE(push_fixture, "a source that is given up half-way does not block") {
  std::vector<float> values(3'000'000);
  std::vector<tensor_source> tensors;
  tensors.push_back(tensor_of("w", {values.size()}, values));
  auto source = safetensors_source(api->blocking_executor(), std::move(tensors));
  std::vector<std::byte> buffer(100);
  CHECK(run(source->read(buffer)) == 100);
  source.reset();
}

TEST_CASE_FIXTURE(push_fixture, "a source is read by whoever asks, to the byte") {
  const std::vector<float> values(2'000'000, 7.0f);
  const auto make = [&] {
    std::vector<tensor_source> tensors;
    tensors.push_back(tensor_of("w", {values.size()}, values));
    tensor_source made;
    made.name = "v";
    made.shape = {3};
    made.content = [&](const tensor_sink& out) { out(std::as_bytes(std::span(values).first(3))); };
    tensors.push_back(std::move(made));
    return tensors;
  };
  save_safetensors(folder.path() / "w.safetensors", make());
  const auto source = safetensors_source(api->blocking_executor(), make());
  std::string read;
  std::vector<std::byte> buffer(1'000'000);
  for (std::size_t count = 1; count > 0;) {
    count = run(source->read(buffer));
    read.append(reinterpret_cast<const char*>(buffer.data()), count);
  }
  CHECK(read == test::read_all(folder.path() / "w.safetensors"));
}

TEST_CASE_FIXTURE(push_fixture, "a push that is cancelled half-way leaves no commit") {
  run(api->create_repo("alice/m"));
  hub_fault stall;
  stall.method = "POST";
  stall.path_part = "/commit/";
  stall.stall = true;
  hub->inject(stall);
  hub->clear_requests();
  const produced model;
  const auto outcome = test::run_and_cancel(context, model.push_to_hub(*api, "alice/m"), [&] {
    return hub->count_requests("/commit/", "POST") > 0;
  });
  CHECK(outcome == asio::error::operation_aborted);
  hub->clear_faults();
  CHECK(commits("alice/m") == 1);
  CHECK(remote_names("alice/m").empty());
  CHECK(staging_folders() == 0);
}

TEST_CASE_FIXTURE(push_fixture, "a save that is cancelled before it publishes changes nothing") {
  const auto saved = folder.path() / "m";
  test::write_all(saved / "model.safetensors", "old");
  std::atomic<bool> editing = false, cancelled = false;
  save_pretrained_options options;
  options.edit_card = [&](model_card&) {
    editing = true;
    while (!cancelled) std::this_thread::yield();
  };
  const auto outcome =
      test::run_and_cancel(context, written().save_pretrained(*api, saved, options), [&] {
        if (!editing) return false;
        asio::post(context, [&] { cancelled = true; });
        return true;
      });
  CHECK(outcome == asio::error::operation_aborted);
  api.reset();  // ends the pool, and with it the removal of what was staged
  CHECK(test::read_all(saved / "model.safetensors") == "old");
  CHECK(std::distance(fs::directory_iterator(saved), fs::directory_iterator()) == 1);
}

TEST_CASE_FIXTURE(push_fixture,
                  "a save is published as a whole or not at all, whenever cancelled") {
  written model;
  for (int handlers = 1; handlers < 40; ++handlers) {
    CAPTURE(handlers);
    const auto saved = folder.path() / std::to_string(handlers);
    model.a[0] = static_cast<float>(handlers);
    int seen = 0;
    const auto outcome = test::run_and_cancel(context, model.save_pretrained(*api, saved),
                                              [&] { return ++seen >= handlers; });
    if (fs::exists(saved / "model.safetensors")) {
      CHECK(fs::exists(saved / "README.md"));
      CHECK(run(written::from_pretrained(*api, saved.string())).a == model.a);
    } else {
      CHECK(outcome == asio::error::operation_aborted);
    }
  }
}

TEST_CASE_FIXTURE(push_fixture, "a model without tensors is loaded again, too") {
  const auto saved = folder.path() / "m";
  for (const int tensors : {2, 0}) {
    CAPTURE(tensors);
    const listed model(counted_config{tensors});
    run(model.save_pretrained(*api, saved));
    run(model.push_to_hub(*api, "alice/m"));
    CHECK(remote_names("alice/m") ==
          std::set<std::string>{"README.md", "config.json", "model.safetensors"});
    CHECK(run(listed::from_pretrained(*api, saved.string())).values == model.values);
    CHECK(run(listed::from_pretrained(*api, "alice/m")).values == model.values);
  }
}

TEST_CASE_FIXTURE(push_fixture, "of two files of one name none is dropped without a word") {
  twice model;
  const auto refused = [&] {
    CHECK(failure_of(model.push_to_hub(*api, "alice/m")).code() == errc::invalid_argument);
    CHECK(failure_of(model.save_pretrained(*api, folder.path() / "m")).code() ==
          errc::invalid_argument);
    CHECK_FALSE(fs::exists(folder.path() / "m" / model.name));
  };
  SUBCASE("handed over twice") { refused(); }
  SUBCASE("written by the hook, too") {
    model.writes = true;
    refused();
  }
  SUBCASE("written by the hook, in other words") {
    model.writes = true;
    model.name = "a//w.safetensors";
    refused();
  }
}

TEST_CASE_FIXTURE(push_fixture, "a config of a call is an object, or null for the model's own") {
  push_to_hub_options options;
  options.config = nullptr;
  run(listed(counted_config{1}).push_to_hub(*api, "alice/m", options));
  CHECK(test::read_all(run(api->download_file("alice/m", "config.json"))) ==
        "{\n  \"tensors\": 1\n}");
  run(written().push_to_hub(*api, "alice/plain", options));
  CHECK_FALSE(remote_names("alice/plain").contains("config.json"));
  const boost::json::array list{1};
  for (const boost::json::value& given : {boost::json::value(list), boost::json::value(1),
                                          boost::json::value("text"), boost::json::value(true)}) {
    options.config = given;
    CHECK(failure_of(written().push_to_hub(*api, "alice/new", options)).code() ==
          errc::invalid_argument);
    save_pretrained_options saving;
    saving.config = given;
    CHECK(failure_of(written().save_pretrained(*api, folder.path() / "new", saving)).code() ==
          errc::invalid_argument);
  }
  const bool exists = run(api->repo_exists("alice/new"));
  CHECK_FALSE(exists);
  CHECK_FALSE(fs::exists(folder.path() / "new"));
}

TEST_CASE_FIXTURE(push_fixture, "a remote config stays where the model has none, unless named") {
  run(listed(counted_config{1}).push_to_hub(*api, "alice/m"));
  run(written().push_to_hub(*api, "alice/m"));
  CHECK(remote_names("alice/m").contains("config.json"));
  push_to_hub_options options;
  options.delete_patterns = {"config.json"};
  run(written().push_to_hub(*api, "alice/m", options));
  CHECK_FALSE(remote_names("alice/m").contains("config.json"));
}
