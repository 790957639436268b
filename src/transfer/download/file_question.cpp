#include "transfer/download/file_question.hpp"

#include "cohub/error.hpp"

#include "transfer/not_cached.hpp"

#include <chrono>
#include <string>
#include <utility>

namespace cohub::transfer {

namespace {

std::string text_of(const std::exception_ptr& failure) {
  try {
    std::rethrow_exception(failure);
  } catch (const std::exception& e) {
    return e.what();
  }
}

std::chrono::milliseconds etag_timeout(const file_request& file) {
  return file.shared->etag_timeout_for(file.options.etag_timeout);
}

awaitable<file_head> ask(file_request_ptr file, std::chrono::milliseconds limit, bool retry) {
  file_head head;
  http::request question;
  try {
    question = request_for(*file, http::method::head, file->options.revision);
  } catch (const error&) {
    head.failure = std::current_exception();
  }
  if (head.failure) co_return head;
  auto doing =
      "asking for " + file->path + " of " + file->repo_id + " at " + file->options.revision;
  head =
      co_await fetch_file_head(file->shared, std::move(question), std::move(doing), limit, retry);
  co_return head;
}

}  // namespace

awaitable<file_head> ask_hub(file_request_ptr file) {
  if (file->options.local_files_only) {
    file_head nothing;
    nothing.failure = std::make_exception_ptr(
        error(errc::offline, "local_files_only is set: no request is made"));
    co_return nothing;
  }
  co_return co_await ask(file, etag_timeout(*file), false);
}

awaitable<file_head> ask_hub_again(file_request_ptr file, file_head failed) {
  const auto longest = file->shared->retries.max_retry_after;
  if (file->options.force_download || !may_pass(failed.failure, longest)) co_return failed;
  tell(*file, transfer_event::kind::retry, text_of(failed.failure));
  co_return co_await ask(file, patient(etag_timeout(*file)), true);
}

void throw_unavailable(const file_request& file, const std::exception_ptr& failure) {
  if (file.options.force_download) {
    if (!file.options.local_files_only) std::rethrow_exception(failure);
    throw error(errc::invalid_argument,
                "force_download and local_files_only exclude each other: " + file.path);
  }
  throw_not_cached(file.path + " of " + file.repo_id + " at " + file.options.revision, failure);
}

}  // namespace cohub::transfer
