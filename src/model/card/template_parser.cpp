#include "model/card/template_parser.hpp"

#include "model/card/template_filters.hpp"
#include "model/card/template_lexer.hpp"

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <initializer_list>
#include <utility>

namespace cohub::model {

namespace {

using token = template_token::kind;
using node = template_node;
using expression = template_expression;
using expression_ptr = template_expression_ptr;

constexpr std::size_t deepest = 64;  // of statements, and of expressions

class parser {
 public:
  parser(std::string_view text, const template_errors& errors)
      : tokens_(read_template_tokens(text, errors)), errors_(errors) {}

  std::vector<node> parse() && {
    auto nodes = body({}, 0);
    return nodes;
  }

 private:
  const template_token& current() const noexcept { return tokens_[next_]; }
  /// A name after the start of a statement; empty otherwise.
  std::string statement() const {
    if (current().what != token::statement_begin) return {};
    const auto& name = tokens_[next_ + 1];
    return name.what == token::name ? name.text : std::string();
  }
  bool at_sign(std::string_view sign) const noexcept {
    return current().what == token::sign && current().text == sign;
  }
  bool at_word(std::string_view word) const noexcept {
    return current().what == token::name && current().text == word;
  }
  bool take_sign(std::string_view sign) noexcept { return at_sign(sign) && ++next_ != 0; }
  bool take_word(std::string_view word) noexcept { return at_word(word) && ++next_ != 0; }

  [[noreturn]] void unexpected() const {
    const auto& found = current();
    const bool ends = found.what == token::output_end || found.what == token::statement_end;
    errors_.unsupported(found.line, ends ? "a tag that ends here" : '"' + found.text + '"');
  }
  void expect_sign(std::string_view sign) {
    if (!take_sign(sign)) unexpected();
  }
  void expect(token what) {
    if (current().what != what) unexpected();
    ++next_;
  }
  std::string expect_name() {
    if (current().what != token::name) unexpected();
    return tokens_[next_++].text;
  }

  /// Pieces up to one of these statements, or to the end of the template if there are none.
  std::vector<node> body(std::initializer_list<std::string_view> until, std::size_t depth) {
    if (depth > deepest) errors_.fail(current().line, "statements are nested too deeply");
    std::vector<node> nodes;
    for (;;) {
      const auto& here = current();
      switch (here.what) {
        case token::text:
          if (!here.text.empty()) nodes.emplace_back(make(node::kind::text)).text = here.text;
          ++next_;
          break;
        case token::output_begin: {
          ++next_;
          auto& output = nodes.emplace_back(make(node::kind::output));
          output.expression = any();
          expect(token::output_end);
          break;
        }
        case token::statement_begin: {
          const auto name = statement();
          for (const auto end : until)
            if (name == end) return nodes;
          nodes.push_back(read_statement(name, depth));
          break;
        }
        default:
          if (until.size() != 0)
            errors_.fail(here.line, "{% " + std::string(*(until.end() - 1)) + " %} is missing");
          return nodes;
      }
    }
  }

  node make(node::kind what) const {
    node made;
    made.what = what;
    made.line = current().line;
    return made;
  }

  node read_statement(const std::string& name, std::size_t depth) {
    if (name == "if") return choice(depth);
    if (name == "for") return loop(depth);
    if (name.empty()) {
      ++next_;
      unexpected();
    }
    errors_.unsupported(current().line, "the statement \"" + name + '"');
  }

  void skip_statement() {
    next_ += 2;
    expect(token::statement_end);
  }

  node choice(std::size_t depth) {
    auto all = make(node::kind::choice);
    bool open = true;
    while (open) {
      auto option = make(node::kind::option);
      const bool is_last = statement() == "else";
      if (is_last) {
        skip_statement();
        option.body = body({"endif"}, depth + 1);
      } else {
        next_ += 2;
        option.expression = any();
        expect(token::statement_end);
        option.body = body({"elif", "else", "endif"}, depth + 1);
      }
      all.body.push_back(std::move(option));
      open = statement() != "endif";
    }
    skip_statement();
    return all;
  }

