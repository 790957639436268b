#include "support/client_fixture.hpp"

#include <boost/asio/co_spawn.hpp>
#include <doctest/doctest.h>

#include <atomic>
#include <functional>
#include <map>
#include <string>
#include <utility>
#include <vector>

using namespace cohub;

namespace {

/// Deletes a file as soon as it hears of a total.
class deleter final : public observer {
 public:
  explicit deleter(std::filesystem::path file) : file_(std::move(file)) {}
  void on_total(const transfer_total&) override { std::filesystem::remove(file_); }
  void on_event(const transfer_event& event) override {
    if (event.what == transfer_event::kind::warning) ++warnings;
  }
  std::atomic<int> warnings{0};

 private:
  std::filesystem::path file_;
};

/// Meddles whenever it hears of one file on one way.
class meddler final : public observer {
 public:
  meddler(std::string file, transfer_progress::direction way, std::function<void()> act)
      : file_(std::move(file)), way_(way), act_(std::move(act)) {}
  void on_progress(const transfer_progress& progress) override {
    if (progress.file == file_ && progress.way == way_) act_();
  }
  void on_total(const transfer_total& total) override {
    if (total.way != transfer_progress::direction::upload) return;
    if (total.bytes_done > total.bytes_total || total.files_done > total.files_total) ++excesses;
  }
  void on_event(const transfer_event& event) override {
    if (event.what == transfer_event::kind::warning) warned.push_back(event.file);
  }
  std::vector<std::string> warned{};
  int excesses = 0;

