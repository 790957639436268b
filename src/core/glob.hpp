#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace cohub::core {

/// Whether `path` matches the fnmatch `pattern` as the Python client reads it: `*` and `?` also
/// match '/' (hub-protocol, section 5.2). Linear in the path for a fixed pattern.
bool glob_match(std::string_view pattern, std::string_view path);

/// Which paths of a listing are wanted.
class path_filter {
 public:
  path_filter() = default;
  /// @param allow   unset keeps all; empty keeps none
  /// @param ignore  paths to leave out even if allowed
  path_filter(std::optional<std::vector<std::string>> allow, std::vector<std::string> ignore);

  bool keeps(std::string_view path) const;

 private:
  std::optional<std::vector<std::string>> allow_;
  std::vector<std::string> ignore_;
};

/// Of the files in a folder that is uploaded: what is always ignored (hub-protocol, section 8.1) is
/// ignored besides.
path_filter upload_filter(std::optional<std::vector<std::string>> allow,
                          std::vector<std::string> ignore);

}  // namespace cohub::core
