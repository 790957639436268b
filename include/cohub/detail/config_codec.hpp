#pragma once

#include <boost/describe/class.hpp>
#include <boost/describe/enum.hpp>
#include <boost/describe/enumerators.hpp>
#include <boost/describe/members.hpp>
#include <boost/describe/modifiers.hpp>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>
#include <boost/json/value_from.hpp>
#include <boost/json/value_to.hpp>
#include <boost/mp11/algorithm.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <type_traits>
#include <unordered_map>
#include <utility>
#include <variant>
#include <vector>

namespace cohub {

template <class T>
class required;
template <class T>
struct transient;
struct extra_fields;
template <class... Coder>
struct coders;

namespace detail {

namespace json = boost::json;

/// A member on the way from the config's root, for errors; lives on the stack.
struct config_place {
  explicit config_place(std::string_view root, std::string_view file = {})
      : name(root), origin(file) {}
  config_place(const config_place& outer, std::string_view member) : parent(&outer), name(member) {}
  config_place(const config_place& outer, std::size_t position) : parent(&outer), index(position) {}

  const config_place* parent = nullptr;
  std::string_view name{};
  std::string_view origin{};
  std::size_t index = 0;  // counts where there is no name
};

/// Throws errc::invalid_config: file, path of the member, reason.
[[noreturn]] void fail_config(const config_place& place, const std::string& reason);
/// The same, for a value of a kind that does not fit.
[[noreturn]] void fail_config_kind(const config_place& place, std::string_view wanted,
                                   const json::value& found);

std::int64_t config_signed(const json::value& value, const config_place& place);
std::uint64_t config_unsigned(const json::value& value, const config_place& place);
double config_real(const json::value& value, const config_place& place);
/// The double that has the same shortest text as the float.
double widen_shortest(float value);

template <class T, template <class...> class Template>
inline constexpr bool is_instance = false;
template <template <class...> class Template, class... Args>
inline constexpr bool is_instance<Template<Args...>, Template> = true;

template <class T>
inline constexpr bool is_std_array = false;
template <class T, std::size_t Size>
inline constexpr bool is_std_array<std::array<T, Size>> = true;

template <class T>
concept config_list = is_instance<T, std::vector> || is_instance<T, std::set>;

template <class T>
concept config_map =
    (is_instance<T, std::map> ||
     is_instance<T, std::unordered_map>)&&std::same_as<typename T::key_type, std::string>;

template <class T>
concept described_struct = boost::describe::has_describe_members<T>::value && std::is_class_v<T>;

template <class T>
concept described_enum = std::is_enum_v<T> && boost::describe::has_describe_enumerators<T>::value;

template <class T>
concept config_number = (std::integral<T> && !std::same_as<T, bool> && !std::same_as<T, char>) ||
                        std::same_as<T, float> || std::same_as<T, double>;

template <class T>
concept json_type =
    std::same_as<T, json::value> || std::same_as<T, json::object> || std::same_as<T, json::array>;

template <class T>
concept converted_by_throwing = requires(const json::value& from) {
  { tag_invoke(json::value_to_tag<T>(), from) } -> std::convertible_to<T>;
};

/// Boost has such conversions of its own, which do not know of coders.
template <class T>
concept converted_by_boost = is_instance<T, std::optional> || is_instance<T, std::variant> ||
    std::same_as<T, std::monostate>;

template <class T>
concept converted_to_result = !converted_by_boost<T> && requires(const json::value& from) {
  { tag_invoke(json::try_value_to_tag<T>(), from) } -> std::same_as<json::result<T>>;
};

/// Converted by the type's own `tag_invoke`, both ways.
template <class T>
concept config_coded = (converted_by_throwing<T> ||
                        converted_to_result<T>)&&requires(json::value& into, const T& value) {
  tag_invoke(json::value_from_tag(), into, value);
};

template <class T>
T convert_from(const json::value& from) {
  if constexpr (converted_by_throwing<T>)
    return tag_invoke(json::value_to_tag<T>(), from);
  else
    return tag_invoke(json::try_value_to_tag<T>(), from).value();
}

/// Whether a coder writes and reads values of that type.
template <class Coder, class T>
inline constexpr bool codes = requires(const T& value, const json::value& from) {
  { Coder::encode(value) } -> std::convertible_to<json::value>;
  { Coder::decode(from) } -> std::same_as<T>;
};

/// The first coder of a list for a type; void if there is none.
template <class T, class Coders>
struct find_coder;
template <class T>
struct find_coder<T, coders<>> {
  using type = void;
};
template <class T, class First, class... Rest>
struct find_coder<T, coders<First, Rest...>> {
  using type = typename std::conditional_t<codes<First, T>, std::type_identity<First>,
                                           find_coder<T, coders<Rest...>>>::type;
};
template <class T, class Coders>
using coder_of = typename find_coder<T, Coders>::type;
template <class T, class Coders>
concept locally_coded = !std::is_void_v<coder_of<T, Coders>>;

/// The coders of a model class, which hold for its config.
template <class Model>
struct model_coders_of {
  using type = coders<>;
};
template <class Model>
requires requires { typename Model::hub_coders; }
struct model_coders_of<Model> {
  using type = typename Model::hub_coders;
};
template <class Model>
using model_coders = typename model_coders_of<Model>::type;

/// What the `config()` of a model class returns.
template <class Model>
using model_config_type = std::remove_cvref_t<decltype(std::declval<const Model&>().config())>;

/// The list of a struct, then that of the struct around it.
template <class T, class Outer>
struct coders_within {
  using type = Outer;
};
template <class T, class... Outer>
requires requires { typename T::hub_coders; }
struct coders_within<T, coders<Outer...>> {
  template <class... Own>
  static coders<Own..., Outer...> join(coders<Own...>*);
  using type = decltype(join(static_cast<typename T::hub_coders*>(nullptr)));
};

template <class T>
using described_members = boost::describe::describe_members<T, boost::describe::mod_any_access |
                                                                   boost::describe::mod_inherited>;

template <class>
inline constexpr bool cannot_be_encoded = false;

template <class Coders, class T>
json::value encode_config(const T& value, const config_place& place);
template <class Coders, class T>
void decode_config(const json::value& from, T& into, const config_place& place);

template <class Outer, class T>
json::value encode_struct(const T& value, const config_place& place) {
  using within = typename coders_within<T, Outer>::type;
  json::object object;
  boost::mp11::mp_for_each<described_members<T>>([&](auto descriptor) {
    const auto& member = value.*descriptor.pointer;
    using type = std::remove_cvref_t<decltype(member)>;
    const config_place inner(place, descriptor.name);
    if constexpr (is_instance<type, transient>) {
      return;
    } else if constexpr (std::same_as<type, extra_fields>) {
      for (const auto& item : member.values) object.emplace(item.key(), item.value());
    } else if constexpr (is_instance<type, required>) {
      if (!member.has_value()) fail_config(inner, "it is required and was never set");
      object[descriptor.name] = encode_config<within>(member.value(), inner);
    } else {
      object[descriptor.name] = encode_config<within>(member, inner);
    }
  });
  return object;
}

template <class Outer, class T>
void decode_struct(const json::value& from, T& into, const config_place& place) {
  using within = typename coders_within<T, Outer>::type;
  if (!from.is_object()) fail_config_kind(place, "an object", from);
  const auto& object = from.get_object();
  boost::mp11::mp_for_each<described_members<T>>([&](auto descriptor) {
    auto& member = into.*descriptor.pointer;
    using type = std::remove_cvref_t<decltype(member)>;
    const config_place inner(place, descriptor.name);
    if constexpr (is_instance<type, transient> || std::same_as<type, extra_fields>) {
      return;
    } else if constexpr (is_instance<type, required>) {
      const auto* found = object.if_contains(descriptor.name);
      if (!found) fail_config(inner, "it is required and missing");
      std::remove_cvref_t<decltype(member.value())> value{};
      decode_config<within>(*found, value, inner);
      member = type(std::move(value));
    } else if (const auto* found = object.if_contains(descriptor.name)) {
      decode_config<within>(*found, member, inner);
    }
  });
  boost::mp11::mp_for_each<described_members<T>>([&](auto extra) {
    auto& fields = into.*extra.pointer;
    if constexpr (std::same_as<std::remove_cvref_t<decltype(fields)>, extra_fields>) {
      for (const auto& item : object) {
        bool known = false;
        boost::mp11::mp_for_each<described_members<T>>([&](auto descriptor) {
          known = known || (item.key() == descriptor.name &&
                            descriptor.name != std::string_view(extra.name));
        });
        if (!known) fields.values[item.key()] = item.value();
      }
    }
  });
}

/// Whether a key of `config.json` would be taken. What coders take only they know.
template <class Coders, class T>
bool takes_config_key(std::string_view key) {
  if constexpr (locally_coded<T, Coders> || json_type<T> || config_coded<T>) {
    return true;
  } else if constexpr (is_instance<T, std::optional>) {
    return takes_config_key<Coders, typename T::value_type>(key);
  } else {
    bool taken = false;
    boost::mp11::mp_for_each<described_members<T>>([&](auto descriptor) {
      using type = std::remove_cvref_t<decltype(std::declval<T&>().*descriptor.pointer)>;
      if constexpr (std::same_as<type, extra_fields>) {
        taken = true;
      } else if constexpr (!is_instance<type, transient>) {
        taken = taken || key == descriptor.name;
      }
    });
    return taken;
  }
}

/// Whether a coder takes a JSON value: only it knows what it writes.
template <class Decode>
bool is_decodable(Decode decode) {
  try {
    decode();
    return true;
  } catch (const std::exception&) {
    return false;
  }
}

/// Whether a JSON value is of the kind that `T` is written as: chooses the alternative of a
/// variant.
template <class Coders, class T>
bool fits_config_kind(const json::value& value) {
  if constexpr (locally_coded<T, Coders>) {
    return is_decodable([&] { return coder_of<T, Coders>::decode(value); });
  } else if constexpr (json_type<T> || std::same_as<T, bool>) {
    return std::same_as<T, json::value> || (std::same_as<T, bool> && value.is_bool()) ||
           (std::same_as<T, json::array> && value.is_array()) ||
           (std::same_as<T, json::object> && value.is_object());
  } else if constexpr (config_coded<T>) {
    return is_decodable([&] { return convert_from<T>(value); });
  } else if constexpr (is_instance<T, std::optional>) {
    return value.is_null() || fits_config_kind<Coders, typename T::value_type>(value);
  } else if constexpr (std::same_as<T, std::monostate>) {
    return value.is_null();
  } else if constexpr (std::integral<T>) {
    return value.is_int64() || value.is_uint64();
  } else if constexpr (std::floating_point<T>) {
    return value.is_number();
  } else if constexpr (std::same_as<T, std::string> || std::is_enum_v<T>) {
    return value.is_string();
  } else if constexpr (config_list<T> || is_std_array<T>) {
    return value.is_array();
  } else if constexpr (config_map<T> || described_struct<T>) {
    return value.is_object();
  } else {
    return true;
  }
}

/// How an alternative of a variant is chosen: the narrowest that one of them fits decides. What was
/// written from here has all keys; what others wrote may lack some, or have more.
enum class variant_fit { same_keys, known_keys, kind };

template <class Coders, class Variant>
bool fits_keys_of_one(const json::value& value, variant_fit wanted);

/// Whether the objects in a value of the right kind have the keys that described structs want.
template <class Coders, class T>
bool fits_keys(const json::value& value, variant_fit wanted) {
  if constexpr (locally_coded<T, Coders> || json_type<T> || config_coded<T>) {
    return true;
  } else if constexpr (config_list<T> || is_std_array<T>) {
    const auto& items = value.get_array();
    return std::all_of(items.begin(), items.end(), [&](const json::value& item) {
      return !fits_config_kind<Coders, typename T::value_type>(item) ||
             fits_keys<Coders, typename T::value_type>(item, wanted);
    });
  } else if constexpr (described_struct<T>) {
    const auto& object = value.get_object();
    bool fits = std::all_of(object.begin(), object.end(), [](const auto& item) {
      return takes_config_key<Coders, T>(std::string_view(item.key()));
    });
    boost::mp11::mp_for_each<described_members<T>>([&](auto descriptor) {
      using type = std::remove_cvref_t<decltype(std::declval<T&>().*descriptor.pointer)>;
      if constexpr (!is_instance<type, transient> && !std::same_as<type, extra_fields>)
        fits = fits && (wanted != variant_fit::same_keys || object.contains(descriptor.name));
    });
    return fits;
  } else if constexpr (is_instance<T, std::optional>) {
    return value.is_null() || fits_keys<Coders, typename T::value_type>(value, wanted);
  } else if constexpr (is_instance<T, std::variant>) {
    return fits_keys_of_one<Coders, T>(value, wanted);
  } else if constexpr (config_map<T>) {
    const auto& object = value.get_object();
    return std::all_of(object.begin(), object.end(), [&](const auto& item) {
      return !fits_config_kind<Coders, typename T::mapped_type>(item.value()) ||
             fits_keys<Coders, typename T::mapped_type>(item.value(), wanted);
    });
  } else {
    return true;
  }
}

template <class Coders, class Variant>
bool fits_keys_of_one(const json::value& value, variant_fit wanted) {
  return [&]<class... Types>(std::type_identity<std::variant<Types...>>) {
    return ((fits_config_kind<Coders, Types>(value) && fits_keys<Coders, Types>(value, wanted)) ||
            ...);
  }(std::type_identity<Variant>());
}

/// An integer that is coded as one.
template <class Coders, class T>
inline constexpr bool plain_integer =
    std::integral<T>&& config_number<T> && !locally_coded<T, Coders> && !config_coded<T>;

/// Whether a value is an integer, and one of these types takes it as such.
template <class Coders, class... Types>
bool fits_integer(const json::value& value, std::type_identity<std::variant<Types...>>) {
  const auto fits = [&value]<class T>(std::type_identity<T>) {
    if constexpr (plain_integer<Coders, T>)
      return (value.is_uint64() && std::in_range<T>(value.get_uint64())) ||
             (value.is_int64() && std::in_range<T>(value.get_int64()));
    else
      return false;
  };
  return (fits(std::type_identity<Types>()) || ...);
}

/// Whether an alternative would take an integer for a real number, where another one knows better.
template <class Coders, class T, class Variant>
bool blurs_integer(const json::value& value) {
  if constexpr (std::floating_point<T> && !locally_coded<T, Coders>)
    return fits_integer<Coders>(value, std::type_identity<Variant>());
  else
    return false;
}

/// Takes the first alternative that fits, if there is one. Where the kind alone decides, what it
/// cannot read is an error; else the next one is tried.
template <class Coders, std::size_t Index = 0, class Variant>
bool decode_alternative(const json::value& from, Variant& into, const config_place& place,
                        variant_fit wanted) {
  if constexpr (Index == std::variant_size_v<Variant>) {
    return false;
  } else {
    using type = std::variant_alternative_t<Index, Variant>;
    if (fits_config_kind<Coders, type>(from) && !blurs_integer<Coders, type, Variant>(from)) {
      const auto decode = [&] {
        type value{};
        decode_config<Coders>(from, value, place);
        into.template emplace<Index>(std::move(value));
      };
      if (wanted == variant_fit::kind) return decode(), true;
      if (fits_keys<Coders, type>(from, wanted) && is_decodable(decode)) return true;
    }
    return decode_alternative<Coders, Index + 1>(from, into, place, wanted);
  }
}

template <class Coders, class Variant>
void decode_variant(const json::value& from, Variant& into, const config_place& place) {
  for (const auto wanted : {variant_fit::same_keys, variant_fit::known_keys, variant_fit::kind})
    if (decode_alternative<Coders>(from, into, place, wanted)) return;
  fail_config_kind(place, "a value of one of its alternatives", from);
}

/// Yields what a coder does; what it throws becomes an error that names the member.
template <class Code>
auto run_coder(const config_place& place, Code code) {
  std::string reason;
  try {
    return code();
  } catch (const std::exception& failure) {
    reason = failure.what();
  }
  fail_config(place, reason);
}

template <class Coders, class T>
json::value encode_config(const T& value, const config_place& place) {
  if constexpr (locally_coded<T, Coders>) {
    return run_coder(place, [&]() -> json::value { return coder_of<T, Coders>::encode(value); });
  } else if constexpr (json_type<T>) {
    return value;
  } else if constexpr (std::same_as<T, bool>) {
    return value;
  } else if constexpr (config_coded<T>) {
    return run_coder(place, [&] {
      json::value result;
      tag_invoke(json::value_from_tag(), result, value);
      return result;
    });
  } else if constexpr (described_enum<T>) {
    const char* name = nullptr;
    boost::mp11::mp_for_each<boost::describe::describe_enumerators<T>>([&](auto descriptor) {
      if (descriptor.value == value) name = descriptor.name;
    });
    if (name == nullptr) fail_config(place, "the enumeration has no name for its value");
    return json::string(name);
  } else if constexpr (described_struct<T>) {
    return encode_struct<Coders>(value, place);
  } else if constexpr (is_instance<T, std::optional>) {
    if (!value) return nullptr;
    return encode_config<Coders>(*value, place);
  } else if constexpr (is_instance<T, std::variant>) {
    return std::visit([&](const auto& held) { return encode_config<Coders>(held, place); }, value);
  } else if constexpr (std::same_as<T, std::monostate>) {
    return nullptr;
  } else if constexpr (config_map<T>) {
    json::object object;
    for (const auto& [key, item] : value)
      object[key] = encode_config<Coders>(item, config_place(place, key));
    return object;
  } else if constexpr (config_list<T> || is_std_array<T>) {
    json::array array;
    for (const auto& item : value)
      array.push_back(
          encode_config<Coders, typename T::value_type>(item, config_place(place, array.size())));
    return array;
  } else if constexpr (std::same_as<T, std::string>) {
    return json::string(value);
  } else if constexpr (std::floating_point<T> && config_number<T>) {
    if (!std::isfinite(value)) fail_config(place, "it is not a finite number");
    if constexpr (std::same_as<T, float>)
      return widen_shortest(value);
    else
      return value;
  } else if constexpr (config_number<T>) {
    return value;
  } else {
    static_assert(cannot_be_encoded<T>,
                  "a member of this type cannot be written to config.json: describe the type with "
                  "BOOST_DESCRIBE_STRUCT or BOOST_DESCRIBE_ENUM, give it tag_invoke for Boost.JSON "
                  "or a coder in hub_coders, or wrap the member in cohub::transient");
  }
}

template <class Coders, class T>
void decode_list(const json::value& from, T& into, const config_place& place) {
  if (!from.is_array()) fail_config_kind(place, "an array", from);
  const auto& array = from.get_array();
  if constexpr (is_std_array<T>) {
    if (array.size() != into.size())
      fail_config(place, "an array of " + std::to_string(into.size()) + " is expected, not of " +
                             std::to_string(array.size()));
    for (std::size_t i = 0; i < array.size(); ++i)
      decode_config<Coders>(array[i], into[i], config_place(place, i));
  } else {
    T items;
    for (std::size_t i = 0; i < array.size(); ++i) {
      typename T::value_type item{};
      decode_config<Coders>(array[i], item, config_place(place, i));
      items.insert(items.end(), std::move(item));
    }
    into = std::move(items);
  }
}

template <class Coders, class T>
void decode_config(const json::value& from, T& into, const config_place& place) {
  if constexpr (locally_coded<T, Coders>) {
    into = run_coder(place, [&] { return coder_of<T, Coders>::decode(from); });
  } else if constexpr (std::same_as<T, json::value>) {
    into = from;
  } else if constexpr (std::same_as<T, json::object>) {
    if (!from.is_object()) fail_config_kind(place, "an object", from);
    into = from.get_object();
  } else if constexpr (std::same_as<T, json::array>) {
    if (!from.is_array()) fail_config_kind(place, "an array", from);
    into = from.get_array();
  } else if constexpr (std::same_as<T, bool>) {
    if (!from.is_bool()) fail_config_kind(place, "true or false", from);
    into = from.get_bool();
  } else if constexpr (config_coded<T>) {
    into = run_coder(place, [&] { return convert_from<T>(from); });
  } else if constexpr (described_enum<T>) {
    if (!from.is_string()) fail_config_kind(place, "the name of an enumerator", from);
    bool known = false;
    std::string names;
    boost::mp11::mp_for_each<boost::describe::describe_enumerators<T>>([&](auto descriptor) {
      names += names.empty() ? "" : ", ";
      names += descriptor.name;
      if (known || from.get_string() != descriptor.name) return;
      into = descriptor.value;
      known = true;
    });
    if (!known)
      fail_config(place,
                  "\"" + std::string(from.get_string().subview(0, 80)) + "\" is none of " + names);
  } else if constexpr (described_struct<T>) {
    decode_struct<Coders>(from, into, place);
  } else if constexpr (is_instance<T, std::optional>) {
    if (from.is_null()) {
      into.reset();
    } else {
      typename T::value_type value{};
      decode_config<Coders>(from, value, place);
      into = std::move(value);
    }
  } else if constexpr (is_instance<T, std::variant>) {
    decode_variant<Coders>(from, into, place);
  } else if constexpr (std::same_as<T, std::monostate>) {
    return;
  } else if constexpr (config_map<T>) {
    if (!from.is_object()) fail_config_kind(place, "an object", from);
    T items;
    for (const auto& item : from.get_object())
      decode_config<Coders>(item.value(), items[std::string(item.key())],
                            config_place(place, std::string_view(item.key())));
    into = std::move(items);
  } else if constexpr (config_list<T> || is_std_array<T>) {
    decode_list<Coders>(from, into, place);
  } else if constexpr (std::same_as<T, std::string>) {
    if (!from.is_string()) fail_config_kind(place, "text", from);
    into = std::string(from.get_string());
  } else if constexpr (std::same_as<T, double>) {
    into = config_real(from, place);
  } else if constexpr (std::same_as<T, float>) {
    const double value = config_real(from, place);
    into = static_cast<float>(value);
    if (!std::isfinite(into)) fail_config(place, "the number is out of range");
  } else if constexpr (config_number<T>) {
    if constexpr (std::signed_integral<T>) {
      const auto value = config_signed(from, place);
      if (!std::in_range<T>(value)) fail_config(place, "the number is out of range");
      into = static_cast<T>(value);
    } else {
      const auto value = config_unsigned(from, place);
      if (!std::in_range<T>(value)) fail_config(place, "the number is out of range");
      into = static_cast<T>(value);
    }
  } else {
    static_assert(cannot_be_encoded<T>,
                  "a member of this type cannot be read from config.json: describe the type with "
                  "BOOST_DESCRIBE_STRUCT or BOOST_DESCRIBE_ENUM, give it tag_invoke for Boost.JSON "
                  "or a coder in hub_coders, or wrap the member in cohub::transient");
  }
}

}  // namespace detail
}  // namespace cohub
