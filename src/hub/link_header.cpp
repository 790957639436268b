#include "hub/link_header.hpp"

#include "core/ascii.hpp"
#include "core/trim.hpp"

#include <algorithm>
#include <string>

namespace cohub::hub {

namespace {

/// Reads a Link header from left to right (RFC 8288, section 3).
class link_reader {
 public:
  explicit link_reader(std::string_view header) : rest_(header) {}

  /// Goes to the next link, and yields its target; nothing if there is none.
  std::optional<std::string_view> next_target() {
    const auto open = rest_.find('<');
    const auto close = open == rest_.npos ? rest_.npos : rest_.find('>', open);
    if (close == rest_.npos) return {};
    const auto target = rest_.substr(open + 1, close - open - 1);
    rest_.remove_prefix(close + 1);
    return target;
  }

  struct parameter {
    std::string_view name{};
    std::string value{};
  };
  /// The next parameter of the link; nothing at its end.
  std::optional<parameter> next_parameter() {
    const auto end = rest_.find_first_of(";,");
    if (end == rest_.npos || rest_[end] == ',') {
      rest_.remove_prefix(std::min(end, rest_.size()));
      return {};
    }
    rest_.remove_prefix(end + 1);
    parameter found;
    const auto name_end = std::min(rest_.find_first_of("=;,"), rest_.size());
    found.name = core::trim(rest_.substr(0, name_end));
    rest_.remove_prefix(name_end);
    if (rest_.starts_with('=')) found.value = take_value();
    return found;
  }

 private:
  std::string take_value() {
    const auto begin = std::min(rest_.find_first_not_of(" \t", 1), rest_.size());
    rest_.remove_prefix(begin);
    if (rest_.starts_with('"')) return take_quoted();
    const auto end = std::min(rest_.find_first_of(";,"), rest_.size());
    const auto token = core::trim(rest_.substr(0, end));
    rest_.remove_prefix(end);
    return std::string(token);
  }

  std::string take_quoted() {
    std::string text;
    std::size_t at = 1;
    for (; at < rest_.size() && rest_[at] != '"'; ++at) {
      if (rest_[at] == '\\' && at + 1 < rest_.size()) ++at;
      text += rest_[at];
    }
    rest_.remove_prefix(std::min(at + 1, rest_.size()));
    return text;
  }

  std::string_view rest_;
};

/// Whether a list of relations names the one.
bool names_relation(std::string_view list, std::string_view relation) {
  while (!list.empty()) {
    const auto end = std::min(list.find_first_of(" \t"), list.size());
    if (core::equal_without_case(list.substr(0, end), relation)) return true;
    list.remove_prefix(std::min(end + 1, list.size()));
  }
  return false;
}

}  // namespace

std::optional<std::string> link_target(std::string_view header, std::string_view relation) {
  link_reader links(header);
  while (const auto target = links.next_target()) {
    bool is_related = false;
    while (const auto parameter = links.next_parameter())
      is_related = is_related || (core::equal_without_case(parameter->name, "rel") &&
                                  names_relation(parameter->value, relation));
    if (is_related) return std::string(*target);
  }
  return {};
}

}  // namespace cohub::hub
