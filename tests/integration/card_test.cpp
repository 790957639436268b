#include "cohub/hub_card.hpp"

#include "support/client_fixture.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/post.hpp>
#include <doctest/doctest.h>

#include <future>
#include <mutex>
#include <thread>

using namespace cohub;
using test::client_fixture;

namespace {

/// Remembers the warnings that it is told, from any thread.
class listener final : public observer {
 public:
  void on_event(const transfer_event& event) override {
    const std::scoped_lock guard(mutex_);
    if (event.what == transfer_event::kind::warning)
      warnings_.push_back(event.file + ": " + event.detail);
  }
  std::vector<std::string> take() {
    const std::scoped_lock guard(mutex_);
    return std::exchange(warnings_, {});
  }

 private:
  std::mutex mutex_;
  std::vector<std::string> warnings_;
};

/// Bytes without end; counts how often it is read.
class counting_source final : public upload_source {
 public:
  awaitable<std::size_t> read(std::span<std::byte> buffer) override {
    ++reads;
    co_return reads > 3 ? 0 : buffer.size();
  }
  int reads = 0;
};

std::vector<commit_operation> card_and_source(std::string card,
                                              std::shared_ptr<counting_source> source) {
  std::vector<commit_operation> operations;
  commit_operation_add weights;
  weights.path_in_repo = "w.bin";
  weights.content = std::shared_ptr<upload_source>(std::move(source));
  operations.emplace_back(std::move(weights));
  commit_operation_add readme;
  readme.path_in_repo = "README.md";
  readme.content = commit_operation_add::bytes{std::move(card)};
  operations.emplace_back(std::move(readme));
  return operations;
}

struct heard_fixture : client_fixture {
  heard_fixture() {
    client_settings.observer = heard;
    client_settings.log = [this](const log_record& record) {
      const std::scoped_lock guard(mutex);
      if (record.level == log_level::warning) logged.push_back(record.message);
    };
    client_settings.log_threshold = log_level::warning;
    connect();
  }

  std::shared_ptr<listener> heard = std::make_shared<listener>();
  std::mutex mutex;
  std::vector<std::string> logged;
};

/// A pool of one thread that counts what it runs.
class counting_pool {
 public:
  counting_pool()
      : thread_([this] {
          while (context_.run_one() > 0) ++count_;
        }) {}
  ~counting_pool() {
    guard_.reset();
    thread_.join();
  }
  asio::any_io_executor executor() { return context_.get_executor(); }
  /// What has ended so far: told by the thread itself, so that nothing is half counted.
  int count() {
    std::promise<int> ended;
    asio::post(context_, [&] { ended.set_value(count_); });
    return ended.get_future().get();
  }

 private:
  asio::io_context context_{1};
  asio::executor_work_guard<asio::io_context::executor_type> guard_{context_.get_executor()};
  int count_ = 0;  // of the thread's
  std::thread thread_;
};

}  // namespace

TEST_CASE_FIXTURE(client_fixture, "a card is pushed and loaded, to a pull request if asked (V48)") {
  run(api->create_repo("alice/m"));
  model_card card;
  card.data()["license"] = "mit";
  card.text() = "# A model\n";
  CHECK(failure_of(load_card(*api, "alice/m")).code() == errc::entry_not_found);
  const auto pushed = run(push_card(*api, card, "alice/m"));
  CHECK(pushed.commit_message == "Upload README.md with cohub");
  CHECK(run(load_card(*api, "alice/m")).content() == card.content());
  card.data()["license"] = "apache-2.0";
  const push_card_options as_pr{.create_pr = true};
  const auto proposed = run(push_card(*api, card, "alice/m", as_pr));
  REQUIRE(proposed.pr_num);
  CHECK(run(api->get_repo_discussions("alice/m").all()).size() == 1);
  CHECK(run(load_card(*api, "alice/m")).data().text_or("license") == "mit");
  const load_card_options of_pr{.revision = proposed.pr_revision};
  CHECK(run(load_card(*api, "alice/m", of_pr)).data().text_or("license") == "apache-2.0");
}

TEST_CASE_FIXTURE(client_fixture, "the Hub refuses a license that it does not know (V47)") {
  run(api->create_repo("alice/m"));
  model_card card;
  card.data()["license"] = "asdf";
  const auto failure = failure_of(push_card(*api, card, "alice/m"));
  CHECK(failure.code() == errc::bad_request);
  CHECK(std::string(failure.what()).find("license") != std::string::npos);
}

