#pragma once

#include "cohub/card_value.hpp"

#include <array>
#include <cstddef>
#include <memory>
#include <string_view>
#include <vector>

namespace cohub::model {

/// A value while a template is rendered, shared with what it is a part of; null: undefined.
using template_value = std::shared_ptr<const card_value>;

/// What a template may still do: one unit a character written or looked at, or a turn of a loop.
class template_budget {
 public:
  explicit template_budget(std::size_t units) : left_(units) {}
  /// @throws std::length_error  nothing is left
  void spend(std::size_t units);

 private:
  std::size_t left_;
};

/// @param arguments  the filtered value first
using template_filter_function = template_value (*)(const std::vector<template_value>& arguments,
                                                    template_budget& budget);

struct template_filter {
  static constexpr std::size_t nowhere = std::size_t(-1);

  std::string_view name{};
  std::size_t least_arguments = 0;
  template_filter_function apply = nullptr;
  std::array<std::string_view, 3> parameters{};  ///< behind the value; empty: no more

  std::size_t most_arguments() const noexcept;
  /// The place of a parameter among them, or `nowhere`.
  std::size_t place_of(std::string_view parameter) const noexcept;
};

/// Null if there is no such filter. They do what Jinja's do, but `lower` and `upper` change ASCII
/// alone. What they cannot be applied to is std::invalid_argument.
const template_filter* find_template_filter(std::string_view name) noexcept;

/// What Python takes for true.
bool is_true(const template_value& value);

/// The characters of a text; a byte that is not UTF-8 is one by itself.
std::vector<std::string_view> characters_of(std::string_view text);

/// What it takes to look for one text in another.
std::size_t search_cost(std::string_view text, std::string_view what) noexcept;

/// How much there is to look at in a value.
std::size_t extent(const card_value& value);

}  // namespace cohub::model
