#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace cohub {

class card_value;
struct card_member;

using card_list = std::vector<card_value>;

/// A map that keeps its members in the order they were added: the metadata of a card.
class card_map {
 public:
  // Not here, where a member is not a complete type yet.
  card_map() noexcept;
  card_map(const card_map& other);
  card_map(card_map&& other) noexcept;
  card_map& operator=(const card_map& other);
  card_map& operator=(card_map&& other) noexcept;
  ~card_map();
  card_map(std::initializer_list<card_member> members);

  /// The value of `key`; a null one is added at the end if there is none. A card does not write it
  /// as long as it is null.
  card_value& operator[](std::string_view key);
  /// Null if there is no such key.
  const card_value* find(std::string_view key) const noexcept;
  card_value* find(std::string_view key) noexcept;
  bool contains(std::string_view key) const noexcept { return find(key) != nullptr; }
  /// The value of `key`, or `otherwise` if there is none or it is null.
  card_value get(std::string_view key, const card_value& otherwise) const;
  /// The value of `key`.
  /// @throws error  errc::invalid_card: there is none
  const card_value& at(std::string_view key) const;
  /// The text under `key`, or `otherwise` if there is none or it is no text.
  std::string text_or(std::string_view key, std::string_view otherwise = {}) const;
  /// Adds a member whose key is known to be new, without looking for it.
  void append(std::string key, card_value value);
  void reserve(std::size_t count);
  /// Whether there was such a key.
  bool erase(std::string_view key);

  bool empty() const noexcept { return members_.empty(); }
  std::size_t size() const noexcept;
  const card_member* begin() const noexcept;
  const card_member* end() const noexcept;
  card_member* begin() noexcept;
  card_member* end() noexcept;

  /// Equal keys with equal values, in any order.
  friend bool operator==(const card_map& a, const card_map& b);

 private:
  std::vector<card_member> members_;
};

/// One node of a card's metadata: null, a scalar, a list or a map.
///
/// A number, a null or a true/false that was read from a card keeps its spelling (`3.10`,
/// `0012345`) and is written back so until it is replaced.
class card_value {
 public:
  enum class kind { null, boolean, integer, real, text, list, map };

  card_value() = default;
  card_value(std::nullptr_t) {}
  card_value(bool value) : value_(value) {}
  /// @throws error  errc::invalid_card: more than 64 bits with a sign hold
  template <std::integral T>
  requires(!std::same_as<T, bool> && !std::same_as<T, char>) card_value(T value)
      : value_(checked(value)) {}
  template <std::floating_point T>
  card_value(T value) : value_(static_cast<double>(value)) {}
  card_value(const char* value) : value_(std::string(value)) {}
  card_value(std::string_view value) : value_(std::string(value)) {}
  card_value(std::string value) : value_(std::move(value)) {}
  card_value(card_list value) : value_(std::move(value)) {}
  card_value(const std::vector<std::string>& values);
  card_value(card_map value) : value_(std::move(value)) {}

  /// A scalar as it was read: `source` is what is written again.
  static card_value spelled(card_value value, std::string source);

  kind type() const noexcept { return static_cast<kind>(value_.index()); }
  bool is_null() const noexcept { return type() == kind::null; }
  bool is_text() const noexcept { return type() == kind::text; }
  bool is_list() const noexcept { return type() == kind::list; }
  bool is_map() const noexcept { return type() == kind::map; }

  /// The content.
  /// @throws error  errc::invalid_card: it is of another kind
  bool as_bool() const;
  std::int64_t as_integer() const;
  double as_real() const;  ///< also of an integer
  const std::string& as_text() const;
  const card_list& as_list() const;
  card_list& as_list();
  const card_map& as_map() const;
  card_map& as_map();

  /// The spelling it was read in; empty for text, lists, maps and what was set since.
  const std::string& source() const noexcept { return source_; }

  /// Equal content; spellings do not count.
  friend bool operator==(const card_value& a, const card_value& b) { return a.value_ == b.value_; }

 private:
  template <class T>
  static std::int64_t checked(T value) {
    if (!std::in_range<std::int64_t>(value)) refuse_large();
    return static_cast<std::int64_t>(value);
  }
  [[noreturn]] static void refuse_large();

  std::variant<std::monostate, bool, std::int64_t, double, std::string, card_list, card_map>
      value_{};
  std::string source_{};
};

struct card_member {
  std::string key{};
  card_value value{};
};

}  // namespace cohub
