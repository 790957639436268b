#include "hub/python_text.hpp"
#include "hub/utf8.hpp"
#include "hub/yaml.hpp"
#include "hub/yaml_scalar.hpp"

#include <algorithm>
#include <vector>

namespace cohub::hub {

namespace {

using characters = std::vector<char32_t>;

constexpr std::size_t best_width = 80;
constexpr std::size_t indent_step = 2;
constexpr std::size_t longest_simple_key = 122;  // 128 with the tag that PyYAML counts but omits

characters decode(std::string_view text) {
  characters out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size();) {
    const auto point = decode_utf8(text, i);
    out.push_back(point ? static_cast<char32_t>(point->value) : U'\uFFFD');
    i += point ? point->length : 1;
  }
  return out;
}

bool is_break(char32_t c) noexcept {
  return c == U'\n' || c == U'\u0085' || c == U'\u2028' || c == U'\u2029';
}

bool is_blank(char32_t c) noexcept {
  return c == 0 || c == U' ' || c == U'\t' || c == U'\r' || is_break(c);
}

bool is_special(char32_t c) noexcept {
  if (c == U'\n' || (c >= 0x20 && c <= 0x7e)) return false;
  const bool printable = c == 0x85 || (c >= 0xa0 && c <= 0xd7ff) || (c >= 0xe000 && c <= 0xfffd) ||
                         (c >= 0x10000 && c < 0x10ffff);
  return !printable || c == 0xfeff;
}

bool is_in(char32_t c, std::string_view set) noexcept {
  return c < 0x80 && set.find(static_cast<char>(c)) != std::string_view::npos;
}

enum class scalar_style { plain, single_quoted, double_quoted };

/// The plainest style that reads back as this text.
scalar_style choose_style(std::string_view text, const characters& chars, bool is_simple_key) {
  if (chars.empty()) return scalar_style::single_quoted;
  bool plain = resolve_plain(text) == plain_kind::text;
  bool single = true;
  bool multiline = false;
  const std::size_t count = chars.size();
  const auto at = [&](std::size_t i) { return i < count ? chars[i] : char32_t{0}; };

  if (is_in(chars[0], "#,[]{}&*!|>'\"%@`")) plain = false;
  if (is_in(chars[0], "-?:") && is_blank(at(1))) plain = false;
  if (text.starts_with("---") || text.starts_with("...")) plain = false;
  if (chars.front() == U' ' || chars.back() == U' ') plain = false;
  for (std::size_t i = 0; i < count; ++i) {
    const char32_t c = chars[i];
    if (i > 0 && c == U':' && is_blank(at(i + 1))) plain = false;
    if (i > 0 && c == U'#' && is_blank(chars[i - 1])) plain = false;
    if (is_special(c)) plain = single = false;
    if (is_break(c)) {
      plain = false;
      multiline = true;
      // PyYAML leaves the other breaks in single quotes, where a reader folds them into spaces.
      if (c != U'\n' || (i > 0 && chars[i - 1] == U' ') || at(i + 1) == U' ') single = false;
    }
  }
  if (plain) return scalar_style::plain;
  if (single && !(is_simple_key && multiline)) return scalar_style::single_quoted;
  return scalar_style::double_quoted;
}

bool can_be_simple_key(const characters& key) {
  return !key.empty() && key.size() <= longest_simple_key &&
         std::none_of(key.begin(), key.end(), is_break);
}

/// The escape of a character in double quotes, back-slash included.
std::string escape(char32_t c) {
  // With its length: the first character would else end it.
  constexpr std::u32string_view known(U"\0\a\b\t\n\v\f\r\x1b\"\\\u0085\u00a0\u2028\u2029", 15);
  constexpr std::string_view letters = "0abtnvfre\"\\N_LP";
  const auto index = known.find(c);
  std::string out = "\\";
  if (index != known.npos) return out += letters[index];
  const std::size_t width = c <= 0xff ? 2 : c <= 0xffff ? 4 : 8;
  out += width == 2 ? 'x' : width == 4 ? 'u' : 'U';
  for (std::size_t i = width; i-- > 0;) out += "0123456789ABCDEF"[(c >> (4 * i)) & 15];
  return out;
}

/// Knows the column, and where a line may be folded.
class yaml_writer {
 public:
  explicit yaml_writer(std::string_view line_break) : line_break_(line_break) {}

  std::string take() && { return std::move(out_); }

  void map(const card_map& members, std::size_t indent) {
    bool first = true;
    for (const auto& [key, value] : members) {
      if (!std::exchange(first, false)) start_line(indent);
      const auto chars = decode(key);
      if (can_be_simple_key(chars)) {
        scalar(key, chars, indent, true);
        put(":");
      } else {
        put("? ");
        scalar(key, chars, indent + indent_step, false);
        start_line(indent);
        put(": ");
        item(value, indent);
        continue;
      }
      member_value(value, indent);
    }
  }

 private:
  void put(std::string_view ascii) {
    out_ += ascii;
    column_ += ascii.size();
  }

  void put(char32_t c) {
    append_utf8(out_, c);
    ++column_;
  }

  void put(const characters& chars, std::size_t begin, std::size_t end) {
    for (std::size_t i = begin; i < end; ++i) put(chars[i]);
  }

  void start_line(std::size_t indent) {
    out_ += line_break_;
    out_.append(indent, ' ');
    column_ = indent;
  }

