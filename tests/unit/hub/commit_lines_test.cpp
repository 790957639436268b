#include "hub/commit_lines.hpp"

#include "cohub/error.hpp"

#include "core/base64.hpp"

#include <doctest/doctest.h>

using namespace cohub;
using namespace cohub::hub;

TEST_CASE("lines are what the Hub reads") {
  CHECK(commit_header_line("s", "d", "") ==
        "{\"key\":\"header\",\"value\":{\"summary\":\"s\",\"description\":\"d\"}}\n");
  CHECK(commit_delete_line("a/b", true) ==
        "{\"key\":\"deletedFolder\",\"value\":{\"path\":\"a/b/\"}}\n");
  CHECK(commit_lfs_line("m", std::string(64, 'a'), 5) ==
        "{\"key\":\"lfsFile\",\"value\":{\"path\":\"m\",\"algo\":\"sha256\",\"oid\":\"" +
            std::string(64, 'a') + "\",\"size\":5}}\n");
}

TEST_CASE("what is written is read back, whatever is in it") {
  const std::string path = "dir/\"quoted\" \\ü\n.txt";
  const std::string content("\0\x01\xff{}", 5);
  auto text = commit_file_prefix() + core::base64_encode(content) + commit_file_suffix(path);
  REQUIRE(text.ends_with('\n'));
  text.pop_back();
  CHECK(text.find('\n') == text.npos);
  const auto line = read_commit_line(text).value();
  CHECK(std::get<commit_file>(line).path == path);
  CHECK(std::get<commit_file>(line).content == content);
}

TEST_CASE("the Python client's blanks make no difference") {
  const auto header =
      read_commit_line(
          R"({"key": "header", "value": {"summary": "s", "description": "", "parentCommit": "abc"}})")
          .value();
  CHECK(std::get<commit_header>(header).parent_commit == "abc");
  const auto file =
      read_commit_line(
          R"({"key": "file", "value": {"content": "Yg==", "path": "p", "encoding": "base64"}})")
          .value();
  CHECK(std::get<commit_file>(file).content == "b");
  const auto folder =
      read_commit_line(R"({"key":"deletedFolder","value":{"path":"old/"}})").value();
  CHECK(std::get<commit_deleted>(folder).path == "old");
  CHECK(std::get<commit_deleted>(folder).is_folder);
}

TEST_CASE("a file that was renamed tells where it was") {
  const auto file =
      read_commit_line(R"({"key":"file","value":{"content":"b","path":"new","oldPath":"old"}})")
          .value();
  CHECK(std::get<commit_file>(file).old_path == "old");
  const auto large = read_commit_line(R"({"key":"lfsFile","value":{"path":"new","oldPath":"old",)"
                                      R"("algo":"sha256","oid":")" +
                                      std::string(64, 'a') + "\"}}")
                         .value();
  CHECK(std::get<commit_lfs_file>(large).old_path == "old");
}

TEST_CASE("lines of another shape are refused") {
  for (const char* text :
       {"", "[]", "{}", R"({"key":"file"})", R"({"key":"fly","value":{"path":"a"}})",
        R"({"key":"file","value":{"path":"a"}})", R"({"key":"file","value":{"content":"Yg=="}})",
        R"({"key":"file","value":{"path":"a","content":"!","encoding":"base64"}})",
        R"({"key":"file","value":{"path":"a","content":"x","encoding":"gzip"}})",
        R"({"key":"lfsFile","value":{"path":"a","oid":"../x"}})"}) {
    CAPTURE(text);
    const auto line = read_commit_line(text);
    REQUIRE_FALSE(line.has_value());
    CHECK(line.error() == errc::bad_request);
  }
}

TEST_CASE("the answer to a commit is read, with its pull request") {
  const std::string id(40, 'a');
  const auto info = read_commit_reply(R"({"success":true,"commitOid":")" + id +
                                      R"(","commitUrl":"https://h/u/r/commit/a","hookOutput":"",)"
                                      R"("pullRequestUrl":"https://h/u/r/discussions/3"})")
                        .value();
  CHECK(info.oid == id);
  CHECK(info.pr_num == 3);
  CHECK(info.pr_revision == "refs/pr/3");
  for (const char* body : {"", "{}", R"({"commitOid":"x","commitUrl":"y"})", "[1]"}) {
    CAPTURE(body);
    CHECK_FALSE(read_commit_reply(body).has_value());
    CHECK_FALSE(read_commit_refusal(body).has_value());
  }
  CHECK(read_commit_refusal(R"({"success":false,"error":"no room"})") == "no room");
  CHECK(read_commit_refusal(R"({"success":false})") == "");
  CHECK_FALSE(read_commit_refusal(R"({"success":true})").has_value());
}
