#pragma once

#include <chrono>
#include <functional>
#include <string>

namespace cohub {

enum class log_level { debug, info, warning, error };

/// One thing that happened, for a log. Empty members do not apply. Neither tokens nor queries of
/// urls (which may hold signatures) are ever in it.
struct log_record {
  log_level level{};
  std::chrono::system_clock::time_point time{};
  std::string operation{};  ///< "request", "transfer"
  std::string message{};    ///< one line
  std::string file{};       ///< path in the repository
  std::string method{};     ///< of a request: "GET"
  std::string url{};        ///< of a request, without its query
  int status = 0;           ///< of the answer; 0: none came
  std::string request_id{};
  std::chrono::nanoseconds duration{};  ///< of a request, until the head of its answer
};

/// Receives records. Called from whichever thread does the work, also from several at once: a sink
/// synchronises itself, returns quickly and calls no operation of the client. What it throws is
/// dropped.
using log_sink = std::function<void(const log_record&)>;

/// The record as one line without a line break: "2024-05-01T10:00:00.123Z warning transfer ...".
std::string to_line(const log_record& record);

/// A sink that writes lines to standard error.
log_sink log_to_stderr();

}  // namespace cohub
