#pragma once

#include "http/transport.hpp"
#include "hub/json_reader.hpp"
#include "support/hub_fixture.hpp"

#include <boost/json/value.hpp>

#include <chrono>
#include <string>
#include <utility>

namespace cohub::test {

struct answer {
  int status = 0;
  http::fields headers{};
  std::string body{};

  std::string header(std::string_view name) const { return std::string(headers.get(name)); }
  boost::json::value json() const { return hub::parse_json(body).value(); }
};

/// Sends requests to the Hub of the fixture, as they are: redirects are not followed, nothing is
/// repeated.
struct hub_caller : hub_fixture {
  hub_caller() : hub_caller(local_hub_config{}) {}
  explicit hub_caller(local_hub_config settings)
      : hub_fixture(std::move(settings)), transport(context.get_executor(), impatient()) {
    other = hub->create_token("bob").token;
    reader = hub->create_token("alice", "read").token;
  }

  /// `target` is a path on the API's listener, or a whole url. An empty `as` sends no token.
  answer send(http::method verb, const std::string& target, const std::string& as,
              std::string body = {}, http::fields headers = {}) {
    http::request what;
    what.verb = verb;
    const std::string url = target.starts_with("http") ? target : hub->endpoint() + target;
    what.url = core::parse_url(url).value();
    what.headers = std::move(headers);
    if (!as.empty()) what.headers.set("Authorization", "Bearer " + as);
    if (!body.empty()) what.body = http::bytes_body(std::move(body));
    what.redirects = http::redirects::none;
    what.retry = false;
    return run(exchange(&transport, std::move(what)));
  }
  answer get(const std::string& target, http::fields headers = {}) {
    return send(http::method::get, target, token, {}, std::move(headers));
  }
  answer head(const std::string& target) { return send(http::method::head, target, token); }
  answer post(const std::string& target, std::string body, http::fields headers = {}) {
    return send(http::method::post, target, token, std::move(body), std::move(headers));
  }

  void make_repo(const std::string& name, bool is_private = false) {
    post("/api/repos/create",
         "{\"name\":\"" + name + "\",\"private\":" + (is_private ? "true" : "false") + "}");
  }
  /// A commit of these lines, with the header in front.
  answer commit(const std::string& id, const std::string& lines,
                const std::string& query_and_parent = {}, const std::string& revision = "main") {
    const auto bar = query_and_parent.find('|');
    const std::string query = query_and_parent.substr(0, bar);
    const std::string parent = bar == query.npos || bar == query_and_parent.npos
                                   ? std::string()
                                   : query_and_parent.substr(bar + 1);
    return post("/api/models/" + id + "/commit/" + revision + query,
                "{\"key\":\"header\",\"value\":{\"summary\":\"change\",\"description\":\"\","
                "\"parentCommit\":\"" +
                    parent + "\"}}\n" + lines);
  }
  std::string head_of(const std::string& id, const std::string& revision = "main") {
    return hub::text_or(get("/api/models/" + id + "/revision/" + revision).json().as_object(),
                        "sha");
  }
  std::filesystem::path git_dir(const std::string& id) const {
    return config.root / "repositories" / "models" / (id + ".git");
  }
  /// Stores a large object as a client does; its sha256.
  std::string upload_object(const std::string& id, const std::string& content);

  static awaitable<answer> exchange(http::transport* transport, http::request what) {
    auto response = co_await transport->send(std::move(what));
    answer result;
    result.status = response.status();
    result.headers = response.head().headers;
    result.body = co_await response.read_all();
    co_return result;
  }

  /// A wait that the Hub asks for is looked at, not kept.
  static http::transport_config impatient() {
    http::transport_config config;
    config.retries.max_retry_after = std::chrono::milliseconds(0);
    return config;
  }

  http::transport transport;
  std::string other{};   ///< token of bob, who may write
  std::string reader{};  ///< token of alice that may only read
};

inline std::string text_at(const boost::json::value& value, const char* pointer) {
  boost::json::error_code code;
  const auto* found = value.find_pointer(pointer, code);
  return found != nullptr && found->is_string() ? std::string(found->as_string()) : std::string();
}

}  // namespace cohub::test
