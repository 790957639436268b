#include "hub/json_reader.hpp"

#include "cohub/error.hpp"

#include "hub/json_text.hpp"

#include <utility>

namespace cohub::hub {

boost::system::result<boost::json::value> parse_json(std::string_view text) {
  constexpr std::size_t deepest = 64;
  auto read = read_json_text(text, deepest);
  if (read.failure) return make_error_code(errc::invalid_response);
  return std::move(read.value);
}

std::string text_or(const boost::json::object& object, std::string_view key,
                    std::string_view otherwise) {
  const auto* member = object.if_contains(key);
  if (member == nullptr || !member->is_string()) return std::string(otherwise);
  return std::string(member->get_string());
}

bool flag_or(const boost::json::object& object, std::string_view key, bool otherwise) {
  const auto* member = object.if_contains(key);
  return member != nullptr && member->is_bool() ? member->get_bool() : otherwise;
}

std::uint64_t number_or(const boost::json::object& object, std::string_view key,
                        std::uint64_t otherwise) {
  const auto* member = object.if_contains(key);
  if (member == nullptr) return otherwise;
  boost::system::error_code failure;
  const auto value = member->to_number<std::uint64_t>(failure);
  return failure ? otherwise : value;
}

const boost::json::object* object_at(const boost::json::object& object, std::string_view key) {
  const auto* member = object.if_contains(key);
  return member != nullptr ? member->if_object() : nullptr;
}

}  // namespace cohub::hub
