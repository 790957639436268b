#include "model/card/card_template.hpp"

#include "hub/card_comparison.hpp"
#include "hub/front_matter.hpp"
#include "hub/python_text.hpp"
#include "model/card/template_filters.hpp"
#include "model/card/template_parser.hpp"

#include <algorithm>
#include <optional>
#include <stdexcept>
#include <utility>
#include <vector>

namespace cohub::model {

namespace {

using node = template_node;
using expression = template_expression;

constexpr std::size_t most_work = 16u << 20;  // units of `template_budget`

template_value made(card_value value) {
  return std::make_shared<const card_value>(std::move(value));
}

/// A part of a value, or a value that others own.
template_value part_of(const template_value& whole, const card_value& part) {
  return {whole, &part};
}

/// A place among so many items, counted from the end if it is negative; nothing if it is no place.
std::optional<std::size_t> place_of(const card_value& index, std::size_t count) {
  if (index.type() != card_value::kind::integer) return {};
  const auto size = static_cast<std::int64_t>(count);
  const auto place = index.as_integer();
  if (place < -size || place >= size) return {};
  return static_cast<std::size_t>(place < 0 ? place + size : place);
}

class renderer {
 public:
  renderer(const template_variables& variables, const template_errors& errors)
      : variables_(variables), errors_(errors) {}

  std::string render(const std::vector<node>& nodes) && {
    write(nodes);
    return std::move(out_);
  }

 private:
  void spend(std::size_t line, std::size_t units) {
    try {
      budget_.spend(units);
    } catch (const std::length_error& failure) {
      errors_.fail(line, failure.what());
    }
  }

  void write(const std::vector<node>& nodes) {
    for (const auto& each : nodes) write(each);
  }

  void write(const node& each) {
    switch (each.what) {
      case node::kind::text:
        return put(each.line, each.text);
      case node::kind::output:
        if (const auto value = evaluate(*each.expression)) put(each.line, hub::python_text(*value));
        return;
      case node::kind::choice:
        for (const auto& option : each.body) {
          spend(each.line, 1);
          if (!option.expression || is_true(evaluate(*option.expression)))
            return write(option.body);
        }
        return;
      case node::kind::loop:
        return loop(each);
      case node::kind::option:
        return;
    }
  }

  void put(std::size_t line, const std::string& text) {
    spend(line, text.size());
    out_ += text;
  }

  void loop(const node& each) {
    const auto list = evaluate(*each.expression);
    std::vector<template_value> items;
    if (list && list->is_list()) {
      spend(each.line, list->as_list().size());
      for (const auto& item : list->as_list()) items.push_back(part_of(list, item));
    } else if (list && list->is_map()) {
      spend(each.line, list->as_map().size());
      for (const auto& member : list->as_map()) items.push_back(made(member.key));
    } else if (list) {
      errors_.fail(each.line, "a loop needs a list or a map");
    }
    if (items.empty()) return write(each.otherwise);
    const auto outer = locals_.size();
    locals_.emplace_back(each.text, nullptr);
    locals_.emplace_back("loop", nullptr);
    loop_turn turn{items};
    const auto* const around = std::exchange(loop_, &turn);
    for (; turn.place < items.size(); ++turn.place) {
      spend(each.line, turn_cost);
      locals_[outer].second = items[turn.place];
      locals_[outer + 1].second = made("<LoopContext " + std::to_string(turn.place + 1) + '/' +
                                       std::to_string(items.size()) + '>');
      write(each.body);
    }
    loop_ = around;
    locals_.resize(outer);
  }

  /// What the innermost loop tells of its turn; there is nothing else to a member of `loop`.
  template_value loop_member(std::size_t line, const std::string& name) const {
    const auto& items = loop_->items;
    const auto place = loop_->place;
    if (name == "index") return made(place + 1);
    if (name == "index0") return made(place);
    if (name == "revindex") return made(items.size() - place);
    if (name == "revindex0") return made(items.size() - place - 1);
    if (name == "first") return made(place == 0);
    if (name == "last") return made(place + 1 == items.size());
    if (name == "length") return made(items.size());
    if (name == "previtem") return place > 0 ? items[place - 1] : nullptr;
    if (name == "nextitem") return place + 1 < items.size() ? items[place + 1] : nullptr;
    // Of loops that call themselves, which are none of ours.
    if (name == "depth") return made(1);
    if (name == "depth0") return made(0);
    errors_.fail(line, "\"loop\" has no member \"" + name + '"');
  }

