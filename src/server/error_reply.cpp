#include "server/error_reply.hpp"

#include <boost/json/serialize.hpp>

#include <string_view>

namespace cohub::server {

namespace {

/// As much of a message as every client and proxy takes in a header, in whole characters. The rest,
/// which somebody's own request may have made very long, is in the body.
std::string as_header(std::string_view message) {
  constexpr std::size_t longest = 500;
  std::size_t end = message.size();
  if (end > longest)
    for (end = longest; end > 0 && (static_cast<unsigned char>(message[end]) & 0xc0) == 0x80;)
      --end;
  std::string text(message.substr(0, end));
  for (char& c : text)
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) c = ' ';
  return text;
}

}  // namespace

reply json_reply(const boost::json::value& body, int status) {
  reply answer;
  answer.status = status;
  answer.headers.set("Content-Type", "application/json; charset=utf-8");
  answer.body = boost::json::serialize(body);
  return answer;
}

reply text_reply(std::string body, int status) {
  reply answer;
  answer.status = status;
  answer.headers.set("Content-Type", "text/plain; charset=utf-8");
  answer.body = std::move(body);
  return answer;
}

reply error_reply(int status, const std::string& code, const std::string& message) {
  boost::json::object body;
  body["error"] = message;
  reply answer = json_reply(body, status);
  if (!code.empty()) answer.headers.set("X-Error-Code", code);
  if (!message.empty()) answer.headers.set("X-Error-Message", as_header(message));
  return answer;
}

reply error_reply(const failure& problem) {
  reply answer = problem.status() / 100 == 3
                     ? text_reply(problem.what(), problem.status())
                     : error_reply(problem.status(), problem.code(), problem.what());
  for (const auto& [name, value] : problem.headers()) answer.headers.set(name, value);
  return answer;
}

}  // namespace cohub::server
