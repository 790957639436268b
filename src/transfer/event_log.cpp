#include "transfer/event_log.hpp"

namespace cohub::transfer {

namespace {

struct entry {
  log_level level;
  const char* text;
};

entry entry_of(transfer_event::kind what) noexcept {
  using kind = transfer_event::kind;
  switch (what) {
    case kind::cache_hit:
      return {log_level::debug, "in the cache"};
    case kind::resumed:
      return {log_level::info, "resumed"};
    case kind::retry:
      return {log_level::warning, "trying again"};
    case kind::verified:
      return {log_level::debug, "verified"};
    case kind::already_present:
      return {log_level::debug, "the Hub has it already"};
    case kind::finished:
      return {log_level::info, "finished"};
    case kind::committed:
      return {log_level::info, "committed"};
    case kind::commit_failed:
      return {log_level::warning, "a commit failed"};
    case kind::resplit:
      return {log_level::debug, "a slow range was split"};
    case kind::lock_wait:
      return {log_level::warning, "waiting for a lock"};
    case kind::rate_limited:
      return {log_level::warning, "too many requests"};
    case kind::warning:
      return {log_level::warning, ""};
  }
  return {log_level::debug, ""};
}

}  // namespace

void event_log::on_event(const transfer_event& event) {
  const auto [level, text] = entry_of(event.what);
  if (!log_->wants(level)) return;
  log_record record;
  record.level = level;
  record.operation = "transfer";
  record.file = event.file;
  record.message = text;
  if (!event.detail.empty()) {
    if (!record.message.empty()) record.message += ": ";
    record.message += event.detail;
  }
  log_->write(std::move(record));
}

}  // namespace cohub::transfer
