#include "core/logger.hpp"

#include "core/ascii.hpp"
#include "core/environment.hpp"

#include <unistd.h>

#include <array>
#include <cstdio>
#include <ctime>
#include <utility>

namespace cohub {

namespace {

const char* name_of(log_level level) noexcept {
  switch (level) {
    case log_level::debug:
      return "debug";
    case log_level::info:
      return "info";
    case log_level::warning:
      return "warning";
    case log_level::error:
      return "error";
  }
  return "";
}

std::string time_text(std::chrono::system_clock::time_point time) {
  const auto since = time.time_since_epoch();
  const auto seconds = std::chrono::floor<std::chrono::seconds>(since);
  const auto rest = std::chrono::duration_cast<std::chrono::milliseconds>(since - seconds).count();
  const auto whole = static_cast<std::time_t>(seconds.count());
  std::tm parts{};
  ::gmtime_r(&whole, &parts);
  std::array<char, 64> text{};
  const auto length = std::strftime(text.data(), text.size(), "%Y-%m-%dT%H:%M:%S", &parts);
  std::snprintf(text.data() + length, text.size() - length, ".%03dZ", static_cast<int>(rest));
  return text.data();
}

}  // namespace

std::string to_line(const log_record& record) {
  std::string line = time_text(record.time);
  const auto add = [&line](std::string_view item, std::string_view label = {}) {
    if (item.empty()) return;
    line += ' ';
    line += label;
    line += item;
  };
  add(name_of(record.level));
  add(record.operation);
  add(record.method);
  add(record.url);
  if (record.status != 0) add(std::to_string(record.status));
  add(record.file);
  if (record.duration.count() > 0) {
    std::array<char, 32> text{};
    std::snprintf(text.data(), text.size(), "%.1f ms",
                  static_cast<double>(record.duration.count()) / 1e6);
    add(text.data());
  }
  add(record.request_id, "request ");
  if (!record.message.empty()) line += ": " + record.message;
  for (char& c : line)
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) c = ' ';
  return line;
}

log_sink log_to_stderr() {
  return [](const log_record& record) {
    // One write a line, so that lines of several threads do not mix.
    const auto line = to_line(record) + '\n';
    static_cast<void>(::write(STDERR_FILENO, line.data(), line.size()) < 0);
  };
}

namespace core {

void logger::write(log_record record) const noexcept {
  if (!wants(record.level)) return;
  try {
    record.time = std::chrono::system_clock::now();
    sink_(record);
  } catch (...) {
  }
}

std::optional<log_level> parse_log_level(std::string_view name) noexcept {
  constexpr std::array<std::pair<std::string_view, log_level>, 5> names{
      {{"debug", log_level::debug},
       {"info", log_level::info},
       {"warning", log_level::warning},
       {"warn", log_level::warning},
       {"error", log_level::error}}};
  for (const auto& [known, level] : names)
    if (equal_without_case(name, known)) return level;
  return {};
}

std::optional<log_level> environment_log_level() {
  if (environment_flag("HF_DEBUG")) return log_level::debug;
  const auto name = environment_value("HF_HUB_VERBOSITY");
  if (!name) return {};
  return parse_log_level(*name);
}

}  // namespace core

}  // namespace cohub
