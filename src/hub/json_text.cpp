#include "hub/json_text.hpp"

#include <boost/json/basic_parser_impl.hpp>
#include <boost/json/value_stack.hpp>

#include <array>
#include <charconv>
#include <limits>
#include <optional>
#include <string>
#include <system_error>

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
    stack_.push_double(stand_in.value_or(about));
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

  std::optional<double> stand_in{};  ///< what the next double is, whatever is written

 private:
  std::array<unsigned char, 4096> buffer_;  // enough for most, without allocating
  json::value_stack stack_{{}, buffer_.data(), buffer_.size()};
  std::string number_{};
};

/// A number that Python writes and that JSON does not have.
struct number_word {
  std::size_t begin = std::string_view::npos;
  std::string_view text{};  ///< empty: there is none
  double value = 0;
};

number_word find_number_word(std::string_view text) {
  constexpr double infinity = std::numeric_limits<double>::infinity();
  const std::array<number_word, 3> words{{{0, "NaN", std::numeric_limits<double>::quiet_NaN()},
                                          {0, "Infinity", infinity},
                                          {0, "-Infinity", -infinity}}};
  bool in_text = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (in_text && text[i] == '\\') {
      ++i;
    } else if (text[i] == '"') {
      in_text = !in_text;
    } else if (!in_text) {
      for (auto word : words) {
        if (!text.substr(i).starts_with(word.text)) continue;
        word.begin = i;
        return word;
      }
    }
  }
  return {};
}

}  // namespace

json_text read_json_text(std::string_view text, std::size_t deepest, json_numbers numbers) {
  json::parse_options options;
  options.max_depth = deepest;
  json::basic_parser<value_handler> parser(options);
  json_text result;
  const auto feed = [&](std::string_view piece, bool more) {
    const auto read = parser.write_some(more, piece.data(), piece.size(), result.failure);
    if (!result.failure && read < piece.size()) result.failure = json::error::extra_data;
    return read;
  };
  while (!result.failure) {
    const auto rest = text.substr(result.offset);
    number_word found;
    if (numbers == json_numbers::python) found = find_number_word(rest);
    const bool is_last = found.text.empty();
    result.offset += feed(rest.substr(0, found.begin), !is_last);
    if (is_last || result.failure) break;
    parser.handler().stand_in = found.value;
    feed(" 0.0 ", true);  // ends within the piece, so that it is handled here
    parser.handler().stand_in.reset();
    if (!result.failure) result.offset += found.text.size();
  }
  if (!result.failure) result.value = parser.handler().release();
  return result;
}

}  // namespace cohub::hub