  void member_value(const card_value& value, std::size_t indent) {
    if (value.is_list() && !value.as_list().empty()) {
      start_line(indent);  // a list under a key is not indented
      list(value.as_list(), indent);
    } else if (value.is_map() && !value.as_map().empty()) {
      start_line(indent + indent_step);
      map(value.as_map(), indent + indent_step);
    } else {
      put(" ");
      leaf(value, indent + indent_step);
    }
  }

  void list(const card_list& items, std::size_t indent) {
    bool first = true;
    for (const auto& value : items) {
      if (!std::exchange(first, false)) start_line(indent);
      put("- ");
      item(value, indent);
    }
  }

  /// A value that starts on the line of its dash or colon.
  void item(const card_value& value, std::size_t indent) {
    if (value.is_list() && !value.as_list().empty()) {
      list(value.as_list(), indent + indent_step);
    } else if (value.is_map() && !value.as_map().empty()) {
      map(value.as_map(), indent + indent_step);
    } else {
      leaf(value, indent + indent_step);
    }
  }

  void leaf(const card_value& value, std::size_t indent) {
    using kind = card_value::kind;
    if (!value.source().empty()) return put(value.source());
    switch (value.type()) {
      case kind::null:
        return put("null");
      case kind::boolean:
        return put(value.as_bool() ? "true" : "false");
      case kind::integer:
        return put(std::to_string(value.as_integer()));
      case kind::real:
        return put(yaml_float(value.as_real()));
      case kind::text:
        return scalar(value.as_text(), decode(value.as_text()), indent, false);
      case kind::list:
        return put("[]");
      case kind::map:
        return put("{}");
    }
  }

  static std::string yaml_float(double value) {
    std::string text = python_float(value);
    if (text == "inf" || text == "-inf" || text == "nan")
      return text.insert(text[0] == '-' ? 1 : 0, ".");
    // `1e-05` would read back as text: a YAML float needs its point.
    if (const auto e = text.find('e'); e != text.npos && text.find('.') == text.npos)
      text.insert(e, ".0");
    return text;
  }

  void scalar(std::string_view text, const characters& chars, std::size_t indent, bool is_key) {
    switch (choose_style(text, chars, is_key)) {
      case scalar_style::plain:
        return plain(chars, indent, !is_key);
      case scalar_style::single_quoted:
        return single_quoted(chars, indent, !is_key);
      case scalar_style::double_quoted:
        return double_quoted(chars, indent, !is_key);
    }
  }

  /// Spaces [begin, end): one alone may become a line break when the line is full.
  void spaces(std::size_t begin, std::size_t end, bool may_fold, std::size_t indent) {
    if (may_fold && begin + 1 == end && column_ > best_width) return start_line(indent);
    put(std::string(end - begin, ' '));
  }

  void plain(const characters& chars, std::size_t indent, bool fold) {
    for (std::size_t i = 0; i < chars.size();) {
      std::size_t end = i;
      while (end < chars.size() && (chars[end] == U' ') == (chars[i] == U' ')) ++end;
      if (chars[i] == U' ') {
        spaces(i, end, fold, indent);
      } else {
        put(chars, i, end);
      }
      i = end;
    }
  }

  void single_quoted(const characters& chars, std::size_t indent, bool fold) {
    put("'");
    for (std::size_t i = 0; i < chars.size();) {
      std::size_t end = i;
      if (chars[i] == U' ') {
        while (end < chars.size() && chars[end] == U' ') ++end;
        spaces(i, end, fold && i > 0 && end < chars.size(), indent);
      } else if (is_break(chars[i])) {
        while (end < chars.size() && is_break(chars[end])) ++end;
        // One break more than the text has: a reader folds a single one into a space.
        for (std::size_t b = i; b <= end; ++b) out_ += line_break_;
        out_.append(indent, ' ');
        column_ = indent;
      } else {
        while (end < chars.size() && chars[end] != U' ' && !is_break(chars[end])) {
          if (chars[end] == U'\'') put("'");
          put(chars[end++]);
        }
      }
      i = end;
    }
    put("'");
  }

  void double_quoted(const characters& chars, std::size_t indent, bool fold) {
    put("\"");
    bool after_escape = false;
    for (std::size_t i = 0; i < chars.size(); ++i) {
      const char32_t c = chars[i];
      const bool inner = i > 0 && i + 1 < chars.size();
      const bool raw = (c >= 0x20 && c <= 0x7e && c != U'"' && c != U'\\') ||
                       (((c >= 0xa0 && c <= 0xd7ff) || (c >= 0xe000 && c <= 0xfffd)) &&
                        !is_break(c) && c != 0xfeff);
      if (!raw) put(escape(c));
      // Folded at a space, after an escape, and before what follows one.
      const bool at_seam = !raw || c == U' ' || after_escape;
      // PyYAML counts an escape one column short.
      if (fold && inner && at_seam && column_ > best_width + (raw ? 0 : 1)) {
        put("\\");
        start_line(indent);
        // A space that starts a line would be taken for indentation.
        if (chars[raw ? i : i + 1] == U' ') put("\\");
      }
      if (raw) put(c);
      after_escape = !raw;
    }
    put("\"");
  }

  std::string_view line_break_;
  std::string out_{};
  std::size_t column_ = 0;
};

}  // namespace

std::string write_yaml(const card_map& map, std::string_view line_break) {
  if (map.empty()) return "{}" + std::string(line_break);
  yaml_writer writer(line_break);
  writer.map(map, 0);
  return std::move(writer).take() + std::string(line_break);
}

}  // namespace cohub::hub
