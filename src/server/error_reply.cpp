#include "server/error_reply.hpp"

#include <boost/json/serialize.hpp>

namespace cohub::server {

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
  if (!message.empty()) answer.headers.set("X-Error-Message", message);
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
