#pragma once

#include "cohub/error.hpp"

#include "http/message.hpp"
#include "http/transport.hpp"
#include "io/on_pool.hpp"
#include "transfer/context.hpp"

#include <boost/system/result.hpp>

#include <cstddef>
#include <exception>
#include <string>
#include <string_view>
#include <utility>

namespace cohub::transfer {

/// @throws error  errc::invalid_repository_id
void require_repo_id(const std::string& repo_id);

/// A request to the Hub with the token, if it is not empty.
/// @throws error  errc::invalid_url, errc::offline
http::request hub_request(const context& shared, http::method verb, const std::string& url,
                          const std::string& token);

/// The same with a JSON body, or one of another `content_type`.
http::request hub_request(const context& shared, http::method verb, const std::string& url,
                          const std::string& token, std::string body,
                          const std::string& content_type = "application/json");

/// Sends. What the transport throws tells what the request was for.
/// @param doing  for the error: "creating the repository owner/name"
awaitable<http::response> send(context_ptr shared, http::request what, std::string doing);

/// The same; an answer that is not a success throws what the Hub says (hub-protocol, section 9).
awaitable<http::response> call(context_ptr shared, http::request what, std::string doing);

/// A success, read whole.
struct api_answer {
  http::response_head head{};
  std::string body{};
};

/// The same, and reads the answer's body. Where it is cut or stalls, a request that may be sent
/// twice is sent anew.
awaitable<api_answer> call_and_read(context_ptr shared, http::request what, std::string doing);
awaitable<std::string> call_for_text(context_ptr shared, http::request what, std::string doing);

/// What makes something of a body.
template <class T>
using body_reader = boost::system::result<T> (*)(std::string_view);

/// A body that is longer than this is read on the pool.
inline constexpr std::size_t short_body = 512 * 1024;

/// Reads a body, which is lent by a caller that awaits in the same scope.
template <class T>
awaitable<boost::system::result<T>> read_body(context_ptr shared, const std::string& text,
                                              body_reader<T> read) {
  if (text.size() <= short_body) co_return read(text);
  auto work = [&text, read] { return read(text); };
  co_return co_await io::on_pool(shared->pool, std::move(work));
}

/// The same, and reads what the body says.
/// @param read  of hub/, for this kind of body
template <class T>
awaitable<T> call_for(context_ptr shared, http::request what, std::string doing,
                      body_reader<T> read) {
  const auto text = co_await call_for_text(shared, std::move(what), doing);
  auto told = co_await read_body(std::move(shared), text, read);
  if (!told) throw error(told.error(), doing);
  co_return std::move(*told);
}

/// The same, of a success whose body says nothing.
awaitable<void> call_for_nothing(context_ptr shared, http::request what, std::string doing);

/// What was met on the wire, with what was being done.
error while_doing(const std::string& doing, const error& failure);

/// The exception for an answer that is not a success, whose body has been read.
error error_of(const http::response_head& head, std::string body, const std::string& doing);

/// The exception for an answer that is not a success; reads what is left of it.
/// @param asked_range  the Range header of the request, if it had one
awaitable<std::exception_ptr> failure_of(http::response answer, std::string doing,
                                         std::string asked_range = {});

}  // namespace cohub::transfer
