#include "hub/json_text.hpp"

#include <boost/json/basic_parser_impl.hpp>
#include <boost/json/value_stack.hpp>

#include <array>
#include <charconv>
#include <string>

namespace cohub::hub {

namespace {

namespace json = boost::json;

/// Builds the value as Boost's handler does, but for doubles, which it makes of their text.
class value_handler {
 public:
  static constexpr std::size_t max_object_size = json::object::max_size();
  static constexpr std::size_t max_array_size = json::array::max_size();
  static constexpr std::size_t max_key_size = json::string::max_size();
  static constexpr std::size_t max_string_size = json::string::max_size();

  value_handler() { stack_.reset(); }

  json::value release() { return stack_.release(); }

  bool on_document_begin(json::error_code&) { return true; }
  bool on_document_end(json::error_code&) { return true; }
  bool on_object_begin(json::error_code&) { return true; }
  bool on_object_end(std::size_t count, json::error_code&) {
    stack_.push_object(count);
    return true;
  }
  bool on_array_begin(json::error_code&) { return true; }
  bool on_array_end(std::size_t count, json::error_code&) {
    stack_.push_array(count);
    return true;
  }
  bool on_key_part(json::string_view part, std::size_t, json::error_code&) {
    stack_.push_chars(part);
    return true;
  }
  bool on_key(json::string_view part, std::size_t, json::error_code&) {
    stack_.push_key(part);
    return true;
  }
  bool on_string_part(json::string_view part, std::size_t, json::error_code&) {
    stack_.push_chars(part);
    return true;
  }
  bool on_string(json::string_view part, std::size_t, json::error_code&) {
    stack_.push_string(part);
    return true;
  }
  bool on_number_part(json::string_view part, json::error_code&) {
    number_.append(part.data(), part.size());
    return true;
  }
  bool on_int64(std::int64_t value, json::string_view, json::error_code&) {
    number_.clear();
    stack_.push_int64(value);
    return true;
  }
  bool on_uint64(std::uint64_t value, json::string_view, json::error_code&) {
    number_.clear();
    stack_.push_uint64(value);
    return true;
  }
  bool on_double(double about, json::string_view part, json::error_code&) {
    number_.append(part.data(), part.size());
    // What no double can hold leaves `about` as it is: zero, or infinite.
    std::from_chars(number_.data(), number_.data() + number_.size(), about);
    number_.clear();
    stack_.push_double(about);
    return true;
  }
  bool on_bool(bool value, json::error_code&) {
    stack_.push_bool(value);
    return true;
  }
  bool on_null(json::error_code&) {
    stack_.push_null();
    return true;
  }
  bool on_comment_part(json::string_view, json::error_code&) { return true; }
  bool on_comment(json::string_view, json::error_code&) { return true; }

 private:
  std::array<unsigned char, 4096> buffer_;  // enough for most, without allocating
  json::value_stack stack_{{}, buffer_.data(), buffer_.size()};
  std::string number_{};
};

}  // namespace

json_text read_json_text(std::string_view text, std::size_t deepest) {
  json::parse_options options;
  options.max_depth = deepest;
  json::basic_parser<value_handler> parser(options);
  json_text result;
  result.offset = parser.write_some(false, text.data(), text.size(), result.failure);
  if (!result.failure && result.offset < text.size()) result.failure = json::error::extra_data;
  if (!result.failure) result.value = parser.handler().release();
  return result;
}

}  // namespace cohub::hub
