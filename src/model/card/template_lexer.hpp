#pragma once

#include "model/card/template_error.hpp"

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace cohub::model {

struct template_token {
  enum class kind {
    text,             ///< outside of tags
    output_begin,     ///< {{
    output_end,       ///< }}
    statement_begin,  ///< {%
    statement_end,    ///< %}
    name,
    literal,  ///< text in quotes, escapes resolved
    number,
    sign,  ///< ( ) [ ] , . | - = == != and what is none
    end
  };
  kind what{};
  std::string text{};
  std::size_t line = 0;
};

/// Takes a template apart as Jinja does: comments are gone, `raw` blocks are text, white space that
/// a `-` eats is eaten. The last token is the end.
/// @param text  with LF as its only line break
std::vector<template_token> read_template_tokens(std::string_view text,
                                                 const template_errors& errors);

}  // namespace cohub::model
