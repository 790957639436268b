#include "hub/repo_replies.hpp"

#include "cohub/error.hpp"

#include <boost/json/serialize.hpp>
#include <doctest/doctest.h>

#include <random>

using namespace cohub;
using namespace cohub::hub;

namespace {
const std::string sha(40, 'a');
const std::string oid(64, 'b');
}  // namespace

TEST_CASE("a tree's entries: files, large files, folders") {
  const auto entries =
      read_tree_page(R"([{"type":"directory","oid":"d","size":0,"path":"dir"},
        {"type":"file","oid":"f","size":22972370,"path":"dir/m","lfs":{"oid":")" +
                     oid + R"(","size":22972370,"pointerSize":134},"xetHash":"x"}])")
          .value();
  REQUIRE(entries.size() == 2);
  CHECK(entries[0].type == tree_entry::kind::directory);
  REQUIRE(entries[1].lfs);
  CHECK(entries[1].lfs->sha256 == oid);
  CHECK(entries[1].size == 22972370);
  const auto again =
      read_tree_page("[" + boost::json::serialize(write_tree_entry(entries[1])) + "]").value();
  CHECK(again[0].lfs->pointer_size == 134);
}

TEST_CASE("an expanded tree tells of the last commit and of scans") {
  const auto entries =
      read_tree_page(R"([{"type":"file","oid":"f","size":1,"path":"a","lastCommit":{"id":")" + sha +
                     R"(","title":"t","date":"2023-05-24T12:29:23.000Z"},
        "securityFileStatus":{"status":"safe","avScan":{"virusFound":false}}},
        {"type":"directory","oid":"d","size":0,"path":"b","lastCommit":{"id":"x","title":"u"}},
        {"type":"file","oid":"g","size":1,"path":"c","lastCommit":null}])")
          .value();
  REQUIRE(entries.size() == 3);
  REQUIRE(entries[0].last_commit);
  CHECK(entries[0].last_commit->oid == sha);
  CHECK(entries[0].last_commit->date == "2023-05-24T12:29:23.000Z");
  REQUIRE(entries[0].security);
  CHECK(entries[0].security->safe());
  CHECK(entries[0].security->json.find("virusFound") != std::string::npos);
  REQUIRE(entries[1].last_commit);
  CHECK(entries[1].last_commit->title == "u");
  CHECK_FALSE(entries[2].last_commit);
  CHECK_FALSE(entries[2].security);
}

TEST_CASE("large objects and the room of repositories") {
  const auto files = read_lfs_files(R"([{"fileOid":"f","filename":"a/b","oid":")" + oid +
                                    R"(","pushedAt":"2024-01-02T03:04:05.000Z","size":7}])")
                         .value();
  REQUIRE(files.size() == 1);
  CHECK(files[0].file_oid == "f");
  CHECK(files[0].oid == oid);
  CHECK(files[0].size == 7);
  CHECK(files[0].ref.empty());
  const auto repos = read_user_repos(R"([{"id":"u/r","type":"space","updatedAt":"t",
      "visibility":"protected","storage":9,"storagePercent":12.5},{"id":"u/s"}])")
                         .value();
  REQUIRE(repos.size() == 2);
  CHECK(repos[0].visibility == "protected");
  CHECK(repos[0].storage == 9);
  CHECK(repos[0].storage_percent == 12.5);
  for (const char* body : {"", "{}", "[1]", "[{}]"}) {
    CAPTURE(body);
    CHECK_FALSE(read_lfs_files(body).has_value());
    CHECK_FALSE(read_user_repos(body).has_value());
  }
}

TEST_CASE("what is neither file nor folder is passed over") {
  const auto entries = read_tree_page(R"([{"type":"unknown","oid":"1","size":0,"path":"sub"},
    {"type":"file","oid":"f","size":1,"path":"a"}])")
                           .value();
  REQUIRE(entries.size() == 1);
  CHECK(entries[0].path == "a");
}

