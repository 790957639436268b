#include "hub/multipart_plan.hpp"

#include "cohub/error.hpp"

#include <doctest/doctest.h>

using namespace cohub;
using namespace cohub::hub;

namespace {

lfs_action action_of(std::vector<std::pair<std::string, std::string>> header) {
  lfs_action action;
  action.href = "https://hub/complete?id=1";
  action.header = std::move(header);
  return action;
}

multipart_plan plan_of(std::string first_url) {
  multipart_plan plan;
  plan.part_urls.push_back(std::move(first_url));
  return plan;
}

}  // namespace

TEST_CASE("parts are sorted as numbers, however they are written") {
  const auto plan = read_multipart_plan(action_of({{"10", "u10"},
                                                   {"00002", "u2"},
                                                   {"chunk_size", "10"},
                                                   {"1", "u1"},
                                                   {"3", "u3"},
                                                   {"4", "u4"},
                                                   {"5", "u5"},
                                                   {"6", "u6"},
                                                   {"7", "u7"},
                                                   {"8", "u8"},
                                                   {"9", "u9"},
                                                   {"Content-Type", "x"}}),
                                        95);
  REQUIRE(plan.has_value());
  REQUIRE(*plan);
  CHECK((*plan)->part_size == 10);
  CHECK((*plan)->completion_url == "https://hub/complete?id=1");
  REQUIRE((*plan)->part_urls.size() == 10);
  CHECK((*plan)->part_urls[1] == "u2");
  CHECK((*plan)->part_urls[9] == "u10");
}

TEST_CASE("without chunk_size an object goes in one piece") {
  const auto plan = read_multipart_plan(action_of({{"1", "not a part"}}), 95);
  REQUIRE(plan.has_value());
  CHECK_FALSE(*plan);
}

TEST_CASE("parts that do not make up the object are refused") {
  using headers = std::vector<std::pair<std::string, std::string>>;
  for (const auto& header :
       {headers{{"chunk_size", "10"}, {"1", "u"}},                          // one is missing
        headers{{"chunk_size", "10"}, {"1", "u"}, {"2", "u"}, {"3", "u"}},  // one too many
        headers{{"chunk_size", "10"}, {"1", "u"}, {"3", "u"}},              // a gap
        headers{{"chunk_size", "10"}, {"1", "u"}, {"1", "u"}},              // twice
        headers{{"chunk_size", "10"}, {"0", "u"}, {"1", "u"}},              // from 1
        headers{{"chunk_size", "10"}, {"1", "u"}, {"2", ""}},               // no address
        headers{{"chunk_size", "0"}}, headers{{"chunk_size", "-1"}}, headers{{"chunk_size", "x"}},
        headers{{"chunk_size", "1"}}}) {
    const auto plan = read_multipart_plan(action_of(header), 20);
    REQUIRE_FALSE(plan.has_value());
    CHECK(plan.error() == errc::invalid_response);
  }
  CHECK_FALSE(read_multipart_plan(action_of({{"chunk_size", "1"}}), 1ull << 62).has_value());
}

TEST_CASE("plans of one upload have the same key") {
  const auto key = upload_key(plan_of("https://s3/o?uploadId=a1&partNumber=1&X-Amz-Signature=1"));
  CHECK(key == upload_key(plan_of("https://s3/o?X-Amz-Signature=2&partNumber=1&uploadId=a1")));
  CHECK(key != upload_key(plan_of("https://s3/o?uploadId=a2&partNumber=1")));
  CHECK(upload_key(plan_of("https://s/u/7/1?sig=1")) == upload_key(plan_of("https://s/u/7/1")));
  CHECK(upload_key(plan_of("https://s/u/7/1")) != upload_key(plan_of("https://s/u/8/1")));
}

TEST_CASE("signed addresses say when they end") {
  CHECK(url_expiry("https://s3/o?X-Amz-Date=20260131T235959Z&X-Amz-Expires=3600") ==
        1769903999 + 3600);
  CHECK(url_expiry("https://s3/o?Expires=1700000000&x=1") == 1700000000);
  CHECK(url_expiry("https://s3/o?expires=5") == 5);
  for (const char* url :
       {"https://s3/o", "https://s3/o?X-Amz-Date=20261331T000000Z&X-Amz-Expires=1",
        "https://s3/o?X-Amz-Date=x&X-Amz-Expires=1", "https://s3/o?Expires=soon",
        "https://s3/o?X-Amz-Date=20260131T235959Z"})
    CHECK_FALSE(url_expiry(url));
}

TEST_CASE("the completion names the parts in order, their etags as they came") {
  CHECK(write_multipart_completion("ab", {"\"e1\"", "\"e2\""}) ==
        R"({"oid":"ab","parts":[{"partNumber":1,"etag":"\"e1\""},)"
        R"({"partNumber":2,"etag":"\"e2\""}]})");
}
