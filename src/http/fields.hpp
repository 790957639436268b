#pragma once

#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace cohub::http {

/// Header fields in the order they came; names compare without case.
class fields {
 public:
  fields() = default;
  fields(std::initializer_list<std::pair<std::string, std::string>> items) : items_(items) {}

  /// The first value of that name, empty if there is none.
  std::string_view get(std::string_view name) const noexcept;
  /// All values of that name as one list, as RFC 9110, section 5.3, reads them.
  std::string get_list(std::string_view name) const;
  bool has(std::string_view name) const noexcept;
  /// Replaces all of that name.
  void set(std::string name, std::string value);
  /// Adds one more.
  void add(std::string name, std::string value);
  void erase(std::string_view name);

  auto begin() const noexcept { return items_.begin(); }
  auto end() const noexcept { return items_.end(); }
  bool empty() const noexcept { return items_.empty(); }

 private:
  std::vector<std::pair<std::string, std::string>> items_;
};

/// Whether a body comes in a coding, gzip for example, where the only one that is asked for is the
/// content as it is.
bool is_encoded(const fields& headers) noexcept;

/// Whether a field can have that name (a token of RFC 9110, section 5.6.2).
bool is_field_name(std::string_view text) noexcept;

}  // namespace cohub::http
