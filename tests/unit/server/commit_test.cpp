#include "commit_text.hpp"
#include "core/base64.hpp"
#include "git_output.hpp"
#include "hub_caller.hpp"
#include "server/failure.hpp"
#include "server/git/git_repository.hpp"
#include "server/handlers/handlers.hpp"

#include <doctest/doctest.h>

#include <filesystem>
#include <span>
#include <string>

using namespace cohub::test;
namespace server = cohub::server;

TEST_CASE_FIXTURE(hub_caller, "a commit adds, replaces and deletes, and git agrees") {
  make_repo("m");
  CHECK(commit("alice/m",
               file_line("a.txt", "content") + file_line("d/b", "1") + file_line("d/c", "2"))
            .status == 200);
  const auto made = commit("alice/m", delete_line("d/b") + file_line("a.txt", "Hello, World!") +
                                          delete_folder_line("nothing/../d"));
  CHECK(made.status == 422);
  const auto second =
      commit("alice/m", delete_folder_line("d/") + file_line("a.txt", "Hello, World!"));
  REQUIRE(second.status == 200);
  const auto oid = text_at(second.json(), "/commitOid");
  CHECK(oid == head_of("alice/m"));
  CHECK(text_at(second.json(), "/commitUrl") == hub->endpoint() + "/alice/m/commit/" + oid);
  CHECK(git(git_dir("alice/m"), "ls-tree -r --name-only main").text == ".gitattributes\na.txt");
  CHECK(git(git_dir("alice/m"), "rev-parse main:a.txt").text ==
        "b45ef6fec89518d314f546fd6c3025367b721684");
  CHECK(git(git_dir("alice/m"), "log -1 --format=%an:%s main").text == "alice:change");
  CHECK(git(git_dir("alice/m"), "fsck --strict").status == 0);
}

TEST_CASE_FIXTURE(hub_caller, "a stale parent is refused with 412 and changes nothing") {
  make_repo("m");
  const auto first = head_of("alice/m");
  CHECK(commit("alice/m", file_line("a", "1"), "|" + first).status == 200);
  const auto second = head_of("alice/m");
  CHECK(commit("alice/m", file_line("a", "2"), "|" + first).status == 412);
  CHECK(head_of("alice/m") == second);
  CHECK(commit("alice/m", file_line("a", "2"), "|" + second.substr(0, 7)).status == 200);
}

TEST_CASE_FIXTURE(hub_caller, "a commit with one bad line changes nothing") {
  make_repo("m");
  const auto head = head_of("alice/m");
  const std::string good = file_line("a", "1");
  CHECK(commit("alice/m", good + delete_line("nope")).header("X-Error-Code") == "EntryNotFound");
  CHECK(commit("alice/m", good + "{\"key\":\"file\"\n").status == 400);
  CHECK(commit("alice/m", good + lfs_line("b", std::string(64, 'a'), 3)).status == 400);
  for (const char* path :
       {"../x", "a/../b", ".git/x", "a/.git/b", "a\\\\b", ".", "a//b", "a/", "a\\u0000b"})
    CHECK(commit("alice/m", good + file_line(path, "1")).status == 422);
  CHECK(head_of("alice/m") == head);
}

TEST_CASE_FIXTURE(hub_caller, "a file that is too large for git is refused") {
  make_repo("m");
  const auto head = head_of("alice/m");
  constexpr std::size_t most = 16u << 20;
  CHECK(commit("alice/m", file_line("a", std::string(most + 1, 'x'))).status == 413);
  CHECK(commit("alice/m", file_line("a", std::string(2 * most, 'x'))).status == 413);
  CHECK(head_of("alice/m") == head);
  CHECK(commit("alice/m", file_line("a", std::string(most, 'x'))).status == 200);
}

