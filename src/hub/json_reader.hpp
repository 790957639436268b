#pragma once

#include <boost/json/value.hpp>
#include <boost/system/result.hpp>

#include <cstdint>
#include <string>
#include <string_view>

namespace cohub::hub {

/// Parses a body; malformed JSON is errc::invalid_response. Nesting is bounded.
boost::system::result<boost::json::value> parse_json(std::string_view text);

/// Members that may be absent, null or of another type, read with a default: what clients do with
/// the Hub's open-ended objects.
std::string text_or(const boost::json::object& object, std::string_view key,
                    std::string_view otherwise = {});
bool flag_or(const boost::json::object& object, std::string_view key, bool otherwise = false);
std::uint64_t number_or(const boost::json::object& object, std::string_view key,
                        std::uint64_t otherwise = 0);
/// Null where there is none.
const boost::json::object* object_at(const boost::json::object& object, std::string_view key);

}  // namespace cohub::hub
