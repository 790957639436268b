#include "model/card/template_lexer.hpp"

#include "cohub/error.hpp"

#include "core/ascii.hpp"
#include "hub/utf8.hpp"

#include <algorithm>
#include <cstdint>

namespace cohub::model {

void template_errors::fail(std::size_t line, const std::string& reason) const {
  throw error(errc::invalid_card,
              "rendering " + name_ + ", line " + std::to_string(line) + ": " + reason);
}

void template_errors::unsupported(std::size_t line, const std::string& what) const {
  fail(line, what +
                 " is not understood; text that is meant literally goes between {% raw %} and "
                 "{% endraw %}");
}

namespace {

using kind = template_token::kind;

bool is_space(char c) noexcept {
  return c == ' ' || c == '\t' || c == '\n' || c == '\v' || c == '\f';
}

bool is_name_start(char c) noexcept { return core::is_letter(c) || c == '_'; }

class lexer {
 public:
  lexer(std::string_view text, const template_errors& errors) : text_(text), errors_(errors) {}

  std::vector<template_token> tokens() && {
    while (position_ < text_.size()) {
      if (take("{{")) {
        tag(kind::output_begin, "}}", kind::output_end);
      } else if (take("{#")) {
        comment();
      } else if (at("{%")) {
        statement();
      } else {
        data();
      }
    }
    add(kind::end);
    return std::move(tokens_);
  }

 private:
  bool at(std::string_view token) const noexcept {
    return text_.substr(position_).starts_with(token);
  }
  bool take(std::string_view token) noexcept {
    if (!at(token)) return false;
    move(token.size());
    return true;
  }
  void move(std::size_t count) noexcept {
    const auto passed = text_.substr(position_, count);
    line_ += static_cast<std::size_t>(std::count(passed.begin(), passed.end(), '\n'));
    position_ += passed.size();
  }
  void skip_space() noexcept {
    while (position_ < text_.size() && is_space(text_[position_])) move(1);
  }
  void add(kind what, std::string text = {}) { tokens_.push_back({what, std::move(text), line_}); }

  /// Text up to what may be a tag.
  void data() {
    auto end = text_.find('{', position_ + 1);
    end = std::min(end, text_.size());
    add_data(text_.substr(position_, end - position_));
    move(end - position_);
  }

  void add_data(std::string_view text) {
    if (!tokens_.empty() && tokens_.back().what == kind::text) {
      tokens_.back().text += text;
    } else {
      add(kind::text, std::string(text));
    }
  }

  /// Behind the opening sign of a tag: with `-` the white space before it goes.
  void open() {
    if (!take("-")) {
      take("+");
    } else if (!tokens_.empty() && tokens_.back().what == kind::text) {
      auto& before = tokens_.back().text;
      while (!before.empty() && is_space(before.back())) before.pop_back();
    }
  }

  /// Leaves a tag; with `-` the white space after it goes.
  bool close(std::string_view sign) {
    if (at("-") && text_.substr(position_ + 1).starts_with(sign)) {
      move(1 + sign.size());
      skip_space();
      return true;
    }
    // Which a value cannot end with, in Jinja either.
    if (sign != "}}" && at("+") && text_.substr(position_ + 1).starts_with(sign)) move(1);
    return take(sign);
  }

  void comment() {
    open();
    const auto end = text_.find("#}", position_);
    if (end == text_.npos) errors_.fail(line_, "a comment without its end");
    const bool trims = text_[end - 1] == '-';
    move(end + 2 - position_);
    if (trims) skip_space();
    add(kind::text);  // what a later '-' eats ends here
  }

  void statement() {
    const std::size_t begin = position_;
    const std::size_t line = line_;
    take("{%");
    open();
    skip_space();
    if (name() == "raw") {
      skip_space();
      if (close("%}")) return raw(line);
    }
    position_ = begin;
    line_ = line;
    take("{%");
    tag(kind::statement_begin, "%}", kind::statement_end);
  }

  void raw(std::size_t line) {
    for (auto end = text_.find("{%", position_); end != text_.npos;
         end = text_.find("{%", end + 2)) {
      lexer after(text_, errors_);
      after.position_ = end + 2;
      const bool trims = after.at("-");
      if (trims || after.at("+")) after.move(1);
      after.skip_space();
      if (after.name() != "endraw") continue;
      after.skip_space();
      auto content = text_.substr(position_, end - position_);
      if (trims)
        while (!content.empty() && is_space(content.back())) content.remove_suffix(1);
      add(kind::text, std::string(content));
      move(after.position_ - position_);
      if (!close("%}")) errors_.fail(line_, "a statement without its end");
      add(kind::text);  // what a later '-' eats ends here
      return;
    }
    errors_.fail(line, "a raw block without its end");
  }