TEST_CASE_FIXTURE(hub_caller, "a line of a commit may be longer than what arrives at once") {
  make_repo("m");
  std::string large(3'500'000, '\0');
  for (std::size_t i = 0; i < large.size(); ++i) large[i] = static_cast<char>('a' + i % 23);
  REQUIRE(commit("alice/m", file_line("a", "1") + file_line("large", large) + file_line("z", "2"))
              .status == 200);
  CHECK(get("/alice/m/raw/main/large").body == large);
  CHECK(get("/alice/m/raw/main/a").body == "1");
  CHECK(get("/alice/m/raw/main/z").body == "2");
}

TEST_CASE_FIXTURE(hub_caller, "a commit that turns out bad half-way is refused when all has come") {
  make_repo("m");
  const auto head = head_of("alice/m");
  std::string lines;
  for (int i = 0; i < 100; ++i) lines += file_line("f" + std::to_string(i), std::to_string(i));
  lines += "{\"key\":\"file\"\n";
  lines += file_line("large", std::string(4'000'000, 'x'));
  CHECK(commit("alice/m", lines).status == 400);
  CHECK(head_of("alice/m") == head);
  CHECK(std::filesystem::is_empty(git_dir("alice/m") / "objects" / "pack"));
}

TEST_CASE_FIXTURE(hub_caller, "bodies that are no commits are refused") {
  make_repo("m");
  const std::string target = "/api/models/alice/m/commit/main";
  CHECK(post(target, "").status == 400);
  CHECK(post(target, "garbage").status == 400);
  CHECK(post(target, file_line("a", "1")).status == 400);
  CHECK(post(target, "{\"key\":\"header\",\"value\":{\"summary\":\"\"}}\n").status == 400);
  const auto head = head_of("alice/m");
  for (const char* header :
       {R"("summary":" ")", R"("summary":"\n\ntext")", R"("summary":"a\u0000b")",
        R"("summary":"a","description":"b\u0000c")"}) {
    CAPTURE(header);
    const std::string line = "{\"key\":\"header\",\"value\":{" + std::string(header) + "}}\n";
    CHECK(post(target, line + file_line("a", "1")).status == 422);
  }
  CHECK(head_of("alice/m") == head);
}

TEST_CASE_FIXTURE(hub_caller, "what a refused path holds is told in letters") {
  make_repo("m");
  const auto refused = commit("alice/m", file_line("a\\u0000b\\u0007", "1"));
  CHECK(refused.status == 422);
  CHECK(refused.header("X-Error-Message") == "Invalid path in repo: \"a\\x00b\\x07\"");
}

TEST_CASE_FIXTURE(hub_caller, "commits go to branches alone: not to ids, tags or missing names") {
  make_repo("m");
  post("/api/models/alice/m/tag/main", "{\"tag\":\"v1\"}");
  for (const std::string& revision : {std::string("nope"), std::string("v1"), head_of("alice/m")})
    CHECK(commit("alice/m", file_line("a", "1"), "", revision).header("X-Error-Code") ==
          "RevisionNotFound");
  CHECK(commit("alice/nothing", file_line("a", "1")).header("X-Error-Code") == "RepoNotFound");
}

TEST_CASE_FIXTURE(hub_caller, "a pull request has a ref of its own and leaves the branch alone") {
  make_repo("m");
  const auto head = head_of("alice/m");
  const auto made = commit("alice/m", file_line("a", "1"), "?create_pr=1");
  REQUIRE(made.status == 200);
  CHECK(text_at(made.json(), "/pullRequestUrl") == hub->endpoint() + "/alice/m/discussions/1");
  CHECK(head_of("alice/m") == head);
  CHECK(head_of("alice/m", "refs%2Fpr%2F1") == text_at(made.json(), "/commitOid"));
  const auto next = commit("alice/m", file_line("b", "1"), "?create_pr=1");
  CHECK(text_at(next.json(), "/pullRequestUrl").ends_with("/2"));
  CHECK(commit("alice/m", file_line("c", "1"), "", "refs%2Fpr%2F1").status == 200);
}

