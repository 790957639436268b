#include "hub/preupload.hpp"

#include "cohub/error.hpp"

#include <doctest/doctest.h>

using namespace cohub;
using namespace cohub::hub;

TEST_CASE("the question is written as the Hub reads it") {
  const std::string sample("\0\xff", 2);
  CHECK(write_preupload_request({{"app.py", 152, "abc"}}, "*.log") ==
        R"({"files":[{"path":"app.py","sample":"YWJj","size":152}],"gitIgnore":"*.log"})");
  const auto read = read_preupload_request(write_preupload_request({{"ü", 2, sample}})).value();
  REQUIRE(read.files.size() == 1);
  CHECK(read.files[0].path == "ü");
  CHECK(read.files[0].sample == sample);
}

TEST_CASE("the answer is read") {
  const auto reply =
      read_preupload_reply(
          R"({"files": [{"path":"a","uploadMode":"regular","shouldIgnore":false,"oid":"1a42"},
              {"path":"b","uploadMode":"lfs","shouldIgnore":true,"oid":null}],"commitOid":"8a"})")
          .value();
  CHECK(reply.commit_oid.empty());  // not a commit's id
  const auto& answers = reply.files;
  REQUIRE(answers.size() == 2);
  CHECK(answers[0].mode == upload_mode::regular);
  CHECK(answers[0].oid == "1a42");
  CHECK(answers[1].mode == upload_mode::lfs);
  CHECK(answers[1].ignore);
  CHECK(answers[1].oid.empty());
  const std::string head(40, 'a');
  const auto again = read_preupload_reply(write_preupload_reply(answers, head)).value();
  CHECK(again.files[1].ignore);
  CHECK(again.commit_oid == head);
}

TEST_CASE("answers of another shape are refused") {
  for (const char* body : {"", "[]", "{}", R"({"files":{}})", R"({"files":[1]})",
                           R"({"files":[{"path":1}]})", R"({"files":[{"path":"a"}]})",
                           R"({"files":[{"path":"a","uploadMode":"xet"}]})", "{\"files\":["}) {
    CAPTURE(body);
    const auto read = read_preupload_reply(body);
    REQUIRE_FALSE(read.has_value());
    CHECK(read.error() == errc::invalid_response);
  }
}
