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

TEST_CASE("a hostile body is cut and cleaned") {
  const auto text = server_message(reply(500, api, {}, "\x1b[2J" + std::string(100'000, 'x')));
  CHECK(text.size() <= 2000);
  CHECK(text.find('\x1b') == text.npos);
  CHECK(server_message(reply(500, api, {}, std::string(100'000, '['))).size() <= 2000);
  const auto range = make_error(reply(416, api, {{"Content-Range", "bytes */10"}}), "reading");
  CHECK(std::string(range.what()).find("bytes */10") != std::string::npos);
}