 private:
  std::string file_;
  transfer_progress::direction way_;
  std::function<void()> act_;
};

local_hub_config in_parts() {
  local_hub_config config;
  config.part_size = 100'000;
  return config;
}

struct large_folder_fixture : test::client_fixture {
  large_folder_fixture() : test::client_fixture(in_parts()) {
    for (int i = 0; i < 600; ++i) {
      const auto name = std::to_string(i % 7) + "/file" + std::to_string(i) + ".txt";
      files[name] = "content of " + std::to_string(i);
    }
    files["weights/a.bin"] = test::noise(350'000);
    files["weights/b.safetensors"] = test::noise(220'000);
    for (const auto& [name, content] : files) test::write_all(root / name, content);
    test::write_all(root / ".git/config", "no");
    test::let_files_settle();
  }

  std::map<std::string, std::string> remote() {
    std::map<std::string, std::string> found;
    const list_repo_tree_options everything{.recursive = true};
    for (const auto& entry : run(api->list_repo_tree("alice/big", everything).all())) {
      if (entry.type != tree_entry::kind::file || entry.path == ".gitattributes") continue;
      found[entry.path] = run(api->read_file("alice/big", entry.path));
    }
    return found;
  }

  std::filesystem::path root = folder.path() / "data";
  std::map<std::string, std::string> files;
};

}  // namespace

TEST_CASE_FIXTURE(large_folder_fixture, "a large folder is committed in parts, whole") {
  const auto info = run(api->upload_large_folder(root, "alice/big"));
  CHECK(info.files == 602);
  CHECK(info.committed == 602);
  CHECK(info.commits >= 2);
  CHECK(info.oid == run(api->repo_info("alice/big")).sha);
  CHECK(remote() == files);
}

TEST_CASE_FIXTURE(large_folder_fixture, "the next run goes on where one was stopped") {
  hub_fault failing;
  failing.path_part = "/commit/";
  failing.method = "POST";
  failing.status = 403;
  failing.skip = 1;
  failing.times = 0;
  hub->inject(failing);
  CHECK(failure_of(api->upload_large_folder(root, "alice/big")).code() == errc::forbidden);
  hub->clear_faults();
  hub->clear_requests();
  connect();
  test::write_all(root / "0/file0.txt", files["0/file0.txt"] = "changed since");
  const auto info = run(api->upload_large_folder(root, "alice/big"));
  CHECK(info.files == 602);
  CHECK(info.unchanged >= 200);
  CHECK(info.committed <= 402);
  CHECK(info.committed + info.unchanged == 602);
  CHECK(remote() == files);
  hub->clear_requests();
  const auto nothing = run(api->upload_large_folder(root, "alice/big"));
  CHECK(nothing.unchanged == 602);
  CHECK(nothing.commits == 0);
  CHECK(hub->count_requests("/preupload/") == 0);
}

TEST_CASE_FIXTURE(large_folder_fixture, "a commit that is too much for the Hub is made in halves") {
  client_settings.retries.attempts = 1;
  connect();
  hub_fault overwhelmed;
  overwhelmed.path_part = "/commit/";
  overwhelmed.method = "POST";
  overwhelmed.status = 504;
  overwhelmed.times = 2;
  hub->inject(overwhelmed);
  const auto info = run(api->upload_large_folder(root, "alice/big"));
  CHECK(info.committed == 602);
  CHECK(remote() == files);
}

TEST_CASE_FIXTURE(large_folder_fixture,
                  "each large object is completed once, whatever is stopped") {
  std::size_t completed = 0;
  const auto count = [&] {
    for (const auto& request : hub->requests())
      if (request.content && request.method == "POST" && request.status == 200) ++completed;
    hub->clear_requests();
    hub->clear_faults();
    connect();
  };
  for (int round = 0; round < 5; ++round) {
    hub_fault failing;
    failing.method = "PUT";
    failing.skip = 1;  // each round sends one part of seven
    failing.status = 422;
    failing.times = 0;
    hub->inject(failing);
    CHECK_THROWS_AS(run(api->upload_large_folder(root, "alice/big")), error);
    count();
  }
  run(api->upload_large_folder(root, "alice/big"));
  count();
  CHECK(completed <= 2);  // an answer may have come too late to be counted
  CHECK(remote() == files);
}

TEST_CASE_FIXTURE(large_folder_fixture, "a repository that was made anew is filled anew") {
  run(api->upload_large_folder(root, "alice/big"));
  run(api->delete_repo("alice/big"));
  const auto info = run(api->upload_large_folder(root, "alice/big"));
  CHECK(info.committed == 602);
  CHECK(remote() == files);
}

TEST_CASE_FIXTURE(large_folder_fixture, "what others delete is sent again, and nothing else") {
  run(api->upload_large_folder(root, "alice/big"));
  run(api->delete_file("0/file0.txt", "alice/big"));
  run(api->delete_file("weights/a.bin", "alice/big"));
  hub->clear_requests();
  const auto info = run(api->upload_large_folder(root, "alice/big"));
  CHECK(info.committed == 2);
  CHECK(info.unchanged == 600);
  CHECK(hub->count_requests("", "PUT") == 0);  // the object is there
  CHECK(remote() == files);
  hub->clear_requests();
  CHECK(run(api->upload_large_folder(root, "alice/big")).unchanged == 602);
  CHECK(hub->count_requests("/preupload/") == 0);
}

TEST_CASE_FIXTURE(large_folder_fixture, "a folder is the same however it is spelt") {
  run(api->upload_large_folder(root, "alice/big"));
  const auto before = std::filesystem::current_path();
  std::filesystem::create_directory_symlink(root, folder.path() / "link");
  std::filesystem::current_path(folder.path());
  for (const char* spelt : {"data", "./data", "data/", "data/../data//", "link"}) {
    CAPTURE(spelt);
    hub->clear_requests();
    CHECK(run(api->upload_large_folder(spelt, "alice/big")).unchanged == 602);
    CHECK(hub->count_requests("/preupload/") == 0);
  }
  std::filesystem::current_path(before);
}

TEST_CASE_FIXTURE(large_folder_fixture,
                  "a commit that was too much but made after all is made once") {
  client_settings.retries.attempts = 1;
  connect();
  run(api->create_repo("alice/big"));
  // The Hub makes the first commit, and neither says so nor tells what it has.
  hub_fault lost;
  lost.path_part = "/commit/";
  lost.method = "POST";
  lost.lose_answer = true;
  hub->inject(lost);
  hub_fault overwhelmed;
  overwhelmed.path_part = "/commits/";
  overwhelmed.status = 504;
  hub->inject(overwhelmed);
  const auto info = run(api->upload_large_folder(root, "alice/big"));
  CHECK(info.committed + info.unchanged == 602);
  CHECK(info.unchanged == 250);
  CHECK(run(api->list_repo_commits("alice/big").all()).size() == info.commits + 2);
  CHECK(remote() == files);
}

TEST_CASE_FIXTURE(large_folder_fixture, "what others do between preparation and commit is seen") {
  const auto two = folder.path() / "two";
  test::write_all(two / "x.txt", "x");
  test::write_all(two / "y.txt", "y");
  test::let_files_settle();
  run(api->upload_large_folder(two, "alice/two"));
  const auto before = run(api->repo_info("alice/two"));
  run(api->delete_file("x.txt", "alice/two"));
  // As if they deleted it after the run had asked for all it needs.
  hub_fault asked;
  asked.path_part = "/revision/main";
  asked.body = before.json;
  hub->inject(asked);
  hub_fault prepared;
  prepared.path_part = "/preupload/";
  prepared.body =
      R"({"files":[{"path":"y.txt","uploadMode":"regular","shouldIgnore":false}],"commitOid":")" +
      before.sha + R"("})";
  hub->inject(prepared);
  test::write_all(two / "y.txt", "changed");
  CHECK(run(api->upload_large_folder(two, "alice/two")).committed == 1);
  CHECK(run(api->read_file("alice/two", "y.txt")) == "changed");
  CHECK(run(api->upload_large_folder(two, "alice/two")).committed == 1);
  CHECK(run(api->read_file("alice/two", "x.txt")) == "x");
}

