#include "transfer/download/file_head.hpp"

#include "cohub/error.hpp"

#include "core/ascii.hpp"
#include "http/redirect_rules.hpp"
#include "hub/file_metadata.hpp"
#include "hub/repo_id.hpp"
#include "transfer/absent_entry.hpp"
#include "transfer/api_call.hpp"

#include <utility>

namespace cohub::transfer {

namespace {

/// Facts that an earlier hop of the redirects may tell and the last one not.
bool told_by_hops(std::string_view name) {
  return core::equal_without_case(name, "X-Repo-Commit") ||
         core::equal_without_case(name, "X-Linked-Etag") ||
         core::equal_without_case(name, "X-Linked-Size");
}

std::string_view look_up(const http::response_head& head, std::string_view name) {
  const auto value = head.headers.get(name);
  if (!value.empty() || !told_by_hops(name)) return value;
  return head.redirect_headers.get(name);
}

/// Where the bytes are, if that is another host: an address there is signed and does not change its
/// meaning. One on the Hub itself may name a branch, and is not used.
std::optional<core::url> signed_location(const http::response_head& head,
                                         const std::string& doing) {
  const auto reference = head.headers.get("Location");
  if (head.status / 100 != 3 || reference.empty()) return {};
  auto target = core::redirect_target(head.url, reference);
  if (!target)
    throw error(errc::invalid_response, doing + ": sent on to an address that must not be followed",
                context_of(head));
  if (http::keeps_credentials(head.url.origin, target->origin)) return {};
  return std::move(*target);
}

void read_facts(const http::response_head& head, const std::string& doing, file_head& result) {
  if (http::is_encoded(head.headers) && look_up(head, "X-Linked-Size").empty())
    throw error(
        errc::invalid_response,
        doing + ": the answer is of compressed content, which tells nothing of the file's size",
        context_of(head));
  const auto location = signed_location(head, doing);
  auto metadata = hub::read_file_metadata(
      head.status, [&head](std::string_view name) { return look_up(head, name); });
  if (!metadata)
    throw error(metadata.error(), doing + ": the answer lacks what a Hub tells of a file",
                context_of(head));
  if (!hub::is_safe_file_name(metadata->etag))
    throw error(errc::invalid_response, doing + ": the etag cannot be used as a file name");
  result.facts.commit = std::move(metadata->commit);
  result.facts.etag = std::move(metadata->etag);
  result.facts.size = metadata->size;
  result.facts.location = location;
  result.commit = result.facts.commit;
}

/// Whether the Hub told all before it sent on to where the bytes are: an address that is signed for
/// GET refuses HEAD, and what it says is not the Hub's.
bool was_told_on_the_way(const http::response_head& head) {
  if (head.status / 100 != 4 || head.headers.has("X-Error-Code")) return false;
  const auto& told = head.redirect_headers;
  return told.has("X-Repo-Commit") && told.has("X-Linked-Etag") && told.has("X-Linked-Size");
}

/// The failure with the commit that has no such file, if that is what it is about.
std::exception_ptr with_commit(const std::exception_ptr& failure, const std::string& commit) {
  try {
    std::rethrow_exception(failure);
  } catch (const error& e) {
    if (e.code() == errc::entry_not_found && !commit.empty())
      return std::make_exception_ptr(absent_entry(e, commit));
    return failure;
  }
}

}  // namespace

awaitable<file_head> fetch_file_head(context_ptr shared, http::request question, std::string doing,
                                     std::chrono::milliseconds limit, bool retry) {
  file_head result;
  question.redirects = http::redirects::same_origin;
  question.retry = retry;
  question.limit = limit;
  try {
    auto answer = co_await send(shared, std::move(question), doing);
    const auto head = answer.head();
    if (head.status / 100 == 2 || head.status / 100 == 3 || was_told_on_the_way(head)) {
      read_facts(head, doing, result);
    } else {
      const auto commit = look_up(head, "X-Repo-Commit");
      if (hub::is_commit_id(commit)) result.commit = commit;
      const auto failure = co_await failure_of(std::move(answer), doing);
      result.failure = with_commit(failure, result.commit);
    }
  } catch (const boost::system::system_error& e) {
    if (e.code() == asio::error::operation_aborted) throw;
    result.failure = std::current_exception();
  }
  co_return result;
}

}  // namespace cohub::transfer