  node loop(std::size_t depth) {
    auto made = make(node::kind::loop);
    next_ += 2;
    made.text = expect_name();
    if (!take_word("in")) unexpected();
    made.expression = any();
    expect(token::statement_end);
    made.body = body({"else", "endfor"}, depth + 1);
    if (statement() == "else") {
      skip_statement();
      made.otherwise = body({"endfor"}, depth + 1);
    }
    skip_statement();
    return made;
  }

  template <class... Part>
  expression_ptr make(expression::kind what, std::size_t line, std::string name,
                      Part... parts) const {
    auto made = std::make_unique<expression>();
    made->what = what;
    made->line = line;
    made->name = std::move(name);
    (adopt(*made, std::move(parts)), ...);
    return made;
  }

  void adopt(expression& parent, expression_ptr part) const {
    parent.depth = std::max(parent.depth, part->depth + 1);
    if (parent.depth > deepest) errors_.fail(parent.line, "an expression is nested too deeply");
    parent.parts.push_back(std::move(part));
  }

  /// Enters what may hold itself.
  expression_ptr any() {
    if (nested_ == deepest) errors_.fail(current().line, "an expression is nested too deeply");
    ++nested_;
    auto value = disjunction();
    --nested_;
    return value;
  }

  expression_ptr disjunction() {
    auto left = conjunction();
    while (at_word("or")) {
      const auto line = tokens_[next_++].line;
      left = make(expression::kind::disjunction, line, {}, std::move(left), conjunction());
    }
    return left;
  }

  expression_ptr conjunction() {
    auto left = negation();
    while (at_word("and")) {
      const auto line = tokens_[next_++].line;
      left = make(expression::kind::conjunction, line, {}, std::move(left), negation());
    }
    return left;
  }

  expression_ptr negation() {
    const auto line = current().line;
    std::size_t count = 0;
    while (take_word("not")) ++count;
    auto value = comparison();
    for (; count > 0; --count) value = negated(line, std::move(value));
    return value;
  }

  expression_ptr negated(std::size_t line, expression_ptr value) const {
    return make(expression::kind::negation, line, {}, std::move(value));
  }

  /// One at most: a chain, which Python takes apart into pairs, is refused by what reads on.
  expression_ptr comparison() {
    auto left = filtered();
    const auto line = current().line;
    const bool negates = at_sign("!=") || at_word("not");
    if (take_sign("==") || take_sign("!=")) {
      left = make(expression::kind::equal, line, {}, std::move(left), filtered());
    } else if (at_word("in") || at_word("not")) {
      ++next_;
      if (negates && !take_word("in")) unexpected();
      left = make(expression::kind::contains, line, {}, std::move(left), filtered());
    }
    return negates ? negated(line, std::move(left)) : std::move(left);
  }

  expression_ptr filtered() {
    auto value = primary();
    for (;;) {
      const auto line = current().line;
      if (take_sign("|")) {
        value = filter(line, std::move(value));
      } else if (take_word("is")) {
        const bool negates = take_word("not");
        const auto name = expect_name();
        if (name != "defined" && name != "undefined")
          errors_.unsupported(line, "the test \"" + name + '"');
        value = make(expression::kind::is_defined, line, {}, std::move(value));
        if (negates != (name == "undefined")) value = negated(line, std::move(value));
      } else {
        return value;
      }
    }
  }

  expression_ptr filter(std::size_t line, expression_ptr value) {
    const auto name = expect_name();
    const auto* known = find_template_filter(name);
    if (known == nullptr) errors_.fail(line, "unknown filter \"" + name + '"');
    auto made = make(expression::kind::filter, line, name, std::move(value));
    if (!take_sign("(")) {
      check_count(line, *known, 0);
      return made;
    }
    auto given = arguments(line, *known);
    const auto least = given.begin() + static_cast<std::ptrdiff_t>(known->least_arguments);
    const bool lacks_one = std::count(given.begin(), least, nullptr) > 0;
    if (lacks_one) errors_.fail(line, "the filter \"" + name + "\" lacks an argument");
    for (auto& argument : given) {
      if (!argument) argument = empty_text(line);
      adopt(*made, std::move(argument));
    }
    return made;
  }