  std::string name() {
    const std::size_t begin = position_;
    if (position_ < text_.size() && is_name_start(text_[position_]))
      while (position_ < text_.size() &&
             (is_name_start(text_[position_]) || core::is_digit(text_[position_])))
        move(1);
    return std::string(text_.substr(begin, position_ - begin));
  }

  void tag(kind begins, std::string_view sign, kind ends) {
    open();
    add(begins);
    const std::size_t first_line = line_;
    for (;;) {
      skip_space();
      if (position_ == text_.size()) errors_.fail(first_line, "a tag without its end");
      const std::size_t line = line_;
      if (close(sign)) {
        add(ends);
        tokens_.back().line = line;
        return;
      }
      inner();
    }
  }

  void inner() {
    const char c = text_[position_];
    if (c == '"' || c == '\'') return literal(c);
    if (core::is_digit(c)) return number();
    if (is_name_start(c)) {
      const std::size_t line = line_;
      add(kind::name, name());
      tokens_.back().line = line;
      return;
    }
    for (const char* sign : {"==", "!=", "=", "(", ")", "[", "]", ",", ".", "|", "-"})
      if (take(sign)) return add(kind::sign, sign);
    const auto point = hub::decode_utf8(text_, position_);
    errors_.unsupported(
        line_, '"' + std::string(text_.substr(position_, point ? point->length : 1)) + '"');
  }

  void number() {
    const std::size_t begin = position_;
    while (position_ < text_.size() && core::is_digit(text_[position_])) move(1);
    if (at(".") && position_ + 1 < text_.size() && core::is_digit(text_[position_ + 1])) {
      move(1);
      while (position_ < text_.size() && core::is_digit(text_[position_])) move(1);
    }
    add(kind::number, std::string(text_.substr(begin, position_ - begin)));
  }

  void literal(char quote) {
    const std::size_t first_line = line_;
    std::string value;
    move(1);
    while (position_ < text_.size()) {
      const char c = text_[position_];
      move(1);
      if (c == quote) {
        add(kind::literal, std::move(value));
        tokens_.back().line = first_line;
        return;
      }
      if (c != '\\') {
        value += c;
      } else if (position_ < text_.size()) {
        escape(value);
      }
    }
    errors_.fail(first_line, "a text without its closing quote");
  }

  /// Behind a back-slash: Python's escapes.
  void escape(std::string& value) {
    constexpr std::string_view letters = "abfnrtv\\'\"";
    constexpr std::string_view meanings = "\a\b\f\n\r\t\v\\'\"";
    const char c = text_[position_];
    if (const auto index = letters.find(c); index != letters.npos) {
      move(1);
      value += meanings[index];
    } else if (c == '\n') {
      move(1);
    } else if (c >= '0' && c <= '7') {
      std::uint32_t point = 0;
      for (int i = 0;
           i < 3 && position_ < text_.size() && text_[position_] >= '0' && text_[position_] <= '7';
           ++i, move(1))
        point = point * 8 + static_cast<std::uint32_t>(text_[position_] - '0');
      hub::append_utf8(value, point);
    } else if (c == 'x' || c == 'u' || c == 'U') {
      move(1);
      by_number(value, c == 'x' ? 2 : c == 'u' ? 4 : 8);
    } else if (c == 'N') {
      errors_.fail(line_, "characters cannot be given by their names");
    } else {
      value += '\\';
    }
  }

  void by_number(std::string& value, std::size_t digits) {
    std::uint32_t point = 0;
    for (std::size_t i = 0; i < digits; ++i, move(1)) {
      const int digit = position_ < text_.size() ? core::hex_value(text_[position_]) : -1;
      if (digit < 0) errors_.fail(line_, "an escape without all of its digits");
      point = point * 16 + static_cast<std::uint32_t>(digit);
    }
    if (point > 0x10ffff || (point >= 0xd800 && point <= 0xdfff))
      errors_.fail(line_, "an escape of what is no character");
    hub::append_utf8(value, point);
  }

  std::string_view text_;
  const template_errors& errors_;
  std::size_t position_ = 0;
  std::size_t line_ = 1;
  std::vector<template_token> tokens_{};
};

}  // namespace

std::vector<template_token> read_template_tokens(std::string_view text,
                                                 const template_errors& errors) {
  return lexer(text, errors).tokens();
}

}  // namespace cohub::model
