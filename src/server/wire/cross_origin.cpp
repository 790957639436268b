#include "server/wire/cross_origin.hpp"

#include <string>

namespace cohub::server {

bool is_preflight(const request_head& head) {
  return head.method == "OPTIONS" && head.headers.has("Origin") &&
         head.headers.has("Access-Control-Request-Method");
}

reply preflight_reply(const request_head& head) {
  reply answer;
  answer.status = 204;
  answer.headers.set("Access-Control-Allow-Methods", "GET, HEAD, POST, PUT, DELETE");
  if (const auto wanted = head.headers.get("Access-Control-Request-Headers"); !wanted.empty())
    answer.headers.set("Access-Control-Allow-Headers", std::string(wanted));
  answer.headers.set("Access-Control-Max-Age", "86400");
  return answer;
}

void admit_origin(const request_head& head, reply& answer) {
  if (!head.headers.has("Origin")) return;
  answer.headers.set("Access-Control-Allow-Origin", "*");
  answer.headers.set("Access-Control-Expose-Headers",
                     "X-Repo-Commit,X-Linked-Etag,ETag,X-Linked-Size,Content-Length,Location,"
                     "Link,X-Error-Code,X-Error-Message,X-Request-Id,X-Total-Count,Retry-After,"
                     "ratelimit,ratelimit-policy,Accept-Ranges,Content-Range,Content-Disposition");
}

}  // namespace cohub::server
