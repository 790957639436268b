#include "hub/card_comparison.hpp"

#include <cmath>
#include <cstdint>

namespace cohub::hub {

namespace {

using kind = card_value::kind;

bool is_number(const card_value& value, comparison how) noexcept {
  return value.type() == kind::integer || value.type() == kind::real ||
         (value.type() == kind::boolean && how == comparison::python);
}

std::int64_t integer_of(const card_value& value) {
  return value.type() == kind::boolean ? value.as_bool() : value.as_integer();
}

/// Exactly: not every integer has a double of its own.
bool is_integer(double real, std::int64_t integer) noexcept {
  return real >= -0x1p63 && real < 0x1p63 && real == std::trunc(real) &&
         static_cast<std::int64_t>(real) == integer;
}

bool are_same_numbers(const card_value& a, const card_value& b, comparison how) {
  const bool a_is_real = a.type() == kind::real;
  const bool b_is_real = b.type() == kind::real;
  if (!a_is_real && !b_is_real) return integer_of(a) == integer_of(b);
  if (a_is_real && b_is_real)
    return a.as_real() == b.as_real() ||
           (how != comparison::python && std::isnan(a.as_real()) && std::isnan(b.as_real()));
  if (how == comparison::written) return false;
  return a_is_real ? is_integer(a.as_real(), integer_of(b))
                   : is_integer(b.as_real(), integer_of(a));
}

}  // namespace

bool are_same(const card_value& a, const card_value& b, comparison how) {
  if (is_number(a, how) && is_number(b, how)) return are_same_numbers(a, b, how);
  const auto same = [how](const card_value& x, const card_value& y) { return are_same(x, y, how); };
  if (a.is_list() && b.is_list())
    return std::equal(a.as_list().begin(), a.as_list().end(), b.as_list().begin(),
                      b.as_list().end(), same);
  if (a.is_map() && b.is_map()) return have_same_members(a.as_map(), b.as_map(), same);
  return a == b;
}

}  // namespace cohub::hub
