#pragma once

#include "cohub/error.hpp"

#include "http/transport.hpp"
#include "support/run.hpp"
#include "support/scripted_server.hpp"

#include <boost/asio/io_context.hpp>

#include <chrono>
#include <stdexcept>
#include <string>
#include <utility>

/// Requests by a transport, for tests.
namespace cohub::test {

struct answer {
  int status = 0;
  std::string body;
  std::string url;
};

inline http::transport_config quick() {
  http::transport_config config;
  config.retries.base_delay = std::chrono::milliseconds(1);
  config.retries.max_delay = std::chrono::milliseconds(2);
  config.user_agent = "cohub-test/1";
  return config;
}

inline http::request get(const std::string& url) {
  http::request what;
  what.url = core::parse_url(url).value();
  return what;
}

inline awaitable<answer> fetch(http::transport& transport, http::request what) {
  auto response = co_await transport.send(std::move(what));
  answer result;
  result.status = response.status();
  result.url = response.head().url.text();
  result.body = co_await response.read_all();
  co_return result;
}

/// Runs `fetch` and yields the error it ends with.
inline error failure_of(asio::io_context& context, http::transport& transport, http::request what) {
  try {
    run(context, fetch(transport, std::move(what)));
  } catch (const error& e) {
    return e;
  }
  throw std::runtime_error("the request should have failed");
}

}  // namespace cohub::test
