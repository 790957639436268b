#pragma once

#include "cohub/detail/config_codec.hpp"

#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

#include <optional>
#include <string>
#include <string_view>
#include <utility>

/// Configs of models: a struct described with `BOOST_DESCRIBE_STRUCT`, written to `config.json` and
/// read back (mixin-and-cards, sections 7.2 and 7.4).
///
/// Members may be: `bool`, integers, floats, `std::string`, described enums (by name),
/// `std::optional` (null when empty), `std::vector`, `std::array`, `std::set`, maps from
/// `std::string`, `std::variant` (the first alternative that can be read from the JSON value; of
/// structs, one that has all the value's keys before others; an integer before a real one for a
/// number that is spelled as one), other described structs,
/// `boost::json` values, types with their own `tag_invoke` for Boost.JSON or with coders of the
/// struct that has them or of the model class (`coders`), and the wrappers below. A member that
/// `config.json` lacks keeps its default; a null or another kind of value is an error that names
/// it.

namespace cohub {

/// The coders of a struct or of a model class, for types that have no `tag_invoke` and cannot be
/// given one, or that shall be written otherwise here. They hold for its members at any depth,
/// before all else, and before those of a struct around it; those of the class, for its whole
/// config, come last. A derived struct or class has those of its base, unless it declares its own.
/// @code
/// struct day_coder {
///   static boost::json::value encode(const day& value);
///   static day decode(const boost::json::value& from);  // throws what it cannot read
/// };
/// struct my_config {
///   using hub_coders = cohub::coders<day_coder>;
///   day released{};
/// };
/// @endcode
template <class... Coder>
struct coders {};

/// A member without default: reading fails if `config.json` lacks it, writing if it was never set.
template <class T>
class required {
 public:
  required() = default;
  required(T value) : value_(std::move(value)) {}
  bool has_value() const noexcept { return value_.has_value(); }
  /// @throws std::bad_optional_access  it was never set
  const T& value() const { return value_.value(); }
  operator const T&() const { return value(); }
  friend bool operator==(const required&, const required&) = default;

 private:
  std::optional<T> value_{};
};

/// A member that is never written, and has its default after reading.
template <class T>
struct transient {
  T value{};
  friend bool operator==(const transient&, const transient&) = default;
};

/// A member that gathers the keys of `config.json` that no other member takes, and writes them
/// back. An integer of more than 64 bits becomes the nearest floating-point number.
struct extra_fields {
  boost::json::object values{};
  friend bool operator==(const extra_fields& a, const extra_fields& b) {
    return a.values == b.values;
  }
};

/// The config of a model that has nothing to configure: no `config.json` is written.
struct no_config {};
BOOST_DESCRIBE_STRUCT(no_config, (), ())

/// What `config.json` shall hold.
/// @throws error  errc::invalid_config, with the member's path: a number that is not finite, a
///                `required` member that was never set, what a coder throws
/// @tparam Coders  `coders<...>` that hold beside those of the struct
template <class Config, class Coders = coders<>>
boost::json::value config_to_json(const Config& config) {
  return detail::encode_config<Coders>(config, detail::config_place("config"));
}

/// The config that JSON describes. Keys that no member takes are dropped, unless there is a member
/// of type `extra_fields`.
/// @param origin  name of the file, for errors
/// @throws error  errc::invalid_config, with the member's path (`config.scheduler.rate`)
template <class Config, class Coders = coders<>>
Config config_from_json(const boost::json::value& value, std::string_view origin = "config.json") {
  Config config{};
  detail::decode_config<Coders>(value, config, detail::config_place("config", origin));
  return config;
}

/// JSON as Python writes `config.json`: sorted keys, indented by 2, pure ASCII, floats in the
/// shortest form that reads back, no line break at the end.
/// @throws error  errc::invalid_config, with the member's path: a number that is not finite, text
///                that is not UTF-8
std::string config_text(const boost::json::value& value);

/// Parses the text of a `config.json`.
/// @param origin  name of the file, for errors
/// @throws error  errc::invalid_config, with the line: not JSON, as `NaN` and `Infinity` are not,
///                which Python writes; or not an object
boost::json::object parse_config(std::string_view text, std::string_view origin = "config.json");

}  // namespace cohub