TEST_CASE_FIXTURE(hub_caller, "a pull request may start from an older commit") {
  make_repo("m");
  const auto older = head_of("alice/m");
  commit("alice/m", file_line("a", "1"));
  const auto made = commit("alice/m", file_line("b", "1"), "?create_pr=1|" + older);
  REQUIRE(made.status == 200);
  const auto commits = get("/api/models/alice/m/commits/refs%2Fpr%2F1").json();
  CHECK(text_at(commits, "/1/id") == older);
  CHECK(commit("alice/m", file_line("c", "1"), "|" + older).status == 412);
  CHECK(commit("alice/m", file_line("c", "1"), "?create_pr=1|" + std::string(40, 'a')).status ==
        404);
}

TEST_CASE_FIXTURE(hub_caller, "binary content is large from a tenth of what text may have") {
  make_repo("m");
  const auto mode = [this](const std::string& sample, std::uint64_t size) {
    const auto answer = post("/api/models/alice/m/preupload/main",
                             "{\"files\":[{\"path\":\"f\",\"size\":" + std::to_string(size) +
                                 ",\"sample\":\"" + cohub::core::base64_encode(sample) + "\"}]}");
    return text_at(answer.json(), "/files/0/uploadMode");
  };
  const auto most = config.lfs_threshold;
  const std::string cut_in_a_character = std::string(511, 'a') + "\xc3";
  CHECK(mode("text", most) == "regular");
  CHECK(mode("text", most + 1) == "lfs");
  CHECK(mode(cut_in_a_character, most) == "regular");
  CHECK(mode(std::string("a\0b", 3), most / 10) == "regular");
  CHECK(mode(std::string("a\0b", 3), most / 10 + 1) == "lfs");
  CHECK(mode("\xff\xfe", most / 10 + 1) == "lfs");
}

TEST_CASE_FIXTURE(hub_caller, "objects for a branch are taken from those who may write to it") {
  make_repo("m");
  const auto batch = [this](const std::string& ref) {
    cohub::http::fields json;
    json.set("Content-Type", "application/vnd.git-lfs+json");
    return send(cohub::http::method::post, "/alice/m.git/info/lfs/objects/batch", other,
                "{\"operation\":\"upload\",\"objects\":[]" + ref + "}", json)
        .status;
  };
  CHECK(batch(",\"ref\":{\"name\":\"main\"}") == 403);
  CHECK(batch(",\"ref\":{\"name\":\"refs/pr/1\"}") == 200);
  CHECK(batch("") == 200);
}

TEST_CASE_FIXTURE(hub_caller, "who may write: the owner's branches, but pull requests from all") {
  make_repo("m");
  const auto owner = token;
  token = reader;
  CHECK(commit("alice/m", file_line("a", "1")).status == 403);
  token = other;
  CHECK(commit("alice/m", file_line("a", "1")).status == 403);
  CHECK(commit("alice/m", file_line("a", "1"), "?create_pr=1").status == 200);
  CHECK(commit("alice/m", file_line("b", "1"), "", "refs%2Fpr%2F1").status == 200);
  token = owner;
  CHECK(commit("alice/m", file_line("a", "1"), "?create_pr=1").status == 200);
  token = other;
  CHECK(commit("alice/m", file_line("b", "1"), "", "refs%2Fpr%2F2").status == 403);
  token = {};
  CHECK(commit("alice/m", file_line("a", "1"), "?create_pr=1").status == 401);
}

TEST_CASE_FIXTURE(hub_caller, "preupload tells which files are large, ignored or there already") {
  make_repo("m");
  commit("alice/m", file_line("a.txt", "content") + file_line(".gitignore", "*.log\n"));
  const auto answers = post("/api/models/alice/m/preupload/main",
                            "{\"files\":[{\"path\":\"a.txt\",\"sample\":\"\",\"size\":7},"
                            "{\"path\":\"d/m.safetensors\",\"sample\":\"\",\"size\":1},"
                            "{\"path\":\"empty.bin\",\"sample\":\"\",\"size\":0},"
                            "{\"path\":\"huge.txt\",\"sample\":\"\",\"size\":20000000},"
                            "{\"path\":\"x.log\",\"sample\":\"\",\"size\":1}]}")
                           .json();
  const auto at = [&](const std::string& pointer) { return text_at(answers, pointer.c_str()); };
  CHECK(at("/files/0/uploadMode") == "regular");
  CHECK(at("/files/0/oid") == "6b584e8ece562ebffc15d38808cd6b98fc3d97ea");
  CHECK(at("/files/1/uploadMode") == "lfs");
  CHECK(at("/files/2/uploadMode") == "regular");
  CHECK(at("/files/3/uploadMode") == "lfs");
  CHECK(answers.at_pointer("/files/4/shouldIgnore").as_bool());
  CHECK_FALSE(answers.at_pointer("/files/3/shouldIgnore").as_bool());
  CHECK(at("/commitOid") == head_of("alice/m"));
  CHECK(post("/api/models/alice/m/preupload/main", "{\"files\":1}").status == 400);
}

