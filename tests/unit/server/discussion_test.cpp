#include "commit_text.hpp"
#include "hub_caller.hpp"
#include "io/file.hpp"
#include "server/git/git_repository.hpp"
#include "server/handlers/discussions.hpp"
#include "server/store/repo_store.hpp"

#include <doctest/doctest.h>

#include <filesystem>
#include <string>
#include <vector>

using namespace cohub::test;
using method = cohub::http::method;
namespace server = cohub::server;

namespace {

struct discussion_fixture : hub_caller {
  discussion_fixture() { make_repo("m"); }

  answer propose(const std::string& summary, const std::string& description = {}) {
    return send(method::post, "/api/models/alice/m/commit/main?create_pr=1", other,
                "{\"key\":\"header\",\"value\":{\"summary\":\"" + summary +
                    "\",\"description\":\"" + description + "\"}}\n" + file_line("a", "1"));
  }
  answer open(const std::string& title) {
    return post("/api/models/alice/m/discussions",
                "{\"title\":\"" + title + "\",\"description\":\"text\"}");
  }
  boost::json::value discussion(int number) {
    return get("/api/models/alice/m/discussions/" + std::to_string(number)).json();
  }
};

}  // namespace

TEST_CASE("texts are counted and cut by characters") {
  CHECK(server::count_characters("a\xc3\xa9\xe2\x82\xac") == 3);
  CHECK(server::shortened("a\xc3\xa9\xe2\x82\xac", 2) == "a\xc3\xa9");
  CHECK(server::shortened("abc", 3) == "abc");
  CHECK(server::shortened("abc", 0).empty());
}