TEST_CASE("trees of another shape are refused") {
  for (const char* body :
       {"", "{}", "[1]", R"([{"type":"file"}])", R"([{"path":"a","size":1}])",
        R"([{"type":"file","path":"a","size":-1}])", R"([{"type":"file","path":"a","size":"1"}])",
        R"([{"type":"file","path":"a","size":1.5}])",
        R"([{"type":"file","path":"a","size":1e300}])"}) {
    CAPTURE(body);
    const auto read = read_tree_page(body);
    REQUIRE_FALSE(read.has_value());
    CHECK(read.error() == errc::invalid_response);
  }
  CHECK_FALSE(read_tree_page(std::string(100'000, '[')).has_value());
}

TEST_CASE("info of a repository, with and without what files are") {
  const auto info = read_repo_info(R"({"id":"u/r","sha":")" + sha +
                                   R"(","private":true,"gated":"manual","tags":["a",1],"siblings":[
      {"rfilename":"f","size":3,"blobId":"x","lfs":{"sha256":")" +
                                   oid + R"(","size":3,"pointerSize":1}},{"rfilename":"g"}]})")
                        .value();
  CHECK(info.is_private);
  CHECK(info.gated == "manual");
  CHECK(info.tags == std::vector<std::string>{"a"});
  REQUIRE(info.siblings.size() == 2);
  CHECK(info.siblings[0].lfs->sha256 == oid);
  CHECK_FALSE(info.siblings[1].size);
  CHECK(read_repo_info(R"({"id":"u/r","gated":false,"sha":null})").value().gated.empty());
  CHECK_FALSE(read_repo_info(R"({"id":"u/r","sha":"../../x"})").has_value());
  CHECK_FALSE(read_repo_info("{}").has_value());
}

TEST_CASE("what a Hub says of a repository is kept to the last digit of its numbers") {
  const auto info = read_repo_info(R"({"id":"u/r","cardData":{"value":0.22941573387056174}})");
  CHECK(info->json.find("2.2941573387056174E-1") != std::string::npos);
}

TEST_CASE("whose token it is") {
  const auto user = read_whoami(R"({"name":"me","orgs":[{"name":"o"}],"type":"user",
      "auth":{"type":"access_token","accessToken":{"displayName":"t","role":"write"}}})")
                        .value();
  CHECK(user.name == "me");
  CHECK(user.orgs == std::vector<std::string>{"o"});
  CHECK(user.token_role == "write");
  CHECK_FALSE(read_whoami(R"({"fullname":"x"})").has_value());
}

TEST_CASE("the id of a new repository is in its url") {
  struct {
    const char* url;
    repo_type type;
    const char* asked;
    const char* id;
  } const cases[] = {
      {"https://hub/me/thing", repo_type::model, "thing", "me/thing"},
      {"https://hub/spaces/me/thing", repo_type::space, "thing", "me/thing"},
      {"https://hub/a/prefix/datasets/me/thing", repo_type::dataset, "me/thing", "me/thing"},
      {"https://hub/datasets/thing", repo_type::dataset, "thing", "thing"},
      {"https://hub/something/else", repo_type::model, "me/thing", "me/thing"},
  };
  for (const auto& c : cases) {
    CAPTURE(c.url);
    const auto made =
        read_repo_url(std::string(R"({"url":")") + c.url + "\"}", c.type, c.asked).value();
    CHECK(made.repo_id == c.id);
    CHECK(made.url == c.url);
  }
  CHECK_FALSE(read_repo_url("{}", repo_type::model, "a").has_value());
}

TEST_CASE("mutated answers never do worse than fail") {
  const std::string seeds[] = {
      R"([{"type":"file","oid":"f","size":22,"path":"a","lfs":{"oid":")" + oid +
          R"(","size":22}}])",
      R"({"id":"u/r","sha":")" + sha + R"(","siblings":[{"rfilename":"f","size":3}]})"};
  std::mt19937 random(7);
  for (int i = 0; i < 5000; ++i) {
    std::string text = seeds[i % 2];
    for (int change = 0; change < 3; ++change) {
      const auto at = random() % text.size();
      if (random() % 3 == 0)
        text.erase(at, 1 + random() % 4);
      else
        text[at] = static_cast<char>(random());
    }
    const auto tree = read_tree_page(text);
    const auto info = read_repo_info(text);
    CHECK((!tree.has_value() || !info.has_value()));  // no text is both
  }
}
