#include "hub/lfs_batch.hpp"

#include "cohub/error.hpp"

#include <doctest/doctest.h>

using namespace cohub;
using namespace cohub::hub;

namespace {
const std::string oid(64, 'a');
}

TEST_CASE("the batch request is written as LFS servers read it") {
  CHECK(
      write_lfs_batch_request({{oid, 12}}, "refs/pr/1", {"basic"}) ==
      R"({"operation":"upload","transfers":["basic"],"hash_algo":"sha256","ref":{"name":"refs/pr/1"},)"
      R"("objects":[{"oid":")" +
          oid + R"(","size":12}]})");
  const auto read =
      read_lfs_batch_request(write_lfs_batch_request({{oid, 12}}, "", {"basic"})).value();
  CHECK(read.operation == "upload");
  CHECK(read.transfers == std::vector<std::string>{"basic"});
  REQUIRE(read.objects.size() == 1);
  CHECK(read.objects[0].size == 12);
}

TEST_CASE("the answer tells what to send, what is there, and what is refused") {
  lfs_batch_reply reply;
  reply.transfer = "basic";
  lfs_batch_answer send;
  send.oid = oid;
  send.size = 12;
  send.upload = lfs_action{"http://store/x", {{"h", "v"}}};
  send.verify = lfs_action{"http://hub/verify", {}};
  lfs_batch_answer known;
  known.oid = std::string(64, 'b');
  lfs_batch_answer refused;
  refused.oid = std::string(64, 'c');
  refused.error_code = 422;
  refused.error_message = "too large";
  reply.objects = {send, known, refused};
  const auto read = read_lfs_batch_reply(write_lfs_batch_reply(reply)).value();
  REQUIRE(read.objects.size() == 3);
  REQUIRE(read.objects[0].upload);
  CHECK(read.objects[0].upload->href == "http://store/x");
  CHECK(read.objects[0].upload->header.at(0).second == "v");
  CHECK(read.objects[0].verify->href == "http://hub/verify");
  CHECK_FALSE(read.objects[1].upload);
  CHECK(read.objects[2].error_code == 422);
  CHECK(read.objects[2].error_message == "too large");
}

TEST_CASE("a number in an action's header is taken by its digits") {
  const auto read = read_lfs_batch_reply(
      R"({"objects":[{"oid":")" + oid +
      R"(","actions":{"upload":{"href":"u","header":{"chunk_size":10,"1":"p"}}}}]})");
  REQUIRE(read.has_value());
  const std::vector<std::pair<std::string, std::string>> header{{"chunk_size", "10"}, {"1", "p"}};
  CHECK(read->objects.at(0).upload->header == header);
}

TEST_CASE("an object that is refused in other words is not one that the Hub has") {
  const auto answer = [](const std::string& failure) {
    const auto read =
        read_lfs_batch_reply(R"({"objects":[{"oid":")" + oid + R"(","error":)" + failure + "}]}");
    return read.value().objects.at(0);
  };
  CHECK(answer(R"("no room left")").error_code == 500);
  CHECK(answer(R"("no room left")").error_message == "no room left");
  for (const char* odd : {"422", "true", "[]", "{}", R"("")"}) {
    CAPTURE(odd);
    CHECK(answer(odd).error_code == 500);
    CHECK_FALSE(answer(odd).error_message.empty());
  }
  CHECK(answer("null").error_code == 0);
}

TEST_CASE("answers of another shape are refused") {
  for (const std::string& body :
       {std::string(), std::string("[]"), std::string("{}"), std::string(R"({"objects":1})"),
        std::string(R"({"objects":[1]})"), std::string(R"({"objects":[{"oid":"short"}]})"),
        R"({"objects":[{"oid":")" + oid + R"(","actions":"none"}]})",
        R"({"objects":[{"oid":")" + oid + R"(","actions":[]}]})",
        R"({"objects":[{"oid":")" + oid + R"(","actions":{"upload":1}}]})",
        R"({"objects":[{"oid":")" + oid + R"(","actions":{"upload":{}}}]})",
        R"({"objects":[{"oid":")" + oid +
            R"(","actions":{"upload":{"href":"x","header":{"a":null}}}}]})"}) {
    CAPTURE(body);
    const auto read = read_lfs_batch_reply(body);
    REQUIRE_FALSE(read.has_value());
    CHECK(read.error() == errc::invalid_response);
  }
}

TEST_CASE("an object that is asked for has a size") {
  const auto asked = [](const std::string& size) {
    return read_lfs_batch_request(R"({"operation":"upload","objects":[{"oid":")" + oid + '"' +
                                  size + "}]}");
  };
  CHECK(asked(R"(,"size":0)").value().hash_algorithm == "sha256");
  CHECK_FALSE(asked("").has_value());
  CHECK_FALSE(asked(R"(,"size":-3)").has_value());
  CHECK_FALSE(asked(R"(,"size":"3")").has_value());
}
