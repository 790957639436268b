#pragma once

#include "model/card/template_error.hpp"
#include "model/card/template_nodes.hpp"

#include <string_view>
#include <vector>

namespace cohub::model {

/// The pieces of a template, checked: statements are closed, filters known, nesting bounded.
/// @param text  with LF as its only line break
std::vector<template_node> parse_template(std::string_view text, const template_errors& errors);

}  // namespace cohub::model
