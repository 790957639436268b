#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ssl/context.hpp>

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace cohub::test {

/// A request as a scripted server saw it.
struct seen_request {
  std::string line;  ///< "GET /path HTTP/1.1"
  std::string head;  ///< with the request line, without the empty line
  std::string body;

  /// Value of a header field, empty if absent; the name in lower case.
  std::string header(const std::string& name) const;
};

/// What a scripted server does with a request: bytes to send as they are, then what happens to the
/// connection.
struct scripted_reply {
  /// `garble`: bytes that are no record of TLS, as a broken middle box sends them.
  enum class then { keep, close, reset, stall, garble };
  std::string bytes;
  then after = then::keep;
  /// Set: the connection speaks TLS from here on, as a proxy's tunnel does.
  std::shared_ptr<boost::asio::ssl::context> tunnel{};
  /// Not zero: the bytes go out one by one, so far apart.
  std::chrono::milliseconds pace{};
  /// The first of them goes out so much later.
  std::chrono::milliseconds lag{};

  /// A well-formed answer.
  static scripted_reply text(int status, const std::string& body, const std::string& headers = {});
};

/// A server that says exactly what a test tells it to, right or wrong. Real sockets, real TLS.
class scripted_server {
 public:
  using script = std::function<scripted_reply(const seen_request&)>;

  /// @param tls  null: plain
  scripted_server(boost::asio::io_context& context, script answer,
                  std::shared_ptr<boost::asio::ssl::context> tls = {});
  ~scripted_server();

  std::uint16_t port() const;
  /// "http://127.0.0.1:port" or "https://localhost:port".
  std::string origin() const;
  const std::vector<seen_request>& seen() const;
  std::size_t connections() const;

 private:
  struct state;
  std::shared_ptr<state> state_;
};

}  // namespace cohub::test
