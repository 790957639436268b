#include "hub/reply_error.hpp"

#include <doctest/doctest.h>

#include <map>

using namespace cohub;
using namespace cohub::hub;

namespace {

using headers = std::map<std::string, std::string>;

failed_reply reply(int status, const std::string& url, headers fields, std::string body = {}) {
  failed_reply result;
  result.status = status;
  result.url = url;
  result.header = [fields = std::move(fields)](std::string_view name) -> std::string_view {
    const auto found = fields.find(std::string(name));
    return found == fields.end() ? std::string_view() : std::string_view(found->second);
  };
  result.body = std::move(body);
  return result;
}

const std::string api = "https://hub/api/models/u/r";

}  // namespace

TEST_CASE("answers are classified by code, then message, then status") {
  struct {
    int status;
    std::string url;
    headers fields;
    errc kind;
  } const cases[] = {
      {404, api, {{"X-Error-Code", "RepoNotFound"}}, errc::repository_not_found},
      {401,
       api,
       {{"X-Error-Message", "Invalid username or password."}},
       errc::repository_not_found},
      {401,
       api,
       {{"X-Error-Message", "Invalid credentials in Authorization header"}},
       errc::unauthorized},
      {401, "http://localhost:8080/api/models/u/r", {}, errc::unauthorized},
      {401, "https://hub/api/kernels/u/r", {}, errc::unauthorized},
      {401, "https://hub/gpt2/resolve/main/x", {}, errc::repository_not_found},
      {401, api, {{"X-Error-Code", "GatedRepo"}}, errc::gated_repository},
      {403, api, {{"X-Error-Code", "GatedRepo"}}, errc::gated_repository},
      {403,
       api,
       {{"X-Error-Message", "Access to this resource is disabled."}},
       errc::disabled_repository},
      {404, api + "/revision/x", {{"X-Error-Code", "RevisionNotFound"}}, errc::revision_not_found},
      {404,
       "https://hub/u/r/resolve/main/x",
       {{"X-Error-Code", "EntryNotFound"}},
       errc::entry_not_found},
      {404,
       "https://hub/api/buckets/a/b",
       {{"X-Error-Code", "RepoNotFound"}},
       errc::bucket_not_found},
      {404, "https://hub/api/jobs/u/1", {}, errc::job_not_found},
      {404, "https://hub/api/scheduled-jobs/u/1", {}, errc::job_not_found},
      {500, "https://hub/api/jobs/u/1", {}, errc::server_failure},
      {404, "https://hub/u/r/resolve/main/x?next=/api/jobs/", {}, errc::unexpected_status},
      {404, api, {{"X-Error-Code", "SomethingNew"}}, errc::unexpected_status},
      {403,
       api,
       {{"X-Error-Message", "Access to this resource is disabled. Or so."}},
       errc::forbidden},
      // The code comes before the message and the status.
      {403,
       api,
       {{"X-Error-Code", "GatedRepo"}, {"X-Error-Message", "Access to this resource is disabled."}},
       errc::gated_repository},
      {401, "https://hub/api/datasets/u/r", {}, errc::repository_not_found},
      {401, "https://hub/api/spaces/u/r", {}, errc::repository_not_found},
      {401, "https://hub/datasets/u/r/resolve/main/x", {}, errc::repository_not_found},
      {401, "https://hub/api/whoami-v2", {}, errc::unauthorized},
      {404, api, {}, errc::unexpected_status},
      {400, api, {}, errc::bad_request},
      {403, api, {{"X-Error-Message", "no"}}, errc::forbidden},
      {409, api, {}, errc::conflict},
      {412, api, {}, errc::commit_conflict},
      {422, api, {}, errc::bad_request},
      {416, api, {}, errc::unexpected_status},
      {429, api, {}, errc::rate_limited},
      {503, api, {}, errc::server_failure},
  };
  for (const auto& c : cases) {
    CAPTURE(c.status);
    CAPTURE(c.url);
    CHECK(classify(reply(c.status, c.url, c.fields)) == c.kind);
  }
}

TEST_CASE("the server's words are joined without repeats, and HTML is never shown") {
  CHECK(server_message(reply(400, api, {}, R"({"error":"bad"})")) == "bad");
  CHECK(server_message(reply(422, api, {}, R"({"error":["a","b"]})")) == "a\nb");
  CHECK(server_message(reply(
            422, api, {}, R"({"errors":[{"message":"m1"},{"message":"m2"},{"message":"m1"}]})")) ==
        "m1\nm2");
  CHECK(server_message(reply(404, api, {{"X-Error-Message", "gone"}}, R"({"error":"gone"})")) ==
        "gone");
  CHECK(server_message(reply(503, api, {{"Content-Type", "text/html"}}, "<h1>oops</h1>")).empty());
  CHECK(server_message(reply(503, api, {{"Content-Type", "text/plain"}}, "try later")) ==
        "try later");
}