  void check_count(std::size_t line, const template_filter& filter, std::size_t count) const {
    if (count < filter.least_arguments || count > filter.most_arguments())
      errors_.fail(line, "the filter \"" + std::string(filter.name) + "\" does not take " +
                             std::to_string(count) + " arguments");
  }

  /// Up to the closing sign: by place, then by name. Null for one that was left out before others.
  std::vector<expression_ptr> arguments(std::size_t line, const template_filter& filter) {
    std::vector<expression_ptr> given;
    std::size_t count = 0;
    bool by_name = false;
    for (; !at_sign(")"); ++count) {
      if (count > 0) expect_sign(",");
      const bool is_named = current().what == token::name && is_assignment(tokens_[next_ + 1]);
      if (by_name && !is_named) unexpected();
      by_name = is_named;
      std::size_t place = count;
      if (by_name) {
        place = filter.place_of(current().text);
        if (place == template_filter::nowhere)
          errors_.fail(line, "the filter \"" + std::string(filter.name) + "\" does not take \"" +
                                 current().text + '"');
        next_ += 2;
      }
      if (place >= given.size()) given.resize(place + 1);
      if (given[place]) errors_.fail(line, "an argument is given twice");
      given[place] = any();
    }
    expect_sign(")");
    check_count(line, filter, count);
    if (given.size() < filter.least_arguments) given.resize(filter.least_arguments);
    return given;
  }

  /// What an argument is that nobody gave.
  expression_ptr empty_text(std::size_t line) const {
    auto made = make(expression::kind::constant, line, {});
    made->constant = "";
    return made;
  }

  static bool is_assignment(const template_token& what) noexcept {
    return what.what == token::sign && what.text == "=";
  }

  expression_ptr primary() {
    auto value = atom();
    for (;;) {
      const auto line = current().line;
      if (take_sign(".")) {
        if (current().what == token::number) unexpected();
        value = make(expression::kind::member, line, expect_name(), std::move(value));
      } else if (take_sign("[")) {
        value = make(expression::kind::member, line, {}, std::move(value), any());
        expect_sign("]");
      } else {
        return value;
      }
    }
  }

  expression_ptr atom() {
    const auto& here = current();
    const auto line = here.line;
    switch (here.what) {
      case token::literal:
        return constant(here.text);
      case token::number:
        return constant(number(here));
      case token::name:
        if (here.text == "true" || here.text == "True") return constant(true);
        if (here.text == "false" || here.text == "False") return constant(false);
        if (here.text == "none" || here.text == "None") return constant(nullptr);
        return make(expression::kind::name, line, tokens_[next_++].text);
      case token::sign:
        if (take_sign("(")) {
          auto value = any();
          expect_sign(")");
          return value;
        }
        if (at_sign("-") && tokens_[next_ + 1].what == token::number) {
          ++next_;
          return constant(number(current(), true));
        }
        break;
      default:
        break;
    }
    unexpected();
  }

  expression_ptr constant(card_value value) {
    auto made = make(expression::kind::constant, current().line, {});
    made->constant = std::move(value);
    ++next_;
    return made;
  }

  card_value number(const template_token& from, bool is_negative = false) const {
    const auto* begin = from.text.data();
    const auto* end = begin + from.text.size();
    if (from.text.find('.') != std::string::npos) {
      double value = 0;
      std::from_chars(begin, end, value);
      return is_negative ? -value : value;
    }
    if (from.text[0] == '0' && from.text.find_first_not_of('0') != std::string::npos)
      errors_.unsupported(from.line, "a number that begins with zero");
    std::int64_t value = 0;
    if (std::from_chars(begin, end, value).ec != std::errc())
      errors_.fail(from.line, "a number that is too large");
    return is_negative ? -value : value;
  }

  std::vector<template_token> tokens_;
  const template_errors& errors_;
  std::size_t next_ = 0;
  std::size_t nested_ = 0;
};

}  // namespace

std::vector<template_node> parse_template(std::string_view text, const template_errors& errors) {
  return parser(text, errors).parse();
}

}  // namespace cohub::model
