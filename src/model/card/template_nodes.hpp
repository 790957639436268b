#pragma once

#include "cohub/card_value.hpp"

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

namespace cohub::model {

struct template_expression;
using template_expression_ptr = std::unique_ptr<template_expression>;

struct template_expression {
  enum class kind {
    constant,
    name,
    member,      ///< parts[0] . name, or parts[0] [ parts[1] ]
    filter,      ///< parts[0] | name ( the others )
    is_defined,  ///< parts[0] is defined
    equal,       ///< parts[0] == parts[1]
    contains,    ///< parts[0] in parts[1]
    negation,
    conjunction,  ///< and yields the first part that is false, or the last, as in Python
    disjunction   ///< or yields the first part that is true, or the last
  };

  kind what{};
  std::size_t line = 0;
  std::size_t depth = 1;  ///< of the tree below
  std::string name{};
  card_value constant{};
  std::vector<template_expression_ptr> parts{};
};

/// A piece of a template.
struct template_node {
  enum class kind {
    text,
    output,  ///< the expression's value
    choice,  ///< the body's options: the first whose expression is true, or that has none
    option,
    loop  ///< the body for each `text` in the expression's value; an option in `otherwise` if none
  };

  kind what{};
  std::size_t line = 0;
  std::string text{};  ///< of a loop: the name of its variable
  template_expression_ptr expression{};
  std::vector<template_node> body;
  std::vector<template_node> otherwise;
};

}  // namespace cohub::model
