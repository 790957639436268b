#include "core/glob.hpp"

#include <algorithm>
#include <utility>

namespace cohub::core {

namespace {

/// The next code point of UTF-8 text; a byte that is not UTF-8 counts as a character of its own.
char32_t next_character(std::string_view text, std::size_t& position) noexcept {
  const auto first = static_cast<unsigned char>(text[position]);
  const std::size_t length = first < 0x80    ? 1
                             : first >= 0xf0 ? 4
                             : first >= 0xe0 ? 3
                             : first >= 0xc2 ? 2
                                             : 1;
  if (length == 1 || position + length > text.size()) {
    ++position;
    return first;
  }
  char32_t value = first & (0xffu >> (length + 1));
  for (std::size_t i = 1; i < length; ++i) {
    const auto next = static_cast<unsigned char>(text[position + i]);
    if ((next & 0xc0) != 0x80) {
      ++position;
      return first;
    }
    value = (value << 6) | (next & 0x3fu);
  }
  position += length;
  return value;
}

/// Where the set that opens at `open` closes; npos if it does not, and then '[' is literal.
std::size_t end_of_set(std::string_view pattern, std::size_t open) noexcept {
  std::size_t i = open + 1;
  if (i < pattern.size() && pattern[i] == '!') ++i;
  if (i < pattern.size() && pattern[i] == ']') ++i;
  return pattern.find(']', i);
}

bool set_contains(std::string_view set, char32_t wanted) noexcept {
  const bool negated = set.starts_with('!');
  if (negated) set.remove_prefix(1);
  bool found = false;
  for (std::size_t i = 0; i < set.size();) {
    const char32_t low = next_character(set, i);
    char32_t high = low;
    if (i + 1 < set.size() && set[i] == '-') {
      ++i;
      high = next_character(set, i);
    }
    found = found || (low <= wanted && wanted <= high);
  }
  return found != negated;
}

}  // namespace

bool glob_match(std::string_view pattern, std::string_view path) {
  std::size_t p = 0;
  std::size_t s = 0;
  // Where to go on after the last '*' has taken one more character: no deeper backtracking is
  // needed.
  std::size_t retry_pattern = std::string_view::npos;
  std::size_t retry_path = 0;
  while (s < path.size()) {
    bool matched = false;
    if (p < pattern.size() && pattern[p] == '*') {
      retry_pattern = ++p;
      retry_path = s;
      continue;
    }
    std::size_t next_p = p;
    std::size_t next_s = s;
    if (p < pattern.size()) {
      const char32_t c = next_character(path, next_s);
      const auto close = pattern[p] == '[' ? end_of_set(pattern, p) : pattern.npos;
      if (pattern[p] == '?') {
        ++next_p;
        matched = true;
      } else if (close != pattern.npos) {
        matched = set_contains(pattern.substr(p + 1, close - p - 1), c);
        next_p = close + 1;
      } else {
        matched = next_character(pattern, next_p) == c;
      }
    }
    if (matched) {
      p = next_p;
      s = next_s;
    } else if (retry_pattern != pattern.npos) {
      next_character(path, retry_path);
      p = retry_pattern;
      s = retry_path;
    } else {
      return false;
    }
  }
  while (p < pattern.size() && pattern[p] == '*') ++p;
  return p == pattern.size();
}

namespace {

std::string with_slashes(std::string text) {
  std::replace(text.begin(), text.end(), '\\', '/');
  return text;
}

void normalize(std::vector<std::string>& patterns) {
  for (auto& pattern : patterns) {
    pattern = with_slashes(std::move(pattern));
    if (pattern.ends_with('/')) pattern += '*';
  }
}

bool matches_any(const std::vector<std::string>& patterns, std::string_view path) {
  return std::any_of(patterns.begin(), patterns.end(),
                     [path](const std::string& pattern) { return glob_match(pattern, path); });
}

}  // namespace

path_filter::path_filter(std::optional<std::vector<std::string>> allow,
                         std::vector<std::string> ignore)
    : allow_(std::move(allow)), ignore_(std::move(ignore)) {
  if (allow_) normalize(*allow_);
  normalize(ignore_);
}

bool path_filter::keeps(std::string_view path) const {
  const auto text = with_slashes(std::string(path));
  return (!allow_ || matches_any(*allow_, text)) && !matches_any(ignore_, text);
}

path_filter upload_filter(std::optional<std::vector<std::string>> allow,
                          std::vector<std::string> ignore) {
  for (const auto* always :
       {".git", ".git/*", "*/.git", "**/.git/**", ".cache/huggingface", ".cache/huggingface/*",
        "*/.cache/huggingface", "**/.cache/huggingface/**"})
    ignore.emplace_back(always);
  return {std::move(allow), std::move(ignore)};
}

}  // namespace cohub::core
