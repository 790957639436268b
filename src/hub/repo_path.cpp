#include "hub/repo_path.hpp"

#include "cohub/error.hpp"

#include "core/ascii.hpp"
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

/// What the file system of macOS leaves out before it compares names: joiners and marks of the
/// direction of writing (U+200C-200F, U+202A-202E, U+206A-206F, U+FEFF).
std::string without_ignored(std::string_view name) {
  std::string text;
  for (std::size_t at = 0; at < name.size();) {
    const auto next = name.substr(at, 3);
    const auto last = static_cast<unsigned char>(next.back());
    const bool ignored =
        next == "\xef\xbb\xbf" ||
        (next.size() == 3 && ((next.starts_with("\xe2\x80") && ((last >= 0x8c && last <= 0x8f) ||
                                                                (last >= 0xaa && last <= 0xae))) ||
                              (next.starts_with("\xe2\x81") && last >= 0xaa && last <= 0xaf)));
    if (!ignored) text += name[at];
    at += ignored ? 3 : 1;
  }
  return text;
}

/// Whether some file system or other takes the name for git's own folder, as git has it: "git~1" is
/// its short name on Windows, which also ignores letter case, final dots and blanks, and what
/// follows a colon.
bool means_git_folder(std::string_view segment) {
  const auto kept = without_ignored(segment);
  segment = kept;
  segment = segment.substr(0, segment.find(':'));
  segment = segment.substr(0, segment.find_last_not_of(". ") + 1);
  const auto name = core::lower(segment);
  if (name == ".git") return true;
  return name.size() > 4 && name.starts_with("git~") &&
         name.find_first_not_of("0123456789", 4) == name.npos;
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
  const bool valid = path.size() <= 4096 && !has_control_characters(path) &&
                     path.find('\\') == path.npos && !find_invalid_utf8(path) &&
                     each_segment_passes(path, "/", [](std::string_view segment) {
                       return segment == "." || segment == ".." || segment == ".cache" ||
                              means_git_folder(segment);
                     });
  if (!valid) return make_error_code(errc::invalid_path);
  return std::string(path);
}

boost::system::result<void> check_download_path(std::string_view path) {
  const bool valid =
      !path.empty() && path.size() <= 4096 && !has_control_characters(path) &&
      path.front() != '/' && path.front() != '\\' &&
      each_segment_passes(path, "/\\", [](std::string_view segment) {
        return segment == ".." || begins_with_drive(segment) || means_git_folder(segment);
      });
  if (!valid) return make_error_code(errc::invalid_path);
  return {};
}

}  // namespace cohub::hub
