#pragma once

#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>

#include <string_view>

namespace cohub::tool {

/// The JSON of an answer that the client has read: it may be nested as deep as the client allows,
/// which is deeper than Boost.JSON does by itself.
inline boost::json::value parse_answer(std::string_view text) {
  boost::json::parse_options options;
  options.max_depth = 128;
  return boost::json::parse({text.data(), text.size()}, {}, options);
}

}  // namespace cohub::tool
