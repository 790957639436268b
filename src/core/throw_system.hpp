#pragma once

#include "cohub/error.hpp"

#include <boost/system/error_code.hpp>

#include <filesystem>
#include <string>
#include <string_view>

namespace cohub::core {

/// Throws what the system refused.
/// @param code   an errno
/// @param doing  "reading /tmp/x"
[[noreturn]] inline void throw_system(int code, std::string_view doing) {
  throw error({code, boost::system::system_category()}, std::string(doing));
}

/// The same; "reading" and the path make what was being done.
[[noreturn]] inline void throw_system(int code, std::string_view doing,
                                      const std::filesystem::path& path) {
  throw_system(code, std::string(doing) + ' ' + path.string());
}

}  // namespace cohub::core
