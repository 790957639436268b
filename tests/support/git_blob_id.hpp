#pragma once

#include "core/digest.hpp"

#include <string>
#include <string_view>

namespace cohub::test {

/// The id that git gives a file.
inline std::string git_blob_id(std::string_view content) {
  auto running = core::git_blob_digest(content.size());
  running.update(content);
  return running.hex_digest();
}

}  // namespace cohub::test
