#include "cohub/model_config.hpp"

#include "cohub/error.hpp"

#include "core/ascii.hpp"
#include "hub/json_text.hpp"
#include "hub/python_text.hpp"

#include <algorithm>
#include <array>
#include <charconv>

namespace cohub {

namespace {

namespace json = boost::json;

constexpr std::size_t deepest = 128;

std::string path_of(const detail::config_place& place) {
  if (place.parent == nullptr) return std::string(place.name);
  std::string path = path_of(*place.parent);
  if (place.name.empty()) return path + '[' + std::to_string(place.index) + ']';
  return path + '.' + std::string(place.name);
}

const char* kind_name(const json::value& value) noexcept {
  switch (value.kind()) {
    case json::kind::null:
      return "null";
    case json::kind::bool_:
      return "true or false";
    case json::kind::int64:
    case json::kind::uint64:
      return "an integer";
    case json::kind::double_:
      return "a number";
    case json::kind::string:
      return "text";
    case json::kind::array:
      return "an array";
    case json::kind::object:
      return "an object";
  }
  return "something else";
}

void append_text(std::string& out, std::string_view text, const detail::config_place& place) {
  const auto written = hub::python_json_string(text);
  if (!written) detail::fail_config(place, "text that is not UTF-8");
  out += *written;
}

void append_value(std::string& out, const json::value& value, std::size_t depth,
                  const detail::config_place& place) {
  if (depth > deepest) detail::fail_config(place, "nested too deeply");
  const auto start_line = [&](std::size_t level) { (out += '\n').append(2 * level, ' '); };
  switch (value.kind()) {
    case json::kind::null:
      out += "null";
      break;
    case json::kind::bool_:
      out += value.get_bool() ? "true" : "false";
      break;
    case json::kind::int64:
      out += std::to_string(value.get_int64());
      break;
    case json::kind::uint64:
      out += std::to_string(value.get_uint64());
      break;
    case json::kind::double_:
      if (!std::isfinite(value.get_double()))
        detail::fail_config(place, "it is not a finite number");
      out += hub::python_float(value.get_double());
      break;
    case json::kind::string:
      append_text(out, value.get_string(), place);
      break;
    case json::kind::array: {
      out += '[';
      std::size_t position = 0;
      for (const auto& item : value.get_array()) {
        if (position > 0) out += ',';
        start_line(depth + 1);
        append_value(out, item, depth + 1, detail::config_place(place, position++));
      }
      if (position > 0) start_line(depth);
      out += ']';
      break;
    }
    case json::kind::object: {
      std::vector<const json::key_value_pair*> members;
      for (const auto& member : value.get_object()) members.push_back(&member);
      // Bytes of UTF-8 sort as code points do.
      std::sort(members.begin(), members.end(),
                [](const auto* a, const auto* b) { return a->key() < b->key(); });
      out += '{';
      bool first = true;
      for (const auto* member : members) {
        if (!std::exchange(first, false)) out += ',';
        start_line(depth + 1);
        append_text(out, member->key(), place);
        out += ": ";
        append_value(out, member->value(), depth + 1,
                     detail::config_place(place, std::string_view(member->key())));
      }
      if (!first) start_line(depth);
      out += '}';
      break;
    }
  }
}

}  // namespace

namespace detail {

void fail_config(const config_place& place, const std::string& reason) {
  const auto* root = &place;
  while (root->parent != nullptr) root = root->parent;
  const std::string doing = root->origin.empty() ? std::string("writing config.json")
                                                 : "reading " + std::string(root->origin);
  throw error(errc::invalid_config, doing + ": " + path_of(place) + ": " + reason);
}

void fail_config_kind(const config_place& place, std::string_view wanted,
                      const json::value& found) {
  fail_config(place, std::string(wanted) + " is expected, not " + kind_name(found));
}

std::int64_t config_signed(const json::value& value, const config_place& place) {
  if (value.is_int64()) return value.get_int64();
  if (value.is_uint64()) {
    if (!std::in_range<std::int64_t>(value.get_uint64()))
      fail_config(place, "the number is out of range");
    return static_cast<std::int64_t>(value.get_uint64());
  }
  if (!value.is_double()) fail_config_kind(place, "an integer", value);
  const double real = value.get_double();
  if (!(real >= -0x1p63 && real < 0x1p63)) fail_config(place, "the number is out of range");
  if (real != std::trunc(real)) fail_config_kind(place, "an integer", value);
  return static_cast<std::int64_t>(real);
}

std::uint64_t config_unsigned(const json::value& value, const config_place& place) {
  if (value.is_uint64()) return value.get_uint64();
  const auto number = config_signed(value, place);
  if (number < 0) fail_config(place, "the number is out of range");
  return static_cast<std::uint64_t>(number);
}

double config_real(const json::value& value, const config_place& place) {
  double real = 0;
  if (value.is_double()) {
    real = value.get_double();
  } else if (value.is_int64()) {
    real = static_cast<double>(value.get_int64());
  } else if (value.is_uint64()) {
    real = static_cast<double>(value.get_uint64());
  } else {
    fail_config_kind(place, "a number", value);
  }
  if (!std::isfinite(real)) fail_config(place, "the number is out of range");
  return real;
}

double widen_shortest(float value) {
  std::array<char, 64> text{};
  const auto end = std::to_chars(text.data(), text.data() + text.size(), value).ptr;
  double wide = 0;
  std::from_chars(text.data(), end, wide);
  return static_cast<float>(wide) == value ? wide : static_cast<double>(value);
}

}  // namespace detail

std::string config_text(const json::value& value) {
  std::string out;
  append_value(out, value, 0, detail::config_place("config"));
  return out;
}

namespace {

/// The number that is none in JSON, where a parser stopped at one of its letters.
std::string_view number_word_at(std::string_view text, std::size_t offset) {
  auto begin = std::min(offset, text.size());
  while (begin > 0 && (core::is_letter(text[begin - 1]) || text[begin - 1] == '-')) --begin;
  for (const std::string_view word : {"NaN", "Infinity", "-Infinity"})
    if (text.substr(begin).starts_with(word)) return word;
  return {};
}

}  // namespace

json::object parse_config(std::string_view text, std::string_view origin) {
  auto read = hub::read_json_text(text, deepest);
  if (read.failure) {
    const auto before = text.substr(0, read.offset);
    const auto line = 1 + std::count(before.begin(), before.end(), '\n');
    auto reason = "not JSON: " + read.failure.message();
    if (const auto word = number_word_at(text, read.offset); !word.empty())
      reason = std::string(word) + " is no JSON, though Python writes it";
    throw error(errc::invalid_config, "reading " + std::string(origin) + ", line " +
                                          std::to_string(line) + ": " + reason);
  }
  json::value value = std::move(read.value);
  if (!value.is_object())
    throw error(errc::invalid_config, "reading " + std::string(origin) +
                                          ": an object is expected, not " + kind_name(value));
  return std::move(value.get_object());
}

}  // namespace cohub
