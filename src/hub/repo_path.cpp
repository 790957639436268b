#include "hub/repo_path.hpp"

#include "cohub/error.hpp"

#include "hub/utf8.hpp"

#include <algorithm>

namespace cohub::hub {

namespace {

bool has_control_characters(std::string_view text) noexcept {
  return std::any_of(text.begin(), text.end(),
                     [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; });
}

bool begins_with_drive(std::string_view segment) noexcept {
  return segment.size() >= 2 && segment[1] == ':' &&
         ((segment[0] >= 'a' && segment[0] <= 'z') || (segment[0] >= 'A' && segment[0] <= 'Z'));
}

/// Calls `refuses` for each segment between `separators`; true if none is refused.
template <class Predicate>
bool each_segment_passes(std::string_view path, std::string_view separators, Predicate refuses) {
  for (;;) {
    const auto end = std::min(path.find_first_of(separators), path.size());
    if (refuses(path.substr(0, end))) return false;
    if (end == path.size()) return true;
    path.remove_prefix(end + 1);
  }
}

}  // namespace

boost::system::result<std::string> check_path_in_repo(std::string_view path) {
  if (path.starts_with('/')) path.remove_prefix(1);
  if (path.starts_with("./")) path.remove_prefix(2);
  const bool valid =
      path.size() <= 4096 && !has_control_characters(path) && path.find('\\') == path.npos &&
      !find_invalid_utf8(path) && each_segment_passes(path, "/", [](std::string_view segment) {
        return segment == "." || segment == ".." || segment == ".git" || segment == ".cache";
      });
  if (!valid) return make_error_code(errc::invalid_path);
  return std::string(path);
}

boost::system::result<void> check_download_path(std::string_view path) {
  const bool valid = !path.empty() && path.size() <= 4096 && !has_control_characters(path) &&
                     path.front() != '/' && path.front() != '\\' &&
                     each_segment_passes(path, "/\\", [](std::string_view segment) {
                       return segment == ".." || begins_with_drive(segment);
                     });
  if (!valid) return make_error_code(errc::invalid_path);
  return {};
}

}  // namespace cohub::hub
