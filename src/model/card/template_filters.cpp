#include "model/card/template_filters.hpp"

#include "core/ascii.hpp"
#include "hub/python_text.hpp"
#include "hub/utf8.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <iterator>
#include <limits>
#include <stdexcept>
#include <utility>

namespace cohub::model {

namespace {

using values = std::vector<template_value>;

template_value made(card_value value) {
  return std::make_shared<const card_value>(std::move(value));
}

std::string text_of(const template_value& value, template_budget& budget) {
  if (!value) return {};
  auto text = hub::python_text(*value);
  budget.spend(text.size() + 1);
  return text;
}

template_value apply_default(const values& in, template_budget&) {
  const bool also_false = in.size() > 2 && is_true(in[2]);
  if (in[0] && !(also_false && !is_true(in[0]))) return in[0];
  return in.size() > 1 ? in[1] : made("");
}

template_value apply_join(const values& in, template_budget& budget) {
  if (!in[0]) return made("");
  const auto between = in.size() > 1 ? text_of(in[1], budget) : std::string();
  std::string out;
  bool first = true;
  const auto add = [&](std::string_view item) {
    budget.spend(item.size() + between.size() + 1);
    if (!std::exchange(first, false)) out += between;
    out += item;
  };
  if (in[0]->is_list()) {
    for (const auto& item : in[0]->as_list()) add(hub::python_text(item));
  } else if (in[0]->is_map()) {
    for (const auto& member : in[0]->as_map()) add(member.key);
  } else if (in[0]->is_text()) {
    for (const auto character : characters_of(in[0]->as_text())) add(character);
  } else {
    throw std::invalid_argument("only lists, maps and texts can be joined");
  }
  return made(std::move(out));
}

template_value apply_lower(const values& in, template_budget& budget) {
  return made(core::lower(text_of(in[0], budget)));
}

template_value apply_upper(const values& in, template_budget& budget) {
  auto text = text_of(in[0], budget);
  for (char& c : text)
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
  return made(std::move(text));
}

template_value apply_trim(const values& in, template_budget& budget) {
  const auto text = text_of(in[0], budget);
  const auto what = in.size() > 1 ? text_of(in[1], budget) : std::string(" \t\n\v\f\r");
  budget.spend(text.size() + search_cost(text, what));
  const auto all = characters_of(text);
  const auto stays = [&what](std::string_view character) {
    return what.find(character) == what.npos;
  };
  const auto begin = std::find_if(all.begin(), all.end(), stays);
  const auto end = std::find_if(all.rbegin(), std::make_reverse_iterator(begin), stays).base();
  std::string out;
  for (auto at = begin; at != end; ++at) out += *at;
  return made(std::move(out));
}

template_value apply_length(const values& in, template_budget& budget) {
  if (!in[0]) return made(0);
  if (in[0]->is_list()) return made(in[0]->as_list().size());
  if (in[0]->is_map()) return made(in[0]->as_map().size());
  if (!in[0]->is_text()) throw std::invalid_argument("only lists, maps and texts have a length");
  budget.spend(in[0]->as_text().size() + 1);
  return made(characters_of(in[0]->as_text()).size());
}

constexpr std::uint64_t every = std::numeric_limits<std::uint64_t>::max();

/// How many are meant; null and what is negative stand for all of them.
std::uint64_t count_of(const template_value& count) {
  if (count && count->is_null()) return every;
  if (!count || count->type() != card_value::kind::integer)
    throw std::invalid_argument("a count must be a whole number");
  const auto number = count->as_integer();
  return number < 0 ? every : static_cast<std::uint64_t>(number);
}

template_value apply_replace(const values& in, template_budget& budget) {
  const auto text = text_of(in[0], budget);
  const auto old = text_of(in[1], budget);
  const auto fresh = text_of(in[2], budget);
  if (old.empty()) throw std::invalid_argument("nothing cannot be replaced");
  auto left = in.size() > 3 ? count_of(in[3]) : every;
  budget.spend(search_cost(text, old));
  std::string out;
  std::size_t begin = 0;
  for (auto i = text.find(old); i != text.npos && left > 0; i = text.find(old, begin), --left) {
    budget.spend(i - begin + fresh.size() + 1);
    out.append(text, begin, i - begin);
    out += fresh;
    begin = i + old.size();
  }
  return made(out.append(text, begin));
}

// With the names that Jinja gives the arguments.
constexpr std::array<template_filter, 9> filters{
    {{"default", 0, apply_default, {"default_value", "boolean"}},
     {"d", 0, apply_default, {"default_value", "boolean"}},
     {"join", 0, apply_join, {"d"}},
     {"lower", 0, apply_lower},
     {"upper", 0, apply_upper},
     {"trim", 0, apply_trim, {"chars"}},
     {"length", 0, apply_length},
     {"count", 0, apply_length},
     {"replace", 2, apply_replace, {"old", "new", "count"}}}};

}  // namespace

void template_budget::spend(std::size_t units) {
  if (units > left_) throw std::length_error("the template does too much");
  left_ -= units;
}

std::size_t template_filter::most_arguments() const noexcept {
  return parameters.size() -
         static_cast<std::size_t>(std::count(parameters.begin(), parameters.end(), ""));
}

std::size_t template_filter::place_of(std::string_view parameter) const noexcept {
  const auto found = std::find(parameters.begin(), parameters.end(), parameter);
  if (found == parameters.end()) return nowhere;
  return static_cast<std::size_t>(found - parameters.begin());
}

const template_filter* find_template_filter(std::string_view name) noexcept {
  const auto found = std::find_if(filters.begin(), filters.end(),
                                  [&](const template_filter& each) { return each.name == name; });
  return found == filters.end() ? nullptr : &*found;
}

bool is_true(const template_value& value) {
  using kind = card_value::kind;
  if (!value) return false;
  switch (value->type()) {
    case kind::null:
      return false;
    case kind::boolean:
      return value->as_bool();
    case kind::integer:
    case kind::real:
      return value->as_real() != 0;
    case kind::text:
      return !value->as_text().empty();
    case kind::list:
      return !value->as_list().empty();
    case kind::map:
      return !value->as_map().empty();
  }
  return false;
}

std::vector<std::string_view> characters_of(std::string_view text) {
  std::vector<std::string_view> all;
  for (std::size_t i = 0; i < text.size();) {
    const auto point = hub::decode_utf8(text, i);
    const std::size_t length = point ? point->length : 1;
    all.push_back(text.substr(i, length));
    i += length;
  }
  return all;
}

std::size_t search_cost(std::string_view text, std::string_view what) noexcept {
  return text.size() + text.size() / 16 * what.size();  // the worst case: nearly equal everywhere
}

std::size_t extent(const card_value& value) {
  std::size_t total = 1;
  if (value.is_text()) total += value.as_text().size();
  if (value.is_list())
    for (const auto& item : value.as_list()) total += extent(item);
  if (value.is_map())
    for (const auto& member : value.as_map()) total += member.key.size() + extent(member.value);
  return total;
}

}  // namespace cohub::model
