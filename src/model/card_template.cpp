#include "model/card_template.hpp"

#include "cohub/error.hpp"

#include "hub/python_text.hpp"

#include <algorithm>
#include <cctype>
#include <optional>

namespace cohub::model {

namespace {

bool is_space(char c) noexcept {
  return c == ' ' || c == '\t' || c == '\n' || c == '\v' || c == '\f';
}

bool is_name_start(char c) noexcept {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

bool is_name(char c) noexcept { return is_name_start(c) || (c >= '0' && c <= '9'); }

/// CRLF and CR become LF.
std::string normalized(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '\r') {
      out += text[i];
    } else {
      out += '\n';
      if (i + 1 < text.size() && text[i + 1] == '\n') ++i;
    }
  }
  if (out.ends_with('\n')) out.pop_back();
  return out;
}

/// What Python takes for false.
bool is_empty_or_false(const card_value& value) {
  using kind = card_value::kind;
  switch (value.type()) {
    case kind::null:
      return true;
    case kind::boolean:
      return !value.as_bool();
    case kind::integer:
    case kind::real:
      return value.as_real() == 0;
    case kind::text:
      return value.as_text().empty();
    case kind::list:
      return value.as_list().empty();
    case kind::map:
      return value.as_map().empty();
  }
  return false;
}

class renderer {
 public:
  renderer(std::string_view text, const template_variables& variables)
      : text_(text), variables_(variables) {}

  std::string render() && {
    while (position_ < text_.size()) {
      if (at("{{")) {
        output();
      } else if (at("{#")) {
        comment();
      } else if (at("{%")) {
        raw_block();
      } else {
        out_ += text_[position_++];
      }
    }
    return std::move(out_);
  }

 private:
  [[noreturn]] void fail(const std::string& reason) const {
    const auto before = text_.substr(0, position_);
    const auto line = 1 + std::count(before.begin(), before.end(), '\n');
    throw error(errc::invalid_card,
                "rendering a card template, line " + std::to_string(line) + ": " + reason);
  }

  bool at(std::string_view token) const noexcept {
    return text_.substr(position_).starts_with(token);
  }
  bool take(std::string_view token) noexcept {
    if (!at(token)) return false;
    position_ += token.size();
    return true;
  }
  void skip_space() noexcept {
    while (position_ < text_.size() && is_space(text_[position_])) ++position_;
  }

  /// Enters a tag of two characters; with `-` the white space before it goes.
  void open_tag(std::string_view token) {
    take(token);
    if (take("-")) {
      while (!out_.empty() && is_space(out_.back()) && out_.size() > kept_) out_.pop_back();
    } else {
      take("+");
    }
  }

  /// Leaves a tag; with `-` the white space after it goes.
  bool close_tag(std::string_view token) {
    if (take("-" + std::string(token))) {
      skip_space();
      return true;
    }
    return take(token);
  }

  void output() {
    open_tag("{{");
    auto value = expression();
    while (skip_space(), take("|")) value = filtered(std::move(value));
    skip_space();
    if (value) out_ += hub::python_text(*value);
    kept_ = out_.size();  // a value keeps its own white space
    if (!close_tag("}}")) unsupported();
  }

  [[noreturn]] void unsupported() const {
    fail(
        "only a name with the filter default is understood between {{ and }}; text that is meant "
        "literally goes between {% raw %} and {% endraw %}");
  }

  void comment() {
    open_tag("{#");
    const auto end = text_.find("#}", position_);
    if (end == text_.npos) fail("a comment without its end");
    const bool trims = text_[end - 1] == '-';
    position_ = end + 2;
    if (trims) skip_space();
  }

  void raw_block() {
    open_tag("{%");
    if (statement_name() != "raw") fail("only raw blocks are understood between {% and %}");
    if (!close_tag("%}")) fail("a statement without its end");
    const std::size_t begin = position_;
    for (auto i = text_.find("{%", position_); i != text_.npos; i = text_.find("{%", i + 2)) {
      position_ = i;
      const auto content = text_.substr(begin, i - begin);
      take("{%");
      const bool trims = take("-");
      if (!trims) take("+");
      if (statement_name() != "endraw") continue;
      out_ += content;
      kept_ = out_.size() - content.size();
      if (trims)
        while (out_.size() > kept_ && is_space(out_.back())) out_.pop_back();
      kept_ = out_.size();
      if (!close_tag("%}")) fail("a statement without its end");
      return;
    }
    position_ = begin;
    fail("a raw block without its end");
  }

  std::string statement_name() {
    skip_space();
    std::string name = identifier();
    skip_space();
    return name;
  }

  std::string identifier() {
    const std::size_t begin = position_;
    if (position_ < text_.size() && is_name_start(text_[position_]))
      while (position_ < text_.size() && is_name(text_[position_])) ++position_;
    return std::string(text_.substr(begin, position_ - begin));
  }

  /// A name, a literal text, a number or a constant; nothing is an undefined name.
  std::optional<card_value> expression() {
    skip_space();
    if (position_ == text_.size()) fail("a tag without its end");
    const char c = text_[position_];
    if (c == '"' || c == '\'') return literal(c);
    if (c >= '0' && c <= '9') return number();
    const std::string name = identifier();
    if (name.empty()) unsupported();
    if (name == "true" || name == "True") return card_value(true);
    if (name == "false" || name == "False") return card_value(false);
    if (name == "none" || name == "None") return card_value(nullptr);
    const auto found = variables_.find(name);
    if (found == variables_.end()) return {};
    return found->second;
  }

  card_value number() {
    std::int64_t value = 0;
    while (position_ < text_.size() && text_[position_] >= '0' && text_[position_] <= '9') {
      if (__builtin_mul_overflow(value, std::int64_t{10}, &value) ||
          __builtin_add_overflow(value, std::int64_t{text_[position_] - '0'}, &value))
        fail("a number that is too large");
      ++position_;
    }
    return value;
  }

  card_value literal(char quote) {
    std::string value;
    for (++position_; position_ < text_.size(); ++position_) {
      char c = text_[position_];
      if (c == quote) {
        ++position_;
        return value;
      }
      if (c == '\\' && position_ + 1 < text_.size()) {
        c = text_[++position_];
        if (c == 'n')
          c = '\n';
        else if (c == 't')
          c = '\t';
        else if (c == 'r')
          c = '\r';
        else if (c != '\\' && c != '"' && c != '\'')
          value += '\\';
      }
      value += c;
    }
    fail("a text without its closing quote");
  }

  std::optional<card_value> filtered(std::optional<card_value> value) {
    skip_space();
    const std::string name = identifier();
    if (name != "default" && name != "d") fail("unknown filter \"" + name + "\"");
    card_value otherwise = std::string();
    bool also_false = false;
    skip_space();
    if (take("(")) {
      skip_space();
      if (!at(")")) otherwise = argument();
      skip_space();
      if (take(",")) also_false = !is_empty_or_false(argument());
      skip_space();
      if (!take(")")) fail("the arguments of a filter without their end");
    }
    if (!value || (also_false && is_empty_or_false(*value))) return otherwise;
    return value;
  }

  card_value argument() {
    auto value = expression();
    return value ? *std::move(value) : card_value(std::string());
  }

  std::string_view text_;
  const template_variables& variables_;
  std::size_t position_ = 0;
  std::string out_{};
  std::size_t kept_ = 0;  // output up to here is not trimmed
};

}  // namespace

std::string render_template(std::string_view text, const template_variables& variables) {
  const std::string lines = normalized(text);
  return renderer(lines, variables).render();
}

}  // namespace cohub::model
