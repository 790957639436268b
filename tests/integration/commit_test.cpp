#include "support/client_fixture.hpp"

#include <doctest/doctest.h>

#include <algorithm>

using namespace cohub;
using test::client_fixture;

namespace {

commit_operation add_bytes(std::string path, std::string content) {
  commit_operation_add add;
  add.path_in_repo = std::move(path);
  add.content = commit_operation_add::bytes{std::move(content)};
  return add;
}

std::vector<commit_operation> one(commit_operation operation) {
  std::vector<commit_operation> operations;
  operations.push_back(std::move(operation));
  return operations;
}

}  // namespace

TEST_CASE_FIXTURE(client_fixture, "one commit adds regular and large files and deletes others") {
  put_file("alice/model", "old.txt", "old");
  put_file("alice/model", "logs/1.txt", "1");
  put_file("alice/model", "logs/deep/2.txt", "2");
  std::vector<commit_operation> operations;
  operations.push_back(add_bytes("config.json", "{}"));
  operations.push_back(add_bytes("w.safetensors", test::noise(200'000)));
  operations.push_back(add_bytes("empty.bin", ""));
  operations.emplace_back(commit_operation_delete{"old.txt"});
  operations.emplace_back(commit_operation_delete{"logs/"});
  const auto info = run(api->create_commit("alice/model", operations, "a message"));
  CHECK(info.oid.size() == 40);
  CHECK(info.commit_url.ends_with("/alice/model/commit/" + info.oid));
  CHECK_FALSE(info.unchanged);
  CHECK(run(api->repo_info("alice/model")).sha == info.oid);

  const list_repo_tree_options everything{.recursive = true};
  std::vector<std::string> paths;
  for (const auto& entry : run(api->list_repo_tree("alice/model", everything).all()))
    paths.push_back(entry.path);
  std::sort(paths.begin(), paths.end());
  CHECK(paths ==
        std::vector<std::string>{".gitattributes", "config.json", "empty.bin", "w.safetensors"});
  const auto file = run(api->download_file("alice/model", "w.safetensors"));
  CHECK(test::read_all(file) == test::noise(200'000));
  CHECK(test::read_all(run(api->download_file("alice/model", "empty.bin"))).empty());
}

TEST_CASE_FIXTURE(client_fixture,
                  "what is unchanged is left out, and an empty commit is not made") {
  const auto first = put_file("alice/model", "a.txt", "same");
  put_file("alice/model", "w.bin", "large");
  const auto head = run(api->repo_info("alice/model")).sha;
  hub->clear_requests();
  std::vector<commit_operation> operations;
  operations.push_back(add_bytes("a.txt", "same"));
  operations.push_back(add_bytes("w.bin", "large"));
  const auto info = run(api->create_commit("alice/model", operations, "again"));
  CHECK(info.unchanged);
  CHECK(info.oid == head);
  CHECK(info.oid != first.oid);
  CHECK(hub->count_requests("/commit/") == 0);
  CHECK(hub->count_requests("", "PUT") == 0);
}

TEST_CASE_FIXTURE(client_fixture, "content that the Hub has is not sent again") {
  put_file("alice/model", "a.bin", test::noise(100'000));
  hub->clear_requests();
  put_file("alice/model", "b.bin", test::noise(100'000));
  CHECK(hub->count_requests("", "PUT") == 0);
  CHECK(test::read_all(run(api->download_file("alice/model", "b.bin"))) == test::noise(100'000));
}

TEST_CASE_FIXTURE(client_fixture,
                  "the token goes to the Hub alone, never to the store of large files") {
  put_file("alice/model", "w.bin", test::noise(100'000));
  run(api->download_file("alice/model", "w.bin"));
  std::size_t to_store = 0;
  for (const auto& request : hub->requests()) {
    if (!request.content) continue;
    ++to_store;
    CHECK_FALSE(request.authorized);
  }
  CHECK(to_store >= 2);  // a PUT and a GET
}

TEST_CASE_FIXTURE(client_fixture, "a stale parent is a conflict, and nothing is committed") {
  const auto first = put_file("alice/model", "a.txt", "1");
  const auto second = put_file("alice/model", "a.txt", "2");
  const create_commit_options stale{.parent_commit = first.oid};
  const auto failure =
      failure_of(api->create_commit("alice/model", one(add_bytes("a.txt", "3")), "late", stale));
  CHECK(failure.code() == errc::commit_conflict);
  CHECK(run(api->repo_info("alice/model")).sha == second.oid);
  const create_commit_options current{.parent_commit = second.oid};
  CHECK_FALSE(
      run(api->create_commit("alice/model", one(add_bytes("a.txt", "3")), "m", current)).unchanged);
}

TEST_CASE_FIXTURE(client_fixture, "a pull request leaves main alone") {
  const auto first = put_file("alice/model", "a.txt", "1");
  const create_commit_options as_pr{.create_pr = true};
  const auto info =
      run(api->create_commit("alice/model", one(add_bytes("a.txt", "2")), "propose", as_pr));
  REQUIRE(info.pr_num);
  CHECK(info.pr_revision == "refs/pr/" + std::to_string(*info.pr_num));
  CHECK(info.pr_url.ends_with("/discussions/" + std::to_string(*info.pr_num)));
  CHECK(run(api->repo_info("alice/model")).sha == first.oid);
  const download_options of_pr{.revision = info.pr_revision};
  CHECK(test::read_all(run(api->download_file("alice/model", "a.txt", of_pr))) == "2");
  const create_commit_options both{.revision = "dev", .create_pr = true};
  CHECK(failure_of(api->create_commit("alice/model", one(add_bytes("a", "b")), "m", both)).code() ==
        errc::invalid_argument);
}

TEST_CASE_FIXTURE(client_fixture,
                  "what cannot be committed is a typed error before or at the Hub") {
  put_file("alice/model", "a.txt", "1");
  const auto head = run(api->repo_info("alice/model")).sha;
  for (const char* path : {"../x", "a/../b", ".git/config", "a\\b", "", "dir/"}) {
    CAPTURE(path);
    const auto failure =
        failure_of(api->create_commit("alice/model", one(add_bytes(path, "x")), "m"));
    CHECK(failure.code() == errc::invalid_path);
  }
  CHECK(failure_of(api->create_commit("alice/model", one(add_bytes("b", "x")), "")).code() ==
        errc::invalid_argument);
  commit_operation_add missing;
  missing.path_in_repo = "b";
  missing.content = folder.path() / "no-such-file";
  const auto no_file = failure_of(api->create_commit("alice/model", one(missing), "m"));
  CHECK(no_file.code() == boost::system::errc::no_such_file_or_directory);
  CHECK(std::string(no_file.what()).find("no-such-file") != std::string::npos);
  CHECK(failure_of(api->create_commit("alice/model", one(commit_operation_delete{"nope"}), "m"))
            .code() == errc::entry_not_found);
  CHECK(failure_of(api->create_commit("alice/other", one(add_bytes("b", "x")), "m")).code() ==
        errc::repository_not_found);
  const create_commit_options elsewhere{.revision = "no-such-branch"};
  CHECK(failure_of(api->create_commit("alice/model", one(add_bytes("b", "x")), "m", elsewhere))
            .code() == errc::revision_not_found);
  CHECK(run(api->repo_info("alice/model")).sha == head);
}

TEST_CASE_FIXTURE(client_fixture,
                  "a folder is one commit, filtered, with deletions of what is gone") {
  const auto root = folder.path() / "out";
  test::write_all(root / "config.json", "{}");
  test::write_all(root / "weights/w.safetensors", test::noise(50'000));
  test::write_all(root / "logs/run.log", "log");
  test::write_all(root / ".git/config", "secret");
  test::write_all(root / ".cache/huggingface/x", "x");
  run(api->create_repo("alice/folder"));
  put_file("alice/folder", "models/stale.bin", "stale");
  upload_folder_options options;
  options.path_in_repo = "models";
  options.ignore_patterns.emplace_back("*.log");
  options.delete_patterns.emplace_back("*.bin");
  const auto info = run(api->upload_folder(root, "alice/folder", options));
  CHECK(info.commit_message == "Upload folder using cohub");
  const list_repo_tree_options everything{.recursive = true};
  std::vector<std::string> paths;
  for (const auto& entry : run(api->list_repo_tree("alice/folder", everything).all()))
    if (entry.type == tree_entry::kind::file) paths.push_back(entry.path);
  std::sort(paths.begin(), paths.end());
  CHECK(paths == std::vector<std::string>{".gitattributes", "models/config.json",
                                          "models/weights/w.safetensors"});
  CHECK(failure_of(api->upload_folder(folder.path() / "none", "alice/folder")).code() ==
        boost::system::errc::no_such_file_or_directory);
}

TEST_CASE_FIXTURE(client_fixture, "an upload survives a store that fails at first") {
  run(api->create_repo("alice/model"));
  hub_fault failing;
  failing.method = "PUT";
  failing.status = 500;
  failing.times = 2;
  hub->inject(failing);
  put_file("alice/model", "w.bin", test::noise(300'000));
  CHECK(hub->count_requests("", "PUT") == 3);
  CHECK(test::read_all(run(api->download_file("alice/model", "w.bin"))) == test::noise(300'000));
}

TEST_CASE_FIXTURE(client_fixture,
                  "a card that the Hub refuses stops the commit before any upload") {
  run(api->create_repo("alice/model"));
  hub_fault refusing;
  refusing.path_part = "/api/validate-yaml";
  refusing.status = 400;
  refusing.body = R"({"errors":[{"message":"\"license\" must be one of ..."}],"warnings":[]})";
  hub->inject(refusing);
  const auto failure =
      failure_of(api->create_commit("alice/model", one(add_bytes("README.md", "---\n---\n")), "m"));
  CHECK(failure.code() == errc::bad_request);
  CHECK(failure.http().server_message.ends_with("\"license\" must be one of ..."));
  CHECK(hub->count_requests("/preupload/") == 0);
}

TEST_CASE_FIXTURE(client_fixture, "what was acknowledged is there after the Hub starts again") {
  put_file("alice/model", "a.txt", "kept");
  const auto large = put_file("alice/model", "w.bin", test::noise(70'000));
  restart();
  connect();
  CHECK(run(api->repo_info("alice/model")).sha == large.oid);
  CHECK(test::read_all(run(api->download_file("alice/model", "w.bin"))) == test::noise(70'000));
}

TEST_CASE_FIXTURE(client_fixture, "the folder in the repository may be spelt as paths are") {
  const auto root = folder.path() / "out";
  test::write_all(root / "new.txt", "new");
  put_file("alice/folder", "models/stale.bin", "stale");
  put_file("alice/folder", "models/new.txt", "old");
  upload_folder_options options;
  options.delete_patterns.emplace_back("*");
  for (const char* spelt : {"./models", "/models/", "models//"}) {
    CAPTURE(spelt);
    options.path_in_repo = spelt;
    put_file("alice/folder", "models/stale.bin", "stale");
    run(api->upload_folder(root, "alice/folder", options));
    CHECK_FALSE(run(api->file_exists("alice/folder", "models/stale.bin")));
    CHECK(run(api->read_file("alice/folder", "models/new.txt")) == "new");
  }
  for (const char* wrong : {"..", "a/../b", ".git/x"}) {
    CAPTURE(wrong);
    options.path_in_repo = wrong;
    CHECK(failure_of(api->upload_folder(root, "alice/folder", options)).code() ==
          errc::invalid_path);
  }
}

namespace {

class listener final : public observer {
 public:
  void on_total(const transfer_total& total) override {
    if (total.way == transfer_progress::direction::upload) totals.push_back(total);
  }
  void on_event(const transfer_event& event) override {
    if (event.what == transfer_event::kind::warning) warned.push_back(event.file);
  }
  std::vector<transfer_total> totals{};
  std::vector<std::string> warned{};
};

}  // namespace

TEST_CASE_FIXTURE(client_fixture, "what no repository takes is left out of a folder, with a word") {
  const auto root = folder.path() / "out";
  test::write_all(root / "a.txt", "a");
  test::write_all(root / ".cache/pip/x", "x");
  test::write_all(root / "sub/.cache/y", "y");
  const auto heard = std::make_shared<listener>();
  const std::vector<std::string> left{".cache/pip/x", "sub/.cache/y"};
  run(api->create_repo("alice/folder"));
  SUBCASE("in one commit") {
    upload_folder_options options;
    options.observer = heard;
    run(api->upload_folder(root, "alice/folder", options));
  }
  SUBCASE("in many") {
    upload_large_folder_options options;
    options.observer = heard;
    CHECK(run(api->upload_large_folder(root, "alice/folder", options)).files == 1);
  }
  CHECK(heard->warned == left);
  CHECK(run(api->read_file("alice/folder", "a.txt")) == "a");
}

TEST_CASE_FIXTURE(client_fixture,
                  "the total of an upload counts small files, large ones and known ones") {
  const auto root = folder.path() / "out";
  std::uint64_t bytes = 0;
  for (int i = 0; i < 40; ++i) {
    const auto content = "content of " + std::to_string(i);
    bytes += content.size();
    test::write_all(root / (std::to_string(i) + ".txt"), content);
  }
  for (const char* name : {"w.bin", "same.bin"}) test::write_all(root / name, test::noise(80'000));
  test::write_all(root / "other.bin", test::noise(90'000));
  bytes += 80'000 * 2 + 90'000;
  put_file("alice/folder", "0.txt", "content of 0");
  put_file("alice/folder", "elsewhere.bin", test::noise(90'000));
  const auto heard = std::make_shared<listener>();
  SUBCASE("in one commit, which is sent twice") {
    hub_fault cut;
    cut.path_part = "/commit/";
    cut.status = 502;
    hub->inject(cut);
    upload_folder_options options;
    options.observer = heard;
    run(api->upload_folder(root, "alice/folder", options));
  }
  SUBCASE("in many") {
    upload_large_folder_options options;
    options.observer = heard;
    options.num_workers = 1;
    run(api->upload_large_folder(root, "alice/folder", options));
  }
  REQUIRE_FALSE(heard->totals.empty());
  for (const auto& total : heard->totals) CHECK(total.bytes_done <= total.bytes_total);
  const auto& last = heard->totals.back();
  CHECK(last.files_total == 43);
  CHECK(last.files_done == 43);
  CHECK(last.bytes_total == bytes);
  CHECK(last.bytes_done == bytes);
}
