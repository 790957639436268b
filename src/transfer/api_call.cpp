#include "transfer/api_call.hpp"

#include "cohub/error.hpp"

#include "hub/reply_error.hpp"
#include "hub/repo_id.hpp"
#include "transfer/retry_wait.hpp"

#include <exception>
#include <utility>

namespace cohub::transfer {

namespace {

constexpr std::uint64_t error_body_limit = 256 * 1024;

hub::failed_reply reply_of(const http::response_head& head, std::string body) {
  hub::failed_reply reply;
  reply.status = head.status;
  reply.url = head.url.text();
  reply.header = [&head](std::string_view name) { return head.headers.get(name); };
  reply.body = std::move(body);
  return reply;
}

/// Who did not ask for a compressed answer cannot read it.
void require_plain(const http::response_head& head, const std::string& doing) {
  if (!http::is_encoded(head.headers)) return;
  throw error(errc::invalid_response, doing + ": the answer came compressed, unasked",
              context_of(head));
}

}  // namespace

error while_doing(const std::string& doing, const error& failure) {
  return error(failure.code(), doing + ": " + failure.doing(), failure.http());
}

void require_repo_id(const std::string& repo_id) {
  if (const auto valid = hub::check_repo_id(repo_id); !valid)
    throw error(valid.error(), "the repository id \"" + repo_id + "\"");
}

http::request hub_request(const context& shared, http::method verb, const std::string& url,
                          const std::string& token) {
  if (shared.offline)
    throw error(errc::offline, "offline mode is on (HF_HUB_OFFLINE): no request is made");
  http::request what;
  what.verb = verb;
  auto address = core::parse_url(url);
  if (!address) throw error(address.error(), "reading the address " + url.substr(0, url.find('?')));
  what.url = std::move(*address);
  what.headers.set("User-Agent", shared.user_agent);
  if (!token.empty()) what.headers.set("Authorization", "Bearer " + token);
  what.idempotent = verb == http::method::get || verb == http::method::head;
  return what;
}

http::request hub_request(const context& shared, http::method verb, const std::string& url,
                          const std::string& token, std::string body,
                          const std::string& content_type) {
  auto what = hub_request(shared, verb, url, token);
  what.headers.set("Content-Type", content_type);
  what.body = http::bytes_body(std::move(body));
  return what;
}

error error_of(const http::response_head& head, std::string body, const std::string& doing) {
  return hub::make_error(reply_of(head, std::move(body)), doing);
}

awaitable<std::exception_ptr> failure_of(http::response answer, std::string doing,
                                         std::string asked_range) {
  std::string body;
  try {
    body = co_await answer.read_all(error_body_limit);
  } catch (const error&) {
    // What the headers say has to do.
  }
  auto reply = reply_of(answer.head(), std::move(body));
  reply.asked_range = std::move(asked_range);
  co_return std::make_exception_ptr(hub::make_error(reply, doing));
}

awaitable<http::response> send(context_ptr shared, http::request what, std::string doing) {
  try {
    co_return co_await shared->transport->send(std::move(what));
  } catch (const http::refused_redirect& e) {  // stays what it is
    throw http::refused_redirect(while_doing(doing, e));
  } catch (const error& e) {
    throw while_doing(doing, e);
  }
}

awaitable<http::response> call(context_ptr shared, http::request what, std::string doing) {
  auto answer = co_await send(std::move(shared), std::move(what), doing);
  if (answer.status() / 100 != 2) {
    const auto failure = co_await failure_of(std::move(answer), std::move(doing));
    std::rethrow_exception(failure);
  }
  co_return answer;
}

awaitable<api_answer> call_and_read(context_ptr shared, http::request what, std::string doing) {
  for (std::size_t tries = 1;; ++tries) {
    api_answer whole;
    std::exception_ptr failure;
    bool again = false;
    {
      auto answer = co_await call(shared, what, doing);
      whole.head = answer.head();
      require_plain(whole.head, doing);
      try {
        whole.body = co_await answer.read_all();
      } catch (const error& e) {
        failure = std::make_exception_ptr(while_doing(doing, e));
        again = what.retry && what.idempotent &&
                (e.code() == errc::truncated_body || e.code() == errc::timed_out);
      }
    }
    if (!failure) co_return whole;
    if (!again || !shared->transport->may_retry(what.url.origin)) std::rethrow_exception(failure);
    const bool waited = co_await wait_before_next(shared->retries, tries);
    if (!waited) std::rethrow_exception(failure);
  }
}

awaitable<std::string> call_for_text(context_ptr shared, http::request what, std::string doing) {
  auto answer = co_await call_and_read(std::move(shared), std::move(what), std::move(doing));
  co_return std::move(answer.body);
}

awaitable<void> call_for_nothing(context_ptr shared, http::request what, std::string doing) {
  auto answer = co_await call(std::move(shared), std::move(what), std::move(doing));
  co_await answer.finish();
}

}  // namespace cohub::transfer