TEST_CASE_FIXTURE(discussion_fixture, "who may only propose cannot fill the repository with text") {
  CHECK(propose(std::string(2000, 's')).status == 422);
  CHECK(propose("s", std::string(70'000, 'd')).status == 422);
  CHECK(get("/api/models/alice/m/discussions").json().at("count").as_int64() == 0);
  CHECK(propose(std::string(1000, 's'), "d").status == 200);
  CHECK(text_at(discussion(1), "/title") == std::string(200, 's'));
}

TEST_CASE_FIXTURE(discussion_fixture,
                  "what is said in a discussion does not make its repository slow") {
  const auto record = git_dir("alice/m") / "cohub.json";
  const auto before = std::filesystem::file_size(record);
  CHECK(open("a title").status == 200);
  CHECK(propose("a change").status == 200);
  CHECK(std::filesystem::file_size(record) == before);
  CHECK(text_at(discussion(1), "/title") == "a title");
  CHECK(text_at(discussion(2), "/title") == "a change");
  restart();
  CHECK(get("/api/models/alice/m/discussions").json().at("count").as_int64() == 2);
  CHECK(open("third").status == 200);
  CHECK(text_at(discussion(3), "/title") == "third");
}

TEST_CASE_FIXTURE(discussion_fixture, "discussions of an earlier version's record are taken over") {
  const auto record = git_dir("alice/m") / "cohub.json";
  auto facts = cohub::io::read_file(record, 10'000);
  facts.pop_back();
  facts += R"(,"discussions":[{"num":7,"title":"from before","author":"bob","events":[]}]})";
  cohub::io::write_file_atomically(record, facts);
  std::filesystem::remove_all(git_dir("alice/m") / "cohub-discussions");
  restart();
  CHECK(text_at(discussion(7), "/title") == "from before");
  CHECK(open("the next").status == 200);
  CHECK(text_at(discussion(8), "/title") == "the next");
}

TEST_CASE_FIXTURE(discussion_fixture, "a title has 3 to 200 characters, in any script") {
  std::string title;
  for (int i = 0; i < 200; ++i) title += "\xe2\x82\xac";
  CHECK(open(title).status == 200);
  CHECK(open(title + "a").status == 400);
  CHECK(open("\xc3\xa9\xc3\xa9").status == 400);
}

TEST_CASE_FIXTURE(discussion_fixture, "an edited comment tells when it was edited") {
  CHECK(open("a title").status == 200);
  const auto opened = discussion(1);
  const auto id = text_at(opened, "/events/0/id");
  const auto target = "/api/models/alice/m/discussions/1/comment/" + id + "/edit";
  CHECK(text_at(opened, "/events/0/data/latest/updatedAt") ==
        text_at(opened, "/events/0/createdAt"));
  const auto begun = server::timestamp_now();
  CHECK(post(target, R"({"content":"other"})").status == 200);
  CHECK(text_at(discussion(1), "/events/0/data/latest/updatedAt") >= begun);
}

TEST_CASE_FIXTURE(discussion_fixture, "a remark that is refused merges nothing") {
  CHECK(propose("a change").status == 200);
  const auto head = head_of("alice/m");
  const std::string comment(70'000, 'c');
  const std::string target = "/api/models/alice/m/discussions/1/merge";
  CHECK(post(target, "{\"comment\":\"" + comment + "\"}").status == 400);
  CHECK(head_of("alice/m") == head);
  CHECK(post(target, R"({"comment":"well done"})").status == 200);
  CHECK(head_of("alice/m") != head);
}

TEST_CASE_FIXTURE(discussion_fixture, "who edited a comment is told, and what it said before") {
  const auto opened = send(method::post, "/api/models/alice/m/discussions", other,
                           R"({"title":"a title","description":"bob's words"})");
  REQUIRE(opened.status == 200);
  CHECK(discussion(1).at_pointer("/events/0/data/history").as_array().empty());
  const auto comment =
      "/api/models/alice/m/discussions/1/comment/" + text_at(discussion(1), "/events/0/id");
  CHECK(post(comment + "/edit", R"({"content":"alice's words"})").status == 200);
  restart();
  CHECK(post(comment + "/edit", R"({"content":"more of them"})").status == 200);
  const auto edited = discussion(1);
  CHECK(text_at(edited, "/events/0/author/name") == "bob");
  CHECK(text_at(edited, "/events/0/data/latest/author/name") == "alice");
  CHECK(text_at(edited, "/events/0/data/latest/raw") == "more of them");
  CHECK(edited.at_pointer("/events/0/data/history").as_array().size() == 2);
  CHECK(edited.at_pointer("/events/0/data/numEdits").as_int64() == 2);
  CHECK(text_at(edited, "/events/0/data/history/0/author/name") == "bob");
  CHECK(text_at(edited, "/events/0/data/history/0/raw") == "bob's words");
  CHECK(text_at(edited, "/events/0/data/history/1/author/name") == "alice");
  CHECK(post(comment + "/hide", "{}").status == 200);
  CHECK(get("/api/models/alice/m/discussions/1").body.find("words") == std::string::npos);
}

TEST_CASE_FIXTURE(discussion_fixture, "what has no history in common is not merged") {
  commit("alice/m", file_line("old", "1") + file_line("b", "1"));
  CHECK(propose("a change").status == 200);
  commit("alice/m", delete_line("old"));
  CHECK(post("/api/models/alice/m/super-squash/main", R"({"message":"one"})").status == 200);
  const auto head = head_of("alice/m");
  const auto details = discussion(1);
  const auto& conflicts = details.at("filesWithConflicts").as_array();
  REQUIRE(conflicts.size() == 2);
  CHECK(conflicts[0].as_string() == "a");
  CHECK(conflicts[1].as_string() == "old");
  CHECK(post("/api/models/alice/m/discussions/1/merge", "{}").status == 409);
  CHECK(head_of("alice/m") == head);
  CHECK(text_at(discussion(1), "/status") == "open");
}

TEST_CASE_FIXTURE(discussion_fixture, "names that a plain git has pushed keep no answer back") {
  server::git_repository repository(git_dir("alice/m"));
  const auto push = [&](const std::string& ref, const std::string& name) {
    const auto before = repository.ref_target("refs/heads/main").value();
    std::vector<server::git_change> changes(1);
    changes[0].path = name;
    changes[0].blob = repository.write_blob(name);
    const auto made = repository.write_commit(before, changes, "a \xff message", "n\xff");
    repository.set_ref(ref, made, config.root / "tmp");
  };
  CHECK(propose("a change").status == 200);
  push("refs/heads/main", ".GIT/config");
  push("refs/heads/main", "folder\xff/x");
  push("refs/heads/main", "hidden\xff");
  CHECK(post("/api/models/alice/m/discussions/1/merge", "{}").status == 422);
  CHECK(get("/api/models/alice/m/discussions/1?diff=1").status == 200);
  const auto commits = get("/api/models/alice/m/commits/main");
  REQUIRE(commits.status == 200);
  CHECK(commits.json().as_array().size() == 4);
  CHECK(commits.body.find("a \xef\xbf\xbd message") != std::string::npos);
  for (const char* target : {"/api/models/alice/m/tree/main?recursive=true&expand=true",
                             "/api/models/alice/m", "/api/models/alice/m?blobs=true"}) {
    CAPTURE(target);
    const auto got = get(target);
    CHECK(got.status == 200);
    CHECK(cohub::hub::parse_json(got.body).has_value());
    CHECK(got.body.find("hidden") == std::string::npos);
    CHECK(got.body.find("folder") == std::string::npos);
    CHECK(got.body.find(".gitattributes") != std::string::npos);
  }
}

TEST_CASE_FIXTURE(discussion_fixture, "a tag of a branch's name is not in the way of the branch") {
  CHECK(post("/api/models/alice/m/tag/main", R"({"tag":"main"})").status == 200);
  CHECK(post("/api/models/alice/m/tag/main", R"({"tag":"v1"})").status == 200);
  CHECK(post("/api/models/alice/m/super-squash/main", R"({"message":"one"})").status == 200);
  CHECK(post("/api/models/alice/m/super-squash/v1", R"({"message":"one"})").status == 400);
}

TEST_CASE_FIXTURE(discussion_fixture, "discussions are read one by one, the newest first") {
  for (const char* title : {"first", "second", "third"}) CHECK(open(title).status == 200);
  cohub::io::write_file_atomically(git_dir("alice/m") / "cohub-discussions" / "2.json", "[");
  const server::discussion_store store(git_dir("alice/m"), config.root / "tmp");
  std::vector<std::string> titles;
  store.for_each([&](const server::discussion& each) { titles.push_back(each.title); });
  CHECK(titles == std::vector<std::string>{"third", "first"});
  const auto page = get("/api/models/alice/m/discussions").json();
  CHECK(page.at("count").as_int64() == 2);
  CHECK(text_at(page, "/discussions/0/title") == "third");
  CHECK(text_at(page, "/discussions/1/title") == "first");
  const auto beyond = get("/api/models/alice/m/discussions?p=1").json();
  CHECK(beyond.at("count").as_int64() == 2);
  CHECK(beyond.at("start").as_int64() == 50);
  CHECK(beyond.at("discussions").as_array().empty());
}

TEST_CASE_FIXTURE(discussion_fixture,
                  "what becomes a commit's message has a first line, and no NUL") {
  CHECK(open("a \\u0000 title").status == 400);
  const std::string target = "/api/models/alice/m/super-squash/main";
  CHECK(post(target, R"({"message":"one\u0000two"})").status == 422);
  CHECK(post(target, R"({"message":" \n \n"})").status == 422);
}