TEST_CASE_FIXTURE(client_fixture, "metadata is updated in place, on the Hub (V42, V61, V64)") {
  std::filesystem::create_directories(folder.path() / "alice" / "m");  // means nothing
  put_file("alice/m", "README.md", "---\nlicense: mit\n---\n# Net\n");
  const auto info = run(metadata_update(*api, "alice/m", {{"language", "en"}}));
  CHECK(info.commit_message == "Update metadata with cohub");
  CHECK(run(load_card(*api, "alice/m")).content() ==
        "---\nlicense: mit\nlanguage: en\n---\n# Net\n");
  CHECK(failure_of(metadata_update(*api, "alice/m", {{"language", "fr"}})).code() ==
        errc::invalid_card);
  metadata_update_options overwriting;
  overwriting.overwrite = true;
  overwriting.push.create_pr = true;
  const auto proposed = run(metadata_update(*api, "alice/m", {{"language", "fr"}}, overwriting));
  CHECK(proposed.pr_num);
  CHECK(run(load_card(*api, "alice/m")).data().text_or("language") == "en");
}

TEST_CASE_FIXTURE(client_fixture, "updates of metadata at once undo nothing of each other") {
  put_file("alice/m", "README.md", "---\nlicense: mit\n---\n# Net\n");
  constexpr int updates = 4;
  int going = updates;
  for (int i = 0; i < updates; ++i)
    asio::co_spawn(context, metadata_update(*api, "alice/m", {{"key" + std::to_string(i), i}}),
                   [&going](std::exception_ptr failure, const commit_info&) {
                     --going;
                     CHECK_FALSE(failure);
                   });
  while (going > 0) context.run_one();
  const auto card = run(load_card(*api, "alice/m"));
  CHECK(card.data().text_or("license") == "mit");
  for (int i = 0; i < updates; ++i) CHECK(card.data().contains("key" + std::to_string(i)));
}

TEST_CASE_FIXTURE(client_fixture, "an update upon a named commit is of that commit alone") {
  put_file("alice/m", "README.md", "---\nlicense: mit\n---\n");
  metadata_update_options upon;
  upon.push.parent_commit = run(api->repo_info("alice/m")).sha;
  put_file("alice/m", "other.txt", "moved");
  const auto failure = failure_of(metadata_update(*api, "alice/m", {{"language", "en"}}, upon));
  CHECK(failure.code() == errc::commit_conflict);
}

TEST_CASE_FIXTURE(client_fixture, "a repository without card gets one, but no space (V69)") {
  run(api->create_repo("alice/m"));
  run(metadata_update(*api, "alice/m", {{"license", "mit"}}));
  const auto card = run(load_card(*api, "alice/m"));
  CHECK(card.text().find("# Model Card for Model ID") != std::string::npos);
  CHECK(card.data().text_or("license") == "mit");
  const create_repo_options space{.type = repo_type::space, .space_sdk = "static"};
  run(api->create_repo("alice/s", space));
  const delete_file_options bare{.type = repo_type::space};
  run(api->delete_file("README.md", "alice/s", bare));
  metadata_update_options of_space;
  of_space.push.type = repo_type::space;
  CHECK(failure_of(metadata_update(*api, "alice/s", {{"title", "x"}}, of_space)).code() ==
        errc::invalid_card);
}

TEST_CASE_FIXTURE(client_fixture, "a card is checked by the Hub on demand (V47)") {
  model_card card;
  card.data()["license"] = "mit";
  CHECK(run(validate_card(*api, card)).empty());
  card.data().erase("license");
  const auto warnings = run(validate_card(*api, card));
  REQUIRE(warnings.size() == 1);
  CHECK(warnings[0].find("metadata") != std::string::npos);
  card.data()["license"] = "asdf";
  const auto failure = failure_of(validate_card(*api, card));
  CHECK(failure.code() == errc::bad_request);
  CHECK(failure.http().server_message.find("license") != std::string::npos);
  const validate_card_options space{.type = repo_type::space};
  CHECK(failure_of(api->validate_card("---\nsdk: none\n---\n", space)).code() == errc::bad_request);
}

TEST_CASE_FIXTURE(heard_fixture, "what the Hub thinks of a card is told to who commits it") {
  put_file("alice/m", "README.md", "# without metadata\n");
  const std::string expected = "empty or missing yaml metadata in repo card";
  CHECK(heard->take() == std::vector<std::string>{"README.md: " + expected});
  {
    const std::scoped_lock guard(mutex);
    CHECK(logged == std::vector<std::string>{expected});
  }
  put_file("alice/m", "README.md", "---\nlicense: mit\n---\n");
  CHECK(heard->take().empty());
  put_file("alice/m", "README.md", std::string((4u << 20) + 1, 'x'));
  CHECK(heard->take() ==
        std::vector<std::string>{"README.md: the card is too large to have its metadata checked"});
}

