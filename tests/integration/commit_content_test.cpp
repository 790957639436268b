#include "support/client_fixture.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cstring>

using namespace cohub;
using test::client_fixture;

namespace {

/// Gives its text in pieces of odd sizes.
class text_source final : public upload_source {
 public:
  explicit text_source(std::string text) : text_(std::move(text)) {}
  awaitable<std::size_t> read(std::span<std::byte> buffer) override {
    const std::size_t count = std::min({buffer.size(), text_.size() - given_, std::size_t{7'777}});
    std::memcpy(buffer.data(), text_.data() + given_, count);
    given_ += count;
    co_return count;
  }

 private:
  std::string text_;
  std::size_t given_ = 0;
};

class failing_source final : public upload_source {
 public:
  awaitable<std::size_t> read(std::span<std::byte> buffer) override {
    if (given_++ == 3) throw std::runtime_error("the training has failed");
    co_return buffer.size();
  }

 private:
  int given_ = 0;
};

commit_operation add_bytes(std::string path, std::string content) {
  commit_operation_add add;
  add.path_in_repo = std::move(path);
  add.content = commit_operation_add::bytes{std::move(content)};
  return add;
}

template <class... Operations>
std::vector<commit_operation> list(Operations... operations) {
  std::vector<commit_operation> all;
  (all.emplace_back(std::move(operations)), ...);
  return all;
}

}  // namespace

TEST_CASE_FIXTURE(client_fixture, "a source of unknown length becomes a file, large or small") {
  run(api->create_repo("alice/m"));
  const std::string large = test::noise(3'000'000);
  commit_operation_add first;
  first.path_in_repo = "w.safetensors";
  first.content = std::make_shared<text_source>(large);
  commit_operation_add second;
  second.path_in_repo = "notes.txt";
  second.content = std::make_shared<text_source>("a few words");
  commit_operation_add third;
  third.path_in_repo = "empty.bin";
  third.content = std::make_shared<text_source>("");
  run(api->create_commit("alice/m", list(first, second, third), "from sources"));
  CHECK(test::read_all(run(api->download_file("alice/m", "w.safetensors"))) == large);
  CHECK(test::read_all(run(api->download_file("alice/m", "notes.txt"))) == "a few words");
  CHECK(test::read_all(run(api->download_file("alice/m", "empty.bin"))).empty());
  const auto spool = folder.path() / "uploads" / "spool";
  CHECK(std::filesystem::is_empty(spool));
}

TEST_CASE_FIXTURE(client_fixture, "a source that fails ends the commit before the first request") {
  run(api->create_repo("alice/m"));
  hub->clear_requests();
  commit_operation_add add;
  add.path_in_repo = "w.bin";
  add.content = std::make_shared<failing_source>();
  CHECK_THROWS_WITH(run(api->create_commit("alice/m", list(add), "m")), "the training has failed");
  CHECK(hub->requests().empty());
}

TEST_CASE_FIXTURE(client_fixture, "only the first bytes of a file that grows are committed") {
  run(api->create_repo("alice/m"));
  const auto file = folder.path() / "log.txt";
  test::write_all(file, "one\ntwo\nthr");
  commit_operation_add add;
  add.path_in_repo = "log.txt";
  add.content = file;
  add.first_bytes = 8;
  run(api->create_commit("alice/m", list(add), "m"));
  CHECK(test::read_all(run(api->download_file("alice/m", "log.txt"))) == "one\ntwo\n");
  add.first_bytes = 100;
  CHECK(failure_of(api->create_commit("alice/m", list(add), "m")).code() == errc::content_mismatch);
}

namespace {

/// Once the large file is hashed, appends to the log and changes what does not matter.
class writer final : public observer {
 public:
  explicit writer(std::filesystem::path folder) : folder_(std::move(folder)) {}
  void on_progress(const transfer_progress& progress) override {
    if (progress.way != transfer_progress::direction::hash ||
        progress.bytes_done < progress.bytes_total)
      return;
    test::write_all(folder_ / "log.txt", "one\ntwo\n");
    std::filesystem::permissions(folder_ / "w.bin", std::filesystem::perms::owner_read);
  }

 private:
  std::filesystem::path folder_;
};

}  // namespace

TEST_CASE_FIXTURE(client_fixture, "what is appended to a small file meanwhile is committed, too") {
  run(api->create_repo("alice/m"));
  const auto root = folder.path() / "out";
  const std::string weights = test::noise(2'000'000);
  test::write_all(root / "log.txt", "one\n");
  test::write_all(root / "w.bin", weights);
  upload_folder_options options;
  options.observer = std::make_shared<writer>(root);
  run(api->upload_folder(root, "alice/m", options));
  CHECK(run(api->read_file("alice/m", "log.txt")) == "one\ntwo\n");
  CHECK(test::read_all(run(api->download_file("alice/m", "w.bin"))) == weights);
}

TEST_CASE_FIXTURE(client_fixture, "copies within a repository move no bytes of large files") {
  put_file("alice/m", "w.bin", test::noise(100'000));
  const auto first = put_file("alice/m", "a.txt", "small");
  put_file("alice/m", "a.txt", "newer");
  hub->clear_requests();
  commit_operation_copy large{.src_path_in_repo = "w.bin", .path_in_repo = "copy/w.bin"};
  commit_operation_copy small{.src_path_in_repo = "a.txt", .path_in_repo = "copy/a.txt"};
  commit_operation_copy old{
      .src_path_in_repo = "a.txt", .path_in_repo = "old.txt", .src_revision = first.oid};
  run(api->create_commit("alice/m", list(large, small, old), "copies"));
  CHECK(hub->count_requests("", "PUT") == 0);
  CHECK(test::read_all(run(api->download_file("alice/m", "copy/w.bin"))) == test::noise(100'000));
  CHECK(test::read_all(run(api->download_file("alice/m", "copy/a.txt"))) == "newer");
  CHECK(test::read_all(run(api->download_file("alice/m", "old.txt"))) == "small");
  commit_operation_copy none{.src_path_in_repo = "none", .path_in_repo = "b"};
  CHECK(failure_of(api->create_commit("alice/m", list(none), "m")).code() == errc::entry_not_found);
}

TEST_CASE_FIXTURE(client_fixture, "copies across repositories give the target the object") {
  put_file("alice/from", "w.bin", test::noise(100'000));
  put_file("alice/from", "a.txt", "small");
  run(api->create_repo("alice/to"));
  hub->clear_requests();
  commit_operation_copy large{
      .src_path_in_repo = "w.bin", .path_in_repo = "w.bin", .src_repo_id = "alice/from"};
  commit_operation_copy small{
      .src_path_in_repo = "a.txt", .path_in_repo = "a.txt", .src_repo_id = "alice/from"};
  run(api->create_commit("alice/to", list(large, small), "copies"));
  CHECK(hub->count_requests("", "PUT") == 0);
  CHECK(hub->count_requests("/lfs-files/duplicate", "POST") == 1);
  CHECK(test::read_all(run(api->download_file("alice/to", "w.bin"))) == test::noise(100'000));
  CHECK(test::read_all(run(api->download_file("alice/to", "a.txt"))) == "small");
}

TEST_CASE_FIXTURE(client_fixture, "the rules of a commit hold for its own files") {
  run(api->create_repo("alice/m"));
  const auto info = run(api->create_commit(
      "alice/m",
      list(add_bytes(".gitattributes", "*.weights filter=lfs diff=lfs merge=lfs -text\n"),
           add_bytes(".gitignore", "*.tmp\n"), add_bytes("a.weights", "small, but large"),
           add_bytes("b.tmp", "scrap")),
      "rules"));
  CHECK(info.ignored == std::vector<std::string>{"b.tmp"});
  CHECK(hub->count_requests("", "PUT") == 1);
  CHECK_FALSE(run(api->file_exists("alice/m", "b.tmp")));
  // Nothing but ignored files is nothing to commit.
  const auto nothing =
      run(api->create_commit("alice/m", list(add_bytes("c.tmp", "scrap")), "nothing"));
  CHECK(nothing.unchanged);
  CHECK(nothing.oid == info.oid);
}

TEST_CASE_FIXTURE(client_fixture, "files and folders are deleted by name and by pattern") {
  for (const char* path : {"a.txt", "b.txt", "logs/1", "logs/2", "keep.bin"})
    put_file("alice/m", path, path);
  run(api->delete_file("a.txt", "alice/m"));
  CHECK_FALSE(run(api->file_exists("alice/m", "a.txt")));
  CHECK(run(api->delete_folder("logs", "alice/m")).commit_message ==
        "Delete folder logs with cohub");
  CHECK_FALSE(run(api->file_exists("alice/m", "logs/1")));
  const auto info = run(api->delete_files("alice/m", {"*.txt", "none/"}));
  CHECK_FALSE(info.unchanged);
  CHECK_FALSE(run(api->file_exists("alice/m", "b.txt")));
  CHECK(run(api->file_exists("alice/m", "keep.bin")));
  CHECK(run(api->delete_files("alice/m", {"*.txt"})).unchanged);
  CHECK(failure_of(api->delete_file("a.txt", "alice/m")).code() == errc::entry_not_found);
}

namespace {

commit_operation removal(std::string path) {
  commit_operation_delete operation;
  operation.path_in_repo = std::move(path);
  return operation;
}

struct refill_fixture : client_fixture {
  refill_fixture() {
    put_file("alice/m", "data/x", "the same");
    put_file("alice/m", "data/old", "gone");
    put_file("alice/m", "data/w.bin", large);
    put_file("alice/m", "a.txt", "the same");
  }
  std::vector<commit_operation> operations() {
    return list(removal("data/"), removal("a.txt"), add_bytes("data/x", "the same"),
                add_bytes("data/w.bin", large), add_bytes("a.txt", "the same"));
  }
  void check_refilled() {
    CHECK(run(api->read_file("alice/m", "data/x")) == "the same");
    CHECK(run(api->read_file("alice/m", "a.txt")) == "the same");
    CHECK(test::read_all(run(api->download_file("alice/m", "data/w.bin"))) == large);
    CHECK_FALSE(run(api->file_exists("alice/m", "data/old")));
  }
  std::string large = test::noise(50'000);
};

}  // namespace

TEST_CASE_FIXTURE(refill_fixture, "what a commit deletes and adds again stays, changed or not") {
  SUBCASE("all at once") { run(api->create_commit("alice/m", operations(), "refill")); }
  SUBCASE("a folder") {
    run(api->create_commit(
        "alice/m",
        list(removal("data/"), add_bytes("data/x", "the same"), add_bytes("data/w.bin", large)),
        "refill"));
  }
  SUBCASE("a file, and the other order") {
    run(api->create_commit(
        "alice/m", list(add_bytes("a.txt", "the same"), removal("a.txt"), removal("data/old")),
        "refill"));
  }
  check_refilled();
}

TEST_CASE_FIXTURE(refill_fixture,
                  "a refilled folder whose commit's answer is lost is filled once") {
  const auto before = run(api->list_repo_commits("alice/m").all()).size();
  hub_fault lost;
  lost.path_part = "/commit/";
  lost.method = "POST";
  lost.lose_answer = true;
  hub->inject(lost);
  const auto info = run(api->create_commit("alice/m", operations(), "refill"));
  const auto history = run(api->list_repo_commits("alice/m").all());
  CHECK(history.size() == before + 1);
  CHECK(history[0].commit_id == info.oid);
  check_refilled();
}

TEST_CASE_FIXTURE(client_fixture, "a copy that changes nothing is no commit") {
  put_file("alice/m", "w.bin", test::noise(100'000));
  put_file("alice/m", "copy.bin", test::noise(100'000));
  put_file("alice/m", "a.txt", "small");
  const auto head = put_file("alice/m", "copy.txt", "small");
  commit_operation_copy large{.src_path_in_repo = "w.bin", .path_in_repo = "copy.bin"};
  commit_operation_copy small{.src_path_in_repo = "a.txt", .path_in_repo = "copy.txt"};
  const auto info = run(api->create_commit("alice/m", list(large, small), "nothing"));
  CHECK(info.unchanged);
  CHECK(info.oid == head.oid);
  // Deleted by the same commit, it is not there to stay.
  const auto again = run(
      api->create_commit("alice/m", list(removal("copy.bin"), large, add_bytes("b", "b")), "b"));
  CHECK_FALSE(again.unchanged);
  CHECK(run(api->file_exists("alice/m", "copy.bin")));
  CHECK(run(api->create_commit("alice/m", list(large), "c")).unchanged);
}

TEST_CASE_FIXTURE(client_fixture, "one file may be bytes or a source, and rebased") {
  const auto first = put_file("alice/m", "a.txt", "1");
  run(api->upload_file(commit_operation_add::bytes{"from memory"}, "b.txt", "alice/m"));
  CHECK(run(api->read_file("alice/m", "b.txt")) == "from memory");
  upload_file_options rebasing;
  rebasing.parent_commit = first.oid;
  rebasing.rebase = true;
  const std::shared_ptr<upload_source> source = std::make_shared<text_source>("produced");
  run(api->upload_file(source, "c.txt", "alice/m", rebasing));
  CHECK(run(api->read_file("alice/m", "c.txt")) == "produced");
}

TEST_CASE_FIXTURE(client_fixture, "no more is sent at once than is allowed") {
  run(api->create_repo("alice/m"));
  std::vector<commit_operation> operations;
  for (int i = 0; i < 6; ++i) {
    std::string content = test::noise(60'000);
    content[0] = static_cast<char>('a' + i);
    operations.push_back(add_bytes(std::to_string(i) + ".bin", std::move(content)));
  }
  create_commit_options options;
  SUBCASE("one") { options.num_threads = options.num_hash_threads = 1; }
  SUBCASE("none is one") { options.num_threads = options.num_hash_threads = 0; }
  run(api->create_commit("alice/m", operations, "one by one", options));
  CHECK(hub->peak_content_connections() == 1);
}

TEST_CASE_FIXTURE(client_fixture, "of a copy and an addition to one path the last one counts") {
  put_file("alice/m", "w.bin", test::noise(100'000));
  put_file("alice/m", "a.txt", "copied");
  const commit_operation_copy small{.src_path_in_repo = "a.txt", .path_in_repo = "b.txt"};
  const commit_operation_copy large{.src_path_in_repo = "w.bin", .path_in_repo = "b.txt"};
  run(api->create_commit("alice/m", list(large, small, add_bytes("b.txt", "added")), "added"));
  CHECK(run(api->read_file("alice/m", "b.txt")) == "added");
  run(api->create_commit("alice/m", list(add_bytes("b.txt", "other"), large, small), "copied"));
  CHECK(run(api->read_file("alice/m", "b.txt")) == "copied");
}

TEST_CASE_FIXTURE(client_fixture, "what a commit fills is not deleted first, however it is spelt") {
  put_file("alice/m", "kept.txt", "kept");
  const auto head = put_file("alice/m", "copy.txt", "kept");
  const auto empty = folder.path() / "empty";
  std::filesystem::create_directories(empty);
  upload_folder_options options;
  options.delete_patterns = {"*.txt"};
  options.additional =
      list(add_bytes("./kept.txt", "kept"),
           commit_operation_copy{.src_path_in_repo = "kept.txt", .path_in_repo = "/copy.txt"});
  const auto info = run(api->upload_folder(empty, "alice/m", options));
  CHECK(info.unchanged);
  CHECK(info.oid == head.oid);
}
