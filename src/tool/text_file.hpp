#pragma once

#include <string>

namespace cohub::tool {

/// All that is in a file. What cannot be read is not taken for an empty one.
/// @param path  "-": standard input
/// @throws std::runtime_error
std::string read_text_file(const std::string& path);

}  // namespace cohub::tool