TEST_CASE_FIXTURE(heard_fixture, "loading a card tells what is odd in it (V46, V56)") {
  put_file("alice/m", "README.md", "# without metadata\n");
  heard->take();
  CHECK(run(load_card(*api, "alice/m")).data().empty());
  CHECK(heard->take() == std::vector<std::string>{
                             "README.md: alice/m/README.md has no metadata: there is no header"});
  const std::string without_dataset =
      "---\nmodel-index:\n- name: n\n  results:\n  - task: {type: t}\n    dataset: {type: d}\n"
      "    metrics:\n    - type: acc\n---\n";
  put_file("alice/n", "README.md", without_dataset);
  load_card_options ignoring;
  ignoring.reading.ignore_metadata_errors = true;
  const auto card = run(load_card(*api, "alice/n", ignoring));
  CHECK(card.eval_results().empty());
  const auto told = heard->take();
  REQUIRE(told.size() == 1);
  CHECK(told[0].find("dataset.name is missing") != std::string::npos);
  CHECK_THROWS_AS(static_cast<void>(run(load_card(*api, "alice/n")).eval_results()), error);
  CHECK(heard->take().empty());
}

TEST_CASE_FIXTURE(client_fixture, "a bad card is refused before any source is read") {
  run(api->create_repo("alice/m"));
  const auto source = std::make_shared<counting_source>();
  const auto failure = failure_of(
      api->create_commit("alice/m", card_and_source("---\nlicense: asdf\n---\n", source), "m"));
  CHECK(failure.code() == errc::bad_request);
  CHECK(source->reads == 0);
  run(api->create_commit("alice/m", card_and_source("---\nlicense: mit\n---\n", source), "m"));
  CHECK(source->reads == 4);
}

TEST_CASE_FIXTURE(client_fixture, "cards are parsed on the pool") {
  put_file("alice/m", "README.md", "---\nlicense: mit\n---\n");
  counting_pool pool;
  client_settings.blocking_executor = pool.executor();
  connect();
  const auto start = pool.count();
  run(api->read_file("alice/m", "README.md"));
  const auto read = pool.count();
  run(load_card(*api, "alice/m"));
  const auto loaded = pool.count();
  CHECK(loaded - read > read - start);
  api.reset();
}

TEST_CASE_FIXTURE(client_fixture, "updating metadata keeps comments and what is not touched") {
  put_file("alice/m", "README.md",
           "---\n# ours\nlicense: 'mit' # why\ntags: [a, b]\n# end\n---\n# Net\n");
  run(metadata_update(*api, "alice/m", {{"language", "en"}}));
  CHECK(run(api->read_file("alice/m", "README.md")) ==
        "---\n# ours\nlicense: 'mit' # why\ntags: [a, b]\nlanguage: en\n# end\n---\n# Net\n");
}

TEST_CASE_FIXTURE(client_fixture, "only models have results, and other cards are pushed too") {
  const create_repo_options dataset{.type = repo_type::dataset};
  run(api->create_repo("alice/d", dataset));
  model_card card =
      model_card::from_template({{"pretty_name", "Beans"}}, default_card_template(dataset.type));
  const push_card_options push{.type = repo_type::dataset};
  run(push_card(*api, card, "alice/d", push));
  const load_card_options load{.type = repo_type::dataset};
  CHECK(run(load_card(*api, "alice/d", load)).content() == card.content());
  metadata_update_options update;
  update.push.type = repo_type::dataset;
  CHECK(
      failure_of(metadata_update(*api, "alice/d", {{"model-index", card_list{}}}, update)).code() ==
      errc::invalid_card);
}

TEST_CASE_FIXTURE(client_fixture, "operations on cards stop when they are told to leave off") {
  put_file("alice/m", "README.md", "---\nlicense: mit\n---\n");
  model_card card;
  card.data()["license"] = "mit";
  const std::size_t commits = run(api->list_repo_commits("alice/m").all()).size();
  // While the pool writes the card, before the first request, partial cancellation counts already.
  const auto stopped = [&](auto operation) {
    CHECK(test::run_and_cancel(context, std::move(operation), [] { return true; }) ==
          asio::error::operation_aborted);
  };
  stopped(push_card(*api, card, "alice/m"));
  stopped(validate_card(*api, card));
  stopped(load_card(*api, "alice/m"));
  stopped(metadata_update(*api, "alice/m", {{"language", "en"}}));
  CHECK(run(api->list_repo_commits("alice/m").all()).size() == commits);
}