TEST_CASE_FIXTURE(hub_caller, "new rules of the commit hold for it, also those that say nothing") {
  make_repo("m");
  commit("alice/m", file_line(".gitignore", "*.log\n"));
  const std::string files = R"({"files":[{"path":"x.log","sample":"","size":1}])";
  const auto is_ignored = [&](const std::string& rules) {
    return post("/api/models/alice/m/preupload/main", files + rules + '}')
        .json()
        .at_pointer("/files/0/shouldIgnore")
        .as_bool();
  };
  CHECK(is_ignored(""));
  CHECK_FALSE(is_ignored(R"(,"gitIgnore":"")"));
  CHECK(is_ignored(R"(,"gitIgnore":"*.log")"));
}

TEST_CASE_FIXTURE(hub_caller, "a pointer is committed with its object alone") {
  make_repo("m");
  const std::string sha256 = cohub::core::sha256_hex("content");
  const std::string pointer =
      "version https://git-lfs.github.com/spec/v1\noid sha256:" + sha256 + "\nsize 7\n";
  CHECK(commit("alice/m", file_line("w.bin", pointer)).status == 400);
  upload_object("alice/m", "content");
  CHECK(commit("alice/m", file_line("w.bin", pointer)).status == 200);
  CHECK(get("/alice/m/resolve/main/w.bin").status == 302);
}

TEST_CASE_FIXTURE(hub_caller, "a file may take the place of a folder whose files go") {
  make_repo("m");
  CHECK(commit("alice/m", file_line("a/b/x", "1") + file_line("a/y", "2")).status == 200);
  CHECK(commit("alice/m", delete_line("a/b/x") + file_line("a", "3")).status == 422);
  const auto lines = delete_line("a/b/x") + delete_line("a/y") + file_line("a", "3");
  CHECK(commit("alice/m", lines).status == 200);
  CHECK(get("/alice/m/resolve/main/a").body == "3");
  CHECK(git(git_dir("alice/m"), "fsck --strict").status == 0);
}

TEST_CASE_FIXTURE(hub_caller, "a repository is made with the files and the license given") {
  const auto made =
      post("/api/repos/create",
           R"({"name":"m","license":"mit","files":[{"path":"a/x","encoding":"base64",)"
           R"("content":"YWJj"},{"path":"b","content":"text"}]})");
  CHECK(made.status == 200);
  CHECK(get("/alice/m/resolve/main/a/x").body == "abc");
  CHECK(get("/alice/m/resolve/main/b").body == "text");
  CHECK(get("/alice/m/resolve/main/README.md").body == "---\nlicense: mit\n---\n");
  CHECK(get("/alice/m/resolve/main/.gitattributes").status == 200);
  CHECK(
      post("/api/repos/create", R"({"name":"n","files":[{"path":"../x","content":""}]})").status ==
      422);
  CHECK(get("/api/models/alice/n").status == 404);
}

