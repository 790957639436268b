#include "client/request_log.hpp"

#include "core/ascii.hpp"
#include "core/secrets.hpp"
#include "core/trim.hpp"
#include "http/retry_policy.hpp"
#include "http/trace_id.hpp"

#include <chrono>
#include <mutex>
#include <set>
#include <string>
#include <string_view>
#include <utility>

namespace cohub::detail {

namespace {

constexpr std::size_t text_limit = 500;
constexpr std::size_t topic_limit = 256;  // a server cannot make the process remember more

/// Whether this process hears of the topic for the first time.
bool is_new_topic(std::string_view topic) {
  static std::mutex mutex;
  static std::set<std::string, std::less<>> known;
  const std::scoped_lock guard(mutex);
  if (known.contains(topic) || known.size() >= topic_limit) return false;
  known.emplace(topic);
  return true;
}

std::string printable(std::string_view text) {
  auto kept = core::conceal_secrets(std::string(text.substr(0, text_limit)));
  for (char& c : kept)
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) c = ' ';
  return kept;
}

/// What the server calls the request, else what this side does.
std::string request_id(const http::request_report& report) {
  auto id = report.answer == nullptr ? std::string() : http::answered_id(report.answer->headers);
  if (id.empty()) id = report.trace_id;
  return id;
}

void log_request(const core::logger& log, const http::request_report& report) {
  if (!log.wants(log_level::debug)) return;
  log_record record;
  record.level = log_level::debug;
  record.operation = "request";
  record.method = http::to_string(report.what.verb);
  record.url = report.what.url.printable();
  record.duration = report.duration;
  record.request_id = printable(request_id(report));
  if (report.answer != nullptr) {
    record.status = report.answer->status;
  }
  if (report.failure) {
    try {
      std::rethrow_exception(report.failure);
    } catch (const std::exception& e) {
      record.message = e.what();
    }
  }
  log.write(std::move(record));
}

void tell(const core::logger& log, observer* listener, transfer_event::kind what,
          log_record record) {
  if (listener != nullptr) {
    transfer_event event;
    event.what = what;
    event.detail = record.message;
    listener->on_event(event);
  }
  log.write(std::move(record));
}

void tell_warnings(const core::logger& log, observer* listener,
                   const http::request_report& report) {
  for (const auto& [name, value] : report.answer->headers) {
    if (!core::equal_without_case(name, "X-HF-Warning")) continue;
    const std::string_view text = value;
    const auto split = text.find(';');
    const auto topic = split == text.npos ? std::string_view() : text.substr(0, split);
    const auto message = core::trim(split == text.npos ? text : text.substr(split + 1));
    if (message.empty() || !is_new_topic(core::trim(topic).substr(0, text_limit))) continue;
    log_record record;
    record.level = log_level::warning;
    record.operation = "request";
    record.url = report.what.url.printable();
    record.message = printable(message);
    tell(log, listener, transfer_event::kind::warning, std::move(record));
  }
}

/// A refusal, or an answer after which others wait so long that somebody may wonder.
bool asks_to_wait(const http::response_head& answer) {
  constexpr std::chrono::seconds noticed{3};
  if (answer.status == 429) return true;
  const auto wait = answer.status == 503 ? http::requested_wait(answer.status, answer.headers)
                                         : http::window_left(answer.headers);
  return wait && *wait > noticed;
}

void tell_limit(const core::logger& log, observer* listener, const http::request_report& report) {
  if (!asks_to_wait(*report.answer)) return;
  log_record record;
  record.level = log_level::warning;
  record.operation = "request";
  record.url = report.what.url.printable();
  record.status = report.answer->status;
  record.request_id = printable(request_id(report));
  record.message = report.what.url.origin.host + " asks to slow down";
  for (const char* name : {"ratelimit", "Retry-After"})
    if (const auto value = report.answer->headers.get(name); !value.empty())
      record.message += std::string("; ") + name + ": " + printable(value);
  tell(log, listener, transfer_event::kind::rate_limited, std::move(record));
}

}  // namespace

std::function<void(const http::request_report&)> request_log(
    std::shared_ptr<const core::logger> log, std::shared_ptr<cohub::observer> observer) {
  if (!log->wants(log_level::error) && !observer) return {};
  return
      [log = std::move(log), observer = std::move(observer)](const http::request_report& report) {
        log_request(*log, report);
        if (report.answer == nullptr) return;
        tell_limit(*log, observer.get(), report);
        tell_warnings(*log, observer.get(), report);
      };
}

}  // namespace cohub::detail