TEST_CASE_FIXTURE(large_folder_fixture, "commits of others in between cost no files") {
  run(api->create_repo("alice/big"));
  int going = 0;
  for (int i = 0; i < 3; ++i) {
    ++going;
    asio::co_spawn(context,
                   api->upload_file(commit_operation_add::bytes{"theirs"},
                                    "their" + std::to_string(i), "alice/big"),
                   [&](std::exception_ptr failure, const commit_info&) {
                     --going;
                     CHECK_FALSE(failure);
                   });
  }
  const auto info = run(api->upload_large_folder(root, "alice/big"));
  while (going > 0) context.run_one();
  CHECK(info.committed == 602);
  for (int i = 0; i < 3; ++i) files["their" + std::to_string(i)] = "theirs";
  CHECK(remote() == files);
}

TEST_CASE_FIXTURE(large_folder_fixture, "a file that is deleted meanwhile is left out") {
  const auto seen = std::make_shared<deleter>(root / "6/file594.txt");
  upload_large_folder_options options;
  options.observer = seen;
  const auto info = run(api->upload_large_folder(root, "alice/big", options));
  CHECK(info.files == 602);
  CHECK(info.committed == 601);
  CHECK(info.left_out == 1);
  CHECK(seen->warnings == 1);
  files.erase("6/file594.txt");
  CHECK(remote() == files);
}

TEST_CASE_FIXTURE(large_folder_fixture,
                  "a file that is changed or deleted while its batch is on its way stops nothing") {
  const auto sending = transfer_progress::direction::upload;
  const auto hashing = transfer_progress::direction::hash;
  const std::string large = "weights/a.bin";
  const std::string small = "6/file594.txt";
  std::vector<std::string> left_out;
  int times = 0;
  std::shared_ptr<meddler> seen;
  SUBCASE("a large one is changed once") {
    seen = std::make_shared<meddler>(large, sending, [&] {
      if (times++ == 0) test::write_all(root / large, files[large] = test::noise(350'000, 7));
    });
  }
  SUBCASE("a large one is deleted") {
    left_out.push_back(large);
    seen = std::make_shared<meddler>(large, sending, [&] {
      if (times++ == 0) std::filesystem::remove(root / large);
    });
  }
  SUBCASE("a large one never stays as it is") {
    left_out.push_back(large);
    seen = std::make_shared<meddler>(large, hashing, [&] {
      test::write_all(root / large, test::noise(350'000 + static_cast<std::size_t>(++times)));
    });
  }
  SUBCASE("a small one is deleted before the commit is sent") {
    left_out.push_back(small);
    seen = std::make_shared<meddler>(large, hashing, [&] {
      if (times++ == 0) std::filesystem::remove(root / small);
    });
  }
  for (const auto& path : left_out) files.erase(path);
  upload_large_folder_options options;
  options.observer = seen;
  const auto info = run(api->upload_large_folder(root, "alice/big", options));
  CHECK(info.files == 602);
  CHECK(info.left_out == left_out.size());
  CHECK(info.committed == files.size());
  CHECK(seen->warned == left_out);
  CHECK(seen->excesses == 0);
  CHECK(remote() == files);
}

TEST_CASE_FIXTURE(large_folder_fixture, "a commit whose connection is closed is made in halves") {
  client_settings.retries.attempts = 1;
  connect();
  hub_fault overwhelmed;
  overwhelmed.path_part = "/commit/";
  overwhelmed.method = "POST";
  overwhelmed.drop_request_after_bytes = 1000;
  hub->inject(overwhelmed);
  const auto info = run(api->upload_large_folder(root, "alice/big"));
  CHECK(info.committed == 602);
  CHECK(remote() == files);
}