TEST_CASE("an object that goes while its commit arrives is missed in the end") {
  temporary_folder folder;
  cohub::local_hub_config config;
  config.root = folder.path() / "hub";
  server::hub_store store(config);
  server::repo_record record;
  record.id = "alice/m";
  REQUIRE(store.repos.create(record));
  const std::string content = "large content";
  const auto sha256 = cohub::core::sha256_hex(content);
  server::incoming_object object(store.objects);
  object.write(std::as_bytes(std::span(content)));
  REQUIRE(object.store_as(sha256, content.size()));
  REQUIRE(store.repos.add_object(record.type, record.id, sha256));
  server::call what;
  what.id = record.id;
  what.revision = "main";
  what.headers.set("Authorization", "Bearer " + store.tokens.create("alice", "write").token);
  const auto arriving = server::receive_commit(store, what);
  const auto head = server::git_repository(store.repos.path_of(record.type, record.id));
  const auto before = head.resolve("main");
  arriving->take("{\"key\":\"header\",\"value\":{\"summary\":\"x\"}}\n" +
                 lfs_line("w.bin", sha256, content.size()));
  store.repos.keep_objects(record.type, record.id, {});
  int status = 0;
  try {
    arriving->finish();
  } catch (const server::failure& problem) {
    status = problem.status();
  }
  CHECK(status == 400);
  CHECK(head.resolve("main") == before);
}

TEST_CASE("a repository that goes while a commit to it arrives is missed") {
  temporary_folder folder;
  cohub::local_hub_config config;
  config.root = folder.path() / "hub";
  server::hub_store store(config);
  server::repo_record record;
  record.id = "alice/m";
  REQUIRE(store.repos.create(record));
  server::call what;
  what.id = record.id;
  what.revision = "main";
  what.headers.set("Authorization", "Bearer " + store.tokens.create("alice", "write").token);
  const auto answer_of = [](const auto& work) {
    try {
      work();
    } catch (const server::failure& problem) {
      return std::to_string(problem.status()) + ' ' + problem.code();
    }
    return std::string();
  };
  const auto arriving = server::receive_commit(store, what);
  arriving->take("{\"key\":\"header\",\"value\":{\"summary\":\"x\"}}\n" + file_line("a", "1"));
  REQUIRE(store.repos.take_away(record.type, record.id));
  const auto more = file_line("b", "2") + lfs_line("w.bin", std::string(64, 'a'), 1);
  CHECK(answer_of([&] { arriving->take(more); }) == "404 RepoNotFound");
  CHECK(answer_of([&] { arriving->finish(); }) == "404 RepoNotFound");
}

TEST_CASE_FIXTURE(hub_caller, "names that git keeps for itself are refused") {
  make_repo("m");
  const auto head = head_of("alice/m");
  for (const char* name : {".GIT/config", "a/.Git/x", ".git /x", ".git.", "git~1"}) {
    CAPTURE(name);
    CHECK(commit("alice/m", file_line(name, "1")).status == 422);
  }
  CHECK(head_of("alice/m") == head);
}

TEST_CASE_FIXTURE(hub_caller, "a batch says how large its objects are, and how they are named") {
  make_repo("m");
  const auto batch = [&](const std::string& fields) {
    return post(
               "/alice/m.git/info/lfs/objects/batch",
               R"({"operation":"upload","objects":[{"oid":")" + std::string(64, 'a') + '"' + fields)
        .status;
  };
  CHECK(batch(R"(,"size":3}]})") == 200);
  CHECK(batch(R"(,"size":3}],"hash_algo":"sha_256"})") == 200);
  CHECK(batch(R"(}]})") == 422);
  CHECK(batch(R"(,"size":-3}]})") == 422);
  CHECK(batch(R"(,"size":3}],"hash_algo":"sha512"})") == 409);
}

TEST_CASE_FIXTURE(hub_caller, "a folder may be deleted by its name, without a slash") {
  make_repo("m");
  commit("alice/m", file_line("d/a.txt", "1") + file_line("d/e/b.txt", "2") + file_line("c", "3"));
  CHECK(commit("alice/m", delete_line("d")).status == 200);
  CHECK(get("/alice/m/resolve/main/d/e/b.txt").status == 404);
  CHECK(get("/alice/m/resolve/main/c").body == "3");
  CHECK(commit("alice/m", delete_line("d")).header("X-Error-Code") == "EntryNotFound");
}