  template_value evaluate(const expression& what) {
    using kind = expression::kind;
    spend(what.line, 1);
    switch (what.what) {
      case kind::constant:
        return part_of(nullptr, what.constant);
      case kind::name:
        return named_value(what.name);
      case kind::member:
        return member(what);
      case kind::filter:
        return filtered(what);
      case kind::is_defined:
        return made(evaluate(*what.parts[0]) != nullptr);
      case kind::equal:
        return made(are_equal(what));
      case kind::contains:
        return made(contains(what));
      case kind::negation:
        return made(!is_true(evaluate(*what.parts[0])));
      case kind::conjunction: {
        auto left = evaluate(*what.parts[0]);
        return is_true(left) ? evaluate(*what.parts[1]) : left;
      }
      case kind::disjunction: {
        auto left = evaluate(*what.parts[0]);
        return is_true(left) ? left : evaluate(*what.parts[1]);
      }
    }
    return nullptr;
  }

  template_value named_value(const std::string& name) const {
    for (auto local = locals_.rbegin(); local != locals_.rend(); ++local)
      if (local->first == name) return local->second;
    const auto found = variables_.find(name);
    return found == variables_.end() ? nullptr : part_of(nullptr, found->second);
  }

  template_value member(const expression& what) {
    const auto whole = evaluate(*what.parts[0]);
    if (!whole) errors_.fail(what.line, "what is not defined has no members");
    template_value key;
    if (what.parts.size() > 1) {
      key = evaluate(*what.parts[1]);
    } else {
      key = made(what.name);
    }
    if (!key) return nullptr;
    const auto& of = *what.parts[0];
    if (loop_ != nullptr && of.what == expression::kind::name && of.name == "loop")
      return loop_member(what.line, hub::python_text(*key));
    if (whole->is_map() && key->is_text()) {
      spend(what.line, whole->as_map().size());
      const auto* found = whole->as_map().find(key->as_text());
      return found != nullptr ? part_of(whole, *found) : nullptr;
    }
    if (whole->is_list()) {
      const auto place = place_of(*key, whole->as_list().size());
      return place ? part_of(whole, whole->as_list()[*place]) : nullptr;
    }
    if (whole->is_text()) {
      spend(what.line, whole->as_text().size());
      const auto all = characters_of(whole->as_text());
      const auto place = place_of(*key, all.size());
      return place ? made(all[*place]) : nullptr;
    }
    return nullptr;
  }

  template_value filtered(const expression& what) {
    std::vector<template_value> arguments;
    for (const auto& part : what.parts) arguments.push_back(evaluate(*part));
    try {
      return find_template_filter(what.name)->apply(arguments, budget_);
    } catch (const std::logic_error& failure) {
      errors_.fail(what.line, "the filter \"" + what.name + "\": " + failure.what());
    }
  }

  bool are_equal(const expression& what) {
    const auto left = evaluate(*what.parts[0]);
    const auto right = evaluate(*what.parts[1]);
    if (!left || !right) return !left && !right;
    return are_equal(what.line, *left, *right);
  }

  bool are_equal(std::size_t line, const card_value& left, const card_value& right) {
    spend(line, 4 * (extent(left) + extent(right)));
    return hub::are_same(left, right, hub::comparison::python);
  }

  bool contains(const expression& what) {
    const auto item = evaluate(*what.parts[0]);
    const auto whole = evaluate(*what.parts[1]);
    if (!item || !whole) return false;
    if (whole->is_list())
      return std::any_of(whole->as_list().begin(), whole->as_list().end(),
                         [&](const card_value& each) { return are_equal(what.line, *item, each); });
    if (item->is_text() && (whole->is_map() || whole->is_text())) {
      if (whole->is_map()) {
        spend(what.line, whole->as_map().size());
        return whole->as_map().contains(item->as_text());
      }
      spend(what.line, search_cost(whole->as_text(), item->as_text()));
      return whole->as_text().find(item->as_text()) != std::string::npos;
    }
    errors_.fail(what.line, "\"in\" needs a list, a map or a text");
  }

  static constexpr std::size_t turn_cost = 250;  // with the members of `loop`

  struct loop_turn {
    const std::vector<template_value>& items;
    std::size_t place = 0;
  };

  const template_variables& variables_;
  const template_errors& errors_;
  const loop_turn* loop_ = nullptr;  // the innermost
  template_budget budget_{most_work};
  std::vector<std::pair<std::string, template_value>> locals_{};
  std::string out_{};
};

}  // namespace

std::string render_template(std::string_view text, const template_variables& variables,
                            std::string_view name) {
  const template_errors errors(name);
  auto lines = hub::with_line_feeds(text);
  if (lines.ends_with('\n')) lines.pop_back();
  const auto nodes = parse_template(lines, errors);
  return renderer(variables, errors).render(nodes);
}

}  // namespace cohub::model