TEST_CASE("an error carries the request, and neither token nor query") {
  const auto failure = make_error(
      reply(404, api + "?token=hf_abcdefghijklmnop",
            {{"X-Error-Code", "RepoNotFound"}, {"X-Request-Id", "r1"}, {"Retry-After", "7"}},
            R"({"error":"no access with hf_abcdefghijklmnop"})"),
      "reading u/r");
  const std::string text = failure.what();
  CHECK(failure.code() == errc::repository_not_found);
  CHECK(failure.http().request_id == "r1");
  CHECK(failure.http().status == 404);
  CHECK(failure.http().retry_after == std::chrono::seconds(7));
  CHECK(text.find("reading u/r") == 0);
  CHECK(text.find("HF_TOKEN") != text.npos);
  CHECK(text.find("hf_abc") == text.npos);
  CHECK(text.find('?') == text.npos);
}

TEST_CASE("a window that has requests left is not waited for") {
  const auto wait_told = [](const std::string& limit) {
    return make_error(reply(429, api, {{"ratelimit", limit}, {"Retry-After", "7"}}), "reading")
        .http()
        .retry_after;
  };
  CHECK(wait_told("\"api\";r=0;t=55") == std::chrono::seconds(55));
  CHECK(wait_told("\"api\";r=3;t=55") == std::chrono::seconds(7));
}

TEST_CASE("what is refused by storage is not blamed on the token") {
  const std::string of_hub = make_error(reply(403, api, {}), "committing").what();
  CHECK(of_hub.find("HF_TOKEN") != of_hub.npos);
  const std::string of_storage =
      make_error(reply(403, "https://cdn.example/x?sig=1", {}), "x").what();
  CHECK(of_storage.find("HF_TOKEN") == of_storage.npos);
}

TEST_CASE("a hostile body is cut and cleaned") {
  const auto text = server_message(reply(500, api, {}, "\x1b[2J" + std::string(100'000, 'x')));
  CHECK(text.size() <= 2000);
  CHECK(text.find('\x1b') == text.npos);
  CHECK(server_message(reply(500, api, {}, std::string(100'000, '['))).size() <= 2000);
  const auto range = make_error(reply(416, api, {{"Content-Range", "bytes */10"}}), "reading");
  CHECK(std::string(range.what()).find("bytes */10") != std::string::npos);
}

TEST_CASE("the request id is the first of three headers, and the repository that of the address") {
  const auto context = [](headers fields, const std::string& url) {
    return make_error(reply(404, url, std::move(fields)), "reading").http();
  };
  CHECK(context({{"X-Request-Id", "r1"}, {"X-Amzn-Trace-Id", "r2"}, {"x-amz-cf-id", "r3"}}, api)
            .request_id == "r1");
  CHECK(context({{"X-Amzn-Trace-Id", "r2"}, {"x-amz-cf-id", "r3"}}, api).request_id == "r2");
  CHECK(context({{"x-amz-cf-id", "r3"}}, api).request_id == "r3");
  CHECK(context({}, api).request_id.empty());
  CHECK(context({}, api).repo_id == "u/r");
  CHECK(context({}, api).repo_type == "model");
  CHECK(context({}, "https://hub/gpt2/resolve/main/x").repo_id.empty());
  const auto failure = make_error(reply(404, api, {{"x-amz-cf-id", "r3"}}), "reading");
  CHECK(std::string(failure.what()).find("request r3") != std::string::npos);
}

TEST_CASE("an error names the limit that was hit, unless there is room left") {
  const auto text = [](headers fields) {
    return std::string(make_error(reply(429, api, std::move(fields)), "reading").what());
  };
  const auto spent = text({{"ratelimit", "\"api\";r=0;t=55"},
                           {"ratelimit-policy", "\"fixed window\";\"api\";q=500;w=300"}});
  CHECK(spent.find("\"api\" is used up for 55 s (0/500 requests left in 300 s)") != spent.npos);
  CHECK(text({{"ratelimit", "\"api\";r=3;t=55"}}).find("used up") == std::string::npos);
  CHECK(text({{"ratelimit", "\"api\";r=0;t=55"}}).find("used up for 55 s") != std::string::npos);
}

TEST_CASE("an error about a range names both: what was asked for and what there is") {
  auto refused = reply(416, api, {{"Content-Range", "bytes */10"}});
  refused.asked_range = "bytes=10-19";
  const std::string text = make_error(refused, "reading").what();
  CHECK(text.find("bytes=10-19") != text.npos);
  CHECK(text.find("bytes */10") != text.npos);
}

TEST_CASE("the server's words are in the text of every error") {
  for (const int status : {400, 401, 403, 404, 409, 412, 422, 429, 500}) {
    CAPTURE(status);
    const auto failure = make_error(reply(status, api, {}, R"({"error":"no"})"), "reading");
    CHECK(std::string(failure.what()).find(": no (status " + std::to_string(status)) !=
          std::string::npos);
    CHECK(failure.code() == error_kind::hub_answer);
  }
}
