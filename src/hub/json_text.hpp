#pragma once

#include <boost/json/error.hpp>
#include <boost/json/value.hpp>

#include <cstddef>
#include <string_view>

namespace cohub::hub {

/// What a text of JSON says, or why it says nothing.
struct json_text {
  boost::json::value value{};
  boost::json::error_code failure{};  ///< also of what follows the value
  std::size_t offset = 0;             ///< how far it was read
};

/// Parses a text whose numbers are to be written again as they were: Boost's own parser may miss
/// the nearest double by some steps. Integers of more than 64 bits become doubles.
/// @param deepest  arrays and objects within each other
json_text read_json_text(std::string_view text, std::size_t deepest);

}  // namespace cohub::hub
