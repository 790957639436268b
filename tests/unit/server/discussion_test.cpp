#include "commit_text.hpp"
#include "hub_caller.hpp"
#include "io/file.hpp"
#include "server/discussions.hpp"
#include "server/repo_store.hpp"

#include <doctest/doctest.h>

#include <filesystem>
#include <string>

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
