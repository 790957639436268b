#pragma once

#include "cohub/card_value.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace cohub::hub {

/// A finite number as Python's `repr` writes it: shortest digits that read back, `1.0`, `1e-05`,
/// `1e+16`; else `inf`, `-inf`, `nan`.
std::string python_float(double value);

/// Text as Python's `repr` writes it, in quotes.
std::string python_quoted(std::string_view text);

/// A value as Python's `str` writes it: `None`, `True`, `['en', 'fr']`; text as it is.
std::string python_text(const card_value& value);

/// A JSON string in ASCII, with its quotes, as Python's `json.dumps` writes it; nothing for text
/// that is not UTF-8.
std::optional<std::string> python_json_string(std::string_view text);

}  // namespace cohub::hub
