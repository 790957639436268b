#include "hub/yaml_source.hpp"

#include "cohub/error.hpp"

#include "hub/card_comparison.hpp"
#include "hub/yaml.hpp"

#include <algorithm>
#include <map>
#include <vector>

namespace cohub::hub {

namespace {

/// Equal in all that is written: kinds, spellings and the order of members too.
bool is_written_alike(const card_value& a, const card_value& b) {
  if (a.type() != b.type() || a.source() != b.source()) return false;
  if (a.is_list())
    return std::equal(a.as_list().begin(), a.as_list().end(), b.as_list().begin(),
                      b.as_list().end(), is_written_alike);
  if (a.is_map())
    return std::equal(a.as_map().begin(), a.as_map().end(), b.as_map().begin(), b.as_map().end(),
                      [](const card_member& left, const card_member& right) {
                        return left.key == right.key && is_written_alike(left.value, right.value);
                      });
  return !a.source().empty() || a == b;
}

bool reads_as(const std::string& text, const card_map& map) {
  try {
    auto value = read_yaml(text, "written metadata");
    if (value.is_null()) value = card_map();
    return are_same(value, map, comparison::written);
  } catch (const error&) {
    return false;
  }
}

bool is_break(char c) noexcept { return c == '\n' || c == '\r'; }

/// After the line break that ends the line at `offset`.
std::size_t next_line(std::string_view text, std::size_t offset) noexcept {
  if (offset > 0 && is_break(text[offset - 1])) return offset;  // a block scalar takes its break
  while (offset < text.size() && !is_break(text[offset])) ++offset;
  if (offset < text.size()) offset += text.substr(offset).starts_with("\r\n") ? 2 : 1;
  return offset;
}

/// The text of one member, and what precedes it.
struct piece {
  std::string_view before{};
  std::string_view text{};
  const card_value* value = nullptr;
  bool usable = true;
};

class source_writer {
 public:
  source_writer(std::string_view original, std::string_view line_break, bool keep_comments)
      : original_(original), line_break_(line_break), keep_comments_(keep_comments) {
    std::vector<yaml_member> members;
    original_value_ = read_yaml(original, "the header", 1, &members);
    cut(members);
  }

  /// What stands between the fences, with the line break before the closing one.
  std::string write(const card_map& map) && {
    // The text of a member must say the same at the end of the header, where its last line break
    // belongs to the fence.
    const bool has_more = !tail_.empty() || ends_with_blank_line();
    std::size_t left = map.size();
    for (const auto& [key, value] : map) member(key, value, --left == 0 && !has_more);
    if (map.empty() && tail_.find('#') == tail_.npos) line("{}");
    if (has_more) (out_ += tail_) += line_break_;
    return std::move(out_);
  }

 private:
  void cut(const std::vector<yaml_member>& members) {
    std::size_t end = 0;
    for (const auto& member : members) {
      piece part;
      part.before = original_.substr(end, member.begin - end);
      end = keep_comments_ ? next_line(original_, member.end) : member.end;
      part.text = original_.substr(member.begin, end - member.begin);
      part.usable = keep_comments_ || !member.has_comment;
      const auto [place, is_first] = pieces_.emplace(member.key, part);
      if (!is_first) place->second.usable = false;  // the last of equal keys wins
    }
    if (original_value_.is_map())
      for (const auto& [key, value] : original_value_.as_map())
        if (const auto found = pieces_.find(key); found != pieces_.end())
          found->second.value = &value;
    if (keep_comments_ && (original_value_.is_null() || !members.empty()))
      tail_ = original_.substr(end);
  }

  bool ends_with_blank_line() const noexcept {
    return keep_comments_ && !pieces_.empty() && is_break(original_.back());
  }

  void member(const std::string& key, const card_value& value, bool is_last) {
    card_map alone;
    alone.append(key, value);
    const auto found = pieces_.find(key);
    if (found != pieces_.end()) {
      const auto& part = found->second;
      if (keep_comments_) out_ += part.before;
      auto text = part.text;
      if (!keep_comments_)
        while (!text.empty() && is_break(text.back())) text.remove_suffix(1);
      const bool unchanged =
          part.usable && part.value != nullptr && is_written_alike(*part.value, value);
      // Empty lines behind a block scalar may be a part of it.
      if (unchanged)
        for (const auto candidate : {text, part.text})
          if (stands_for(candidate, alone, is_last)) return line(candidate);
    }
    out_ += write_yaml(alone, line_break_);
  }

  /// Whether a text alone says this: an alias of what stands elsewhere does not.
  static bool stands_for(std::string_view text, const card_map& alone, bool is_last) {
    std::string closed(text);
    if (closed.empty() || !is_break(closed.back())) closed += '\n';
    if (!reads_as(closed, alone)) return false;
    if (!is_last) return true;
    if (closed.ends_with("\r\n")) closed.pop_back();
    closed.pop_back();
    return reads_as(closed, alone);
  }

  void line(std::string_view text) {
    out_ += text;
    if (!text.empty() && !is_break(text.back())) out_ += line_break_;
  }

  std::string_view original_;
  std::string_view line_break_;
  bool keep_comments_;
  card_value original_value_{};
  std::map<std::string, piece, std::less<>> pieces_{};
  std::string_view tail_{};
  std::string out_{};
};

}  // namespace

std::string write_yaml_over(std::string_view original, const card_map& map,
                            std::string_view line_break, bool keep_comments) {
  auto text = source_writer(original, line_break, keep_comments).write(map);
  // What is no member (directives, a fence inside) may have come to stand elsewhere.
  const auto without_break = text.substr(0, text.size() - line_break.size());
  if (keep_comments && !reads_as(without_break, map))
    text = source_writer(original, line_break, false).write(map);
  return text;
}

}  // namespace cohub::hub
