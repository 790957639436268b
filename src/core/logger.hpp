#pragma once

#include "cohub/log.hpp"

#include <optional>
#include <string_view>

namespace cohub::core {

/// A sink and the level from which on it is told.
class logger {
 public:
  logger(log_sink sink, log_level threshold) : sink_(std::move(sink)), threshold_(threshold) {}

  bool wants(log_level level) const noexcept { return sink_ && level >= threshold_; }
  /// Adds the time. The sink's exceptions are dropped: a log must not break what it tells of.
  void write(log_record record) const noexcept;

 private:
  log_sink sink_;
  log_level threshold_;
};

/// The level that a name of Python's logging stands for, in any case; nothing for "critical", which
/// nothing here is, and for any other text.
std::optional<log_level> parse_log_level(std::string_view name) noexcept;

/// The level that `HF_DEBUG` and `HF_HUB_VERBOSITY` ask for (hub-protocol, section 1.1); nothing if
/// they ask for none.
std::optional<log_level> environment_log_level();

}  // namespace cohub::core
