#include "server/handlers/ignore_rules.hpp"

#include "server/failure.hpp"

#include <optional>

namespace cohub::server {

namespace {

/// As long as a path may be: what is longer matches none, and would only make matching go deep.
constexpr std::size_t longest_pattern = 4096;
/// Characters that are looked at together in one step.
constexpr std::size_t path_step = 64;

/// One character set "[...]" at the front of `pattern`; nothing if it is not closed.
std::optional<bool> match_set(std::string_view& pattern, char c) {
  std::size_t i = 1;
  const bool negated = i < pattern.size() && (pattern[i] == '!' || pattern[i] == '^');
  if (negated) ++i;
  bool found = false;
  for (bool first = true; i < pattern.size() && (first || pattern[i] != ']'); first = false) {
    if (pattern[i] == '\\' && i + 1 < pattern.size()) ++i;
    const char low = pattern[i++];
    char high = low;
    if (i + 1 < pattern.size() && pattern[i] == '-' && pattern[i + 1] != ']') {
      high = pattern[i + 1];
      i += 2;
    }
    if (low <= c && c <= high) found = true;
  }
  if (i >= pattern.size()) return std::nullopt;
  pattern.remove_prefix(i + 1);
  return found != negated && c != '/';
}

/// Follows one literal, '?' or set; false on a mismatch.
bool match_one(std::string_view& pattern, std::string_view& path) {
  if (path.empty()) return false;
  const char c = path.front();
  if (pattern.front() == '[') {
    std::string_view rest = pattern;
    if (const auto inside = match_set(rest, c)) {
      pattern = rest;
      path.remove_prefix(1);
      return *inside;
    }
  }
  if (pattern.front() == '?') {
    if (c == '/') return false;
  } else {
    if (pattern.front() == '\\' && pattern.size() > 1) pattern.remove_prefix(1);
    if (pattern.front() != c) return false;
  }
  pattern.remove_prefix(1);
  path.remove_prefix(1);
  return true;
}

bool match(std::string_view pattern, std::string_view path, match_budget& budget) {
  while (!pattern.empty()) {
    budget.spend(pattern.front() == '[' ? pattern.size() : 1);
    if (pattern.starts_with("**/")) {
      const auto rest = pattern.substr(3);
      for (;;) {
        if (match(rest, path, budget)) return true;
        const auto slash = path.find('/');
        if (slash == path.npos) return false;
        path.remove_prefix(slash + 1);
      }
    }
    if (pattern == "**") return true;
    if (pattern.front() == '*') {
      while (pattern.starts_with('*')) pattern.remove_prefix(1);
      if (pattern.find_first_of("*?[\\/") == pattern.npos)  // an ending, as in most rules
        return path.ends_with(pattern) &&
               path.substr(0, path.size() - pattern.size()).find('/') == path.npos;
      for (;;) {
        if (match(pattern, path, budget)) return true;
        if (path.empty() || path.front() == '/') return false;
        path.remove_prefix(1);
      }
    }
    if (!match_one(pattern, path)) return false;
  }
  return path.empty();
}

std::string_view next_line(std::string_view& text) {
  const auto end = text.find('\n');
  std::string_view line = text.substr(0, end);
  text = end == text.npos ? std::string_view() : text.substr(end + 1);
  if (line.ends_with('\r')) line.remove_suffix(1);
  return line;
}

std::string_view last_name(std::string_view path) { return path.substr(path.rfind('/') + 1); }

}  // namespace

void match_budget::spend(std::size_t steps) {
  if (steps > left_) throw unprocessable("The rules of .gitattributes or .gitignore take too long");
  left_ -= steps;
}

bool git_glob_match(std::string_view pattern, std::string_view path, match_budget& budget) {
  budget.spend(1 + path.size() / path_step);
  return match(pattern, path, budget);
}

ignore_rules::ignore_rules(std::string_view text) {
  while (!text.empty()) {
    std::string_view line = next_line(text);
    while (line.ends_with(' ') && !line.ends_with("\\ ")) line.remove_suffix(1);
    if (line.empty() || line.starts_with('#')) continue;
    rule made;
    if (line.starts_with('!')) {
      made.negated = true;
      line.remove_prefix(1);
    }
    if (line.ends_with('/')) {
      made.folders_only = true;
      line.remove_suffix(1);
    }
    made.anchored = line.find('/') != line.npos;
    if (line.starts_with('/')) line.remove_prefix(1);
    if (line.empty() || line.size() > longest_pattern) continue;
    made.pattern = std::string(line);
    rules_.push_back(std::move(made));
  }
}

bool ignore_rules::ignores_one(std::string_view path, bool is_folder, match_budget& budget) const {
  const auto name = last_name(path);
  for (auto each = rules_.rbegin(); each != rules_.rend(); ++each) {  // the last one decides
    if (each->folders_only && !is_folder) continue;
    if (git_glob_match(each->pattern, each->anchored ? path : name, budget)) return !each->negated;
  }
  return false;
}

bool ignore_rules::ignores(std::string_view path, match_budget& budget) const {
  // What lies in an ignored folder cannot be asked back.
  for (auto slash = path.find('/'); slash != path.npos; slash = path.find('/', slash + 1))
    if (ignores_one(path.substr(0, slash), true, budget)) return true;
  return ignores_one(path, false, budget);
}

large_file_rules::large_file_rules(std::string_view text) {
  constexpr std::string_view blanks = " \t";
  while (!text.empty()) {
    std::string_view line = next_line(text);
    const auto start = line.find_first_not_of(blanks);
    if (start == line.npos || line[start] == '#') continue;
    line.remove_prefix(start);
    const auto end = line.find_first_of(blanks);
    if (end == line.npos) continue;
    std::string_view pattern = line.substr(0, end);
    std::string_view attributes = line.substr(end);
    std::optional<bool> large;
    while (!attributes.empty()) {
      const auto from = attributes.find_first_not_of(blanks);
      if (from == attributes.npos) break;
      attributes.remove_prefix(from);
      const auto stop = attributes.find_first_of(blanks);
      const std::string_view word = attributes.substr(0, stop);
      attributes = stop == attributes.npos ? std::string_view() : attributes.substr(stop);
      if (word == "filter=lfs") large = true;
      if (word == "-filter" || word == "!filter" ||
          (word.starts_with("filter=") && word != "filter=lfs"))
        large = false;
    }
    if (!large) continue;
    rule made;
    made.anchored = pattern.find('/') != pattern.npos;
    if (pattern.starts_with('/')) pattern.remove_prefix(1);
    if (pattern.size() > longest_pattern) continue;
    made.pattern = std::string(pattern);
    made.large = *large;
    rules_.push_back(std::move(made));
  }
}

bool large_file_rules::is_large(std::string_view path, match_budget& budget) const {
  const auto name = last_name(path);
  for (auto each = rules_.rbegin(); each != rules_.rend(); ++each)
    if (git_glob_match(each->pattern, each->anchored ? path : name, budget)) return each->large;
  return false;
}

}  // namespace cohub::server
