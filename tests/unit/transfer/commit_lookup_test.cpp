#include "transfer/commit/commit_lookup.hpp"

#include "scripted_hub.hpp"
#include "support/git_blob_id.hpp"

#include <doctest/doctest.h>

using namespace cohub;
using test::scripted_reply;
using test::seen_request;

namespace {

const std::string made(40, 'b');

/// A commit whose answer was lost, and a branch that has got one since.
struct fixture : test::scripted_hub {
  fixture() {
    commit->repo_id = "o/m";
    commit->message = "a message";
    commit->head = test::scripted_commit;
    commit->plan = std::make_shared<transfer::commit_plan>();
    api_fault = [this](const seen_request& request) -> std::optional<scripted_reply> {
      if (request.line.find("/commits/") != std::string::npos)
        return scripted_reply::text(200, R"([{"id":")" + made + R"(","title":")" + title +
                                             R"("},{"id":")" + test::scripted_commit + R"("}])");
      if (request.line.find("/paths-info/") == std::string::npos) return std::nullopt;
      asked = request.body;
      return scripted_reply::text(200, listing());
    };
  }
  void add(const std::string& path, const std::string& content) {
    transfer::planned_add one;
    one.path = path;
    one.sent_id = test::git_blob_id(content);
    commit->plan->adds.push_back(std::move(one));
  }
  bool is_found() {
    const auto found = run(transfer::find_made_commit(shared, commit));
    if (found) CHECK(found->oid == made);
    return found.has_value();
  }
  transfer::commit_ptr commit = std::make_shared<transfer::commit_in_progress>();
  std::string title = "a message";
  std::string asked;
};

}  // namespace

TEST_CASE_FIXTURE(fixture, "a commit is known by what it brought, not by what files hold now") {
  add("log.txt", "as it was sent");
  files["log.txt"] = {"as it was sent"};
  CHECK(is_found());
  files["log.txt"] = {"another's"};
  CHECK_FALSE(is_found());
}

TEST_CASE_FIXTURE(fixture, "one whose contents were never sent whole was not made") {
  add("log.txt", "");
  commit->plan->adds[0].sent_id.clear();
  files["log.txt"] = {""};
  CHECK_FALSE(is_found());
}

TEST_CASE_FIXTURE(fixture, "a title is the same without the blanks around it") {
  add("a.txt", "a");
  files["a.txt"] = {"a"};
  for (const char* message : {" a message", "\n a message \n\nmore", "a message\r\nmore"}) {
    CAPTURE(message);
    commit->message = message;
    CHECK(is_found());
  }
  commit->message = "a messages";
  CHECK_FALSE(is_found());
}

TEST_CASE_FIXTURE(fixture, "the attributes that a Hub adds to do not hide a commit") {
  add(".gitattributes", "ours");
  SUBCASE("beside other files, they are not asked for") {
    add("w.bin", "content");
    files["w.bin"] = {"content"};
    CHECK(is_found());
    CHECK(asked.find("gitattributes") == std::string::npos);
  }
  SUBCASE("alone, they are all there is to know it by") {
    files[".gitattributes"] = {"ours, and what the Hub added"};
    CHECK_FALSE(is_found());
    files[".gitattributes"] = {"ours"};
    CHECK(is_found());
  }
}
