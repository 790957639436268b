#pragma once

#include <string>

namespace cohub::tool {

/// Reads a line from standard input; where somebody types it, it is asked for and not shown. Who
/// interrupts or stops the program meanwhile has a terminal that shows what is typed.
std::string read_secret(const std::string& prompt);

}  // namespace cohub::tool
