#pragma once

#include "cohub/awaitable.hpp"
#include "cohub/client.hpp"

#include <functional>
#include <string>

namespace cohub::tool {

/// Exit statuses of the tool.
enum exit_status { success = 0, failure = 1, usage = 2, interrupted = 130 };

/// Prints one line on standard error: "cohub: ...".
void print_error(const std::string& text);

/// What an interrupted operation leaves to the same command, called again.
enum class when_interrupted { begins_again, resumable };

/// Makes a client, runs what `operation` does with it, and turns its end into an exit status; an
/// error becomes one line. SIGINT and SIGTERM cancel it. Where the settings name no observer,
/// warnings are told all the same.
int run_operation(client_config config, std::function<awaitable<void>(client)> operation,
                  when_interrupted then = when_interrupted::begins_again);

}  // namespace cohub::tool
