#include "hub/card_comparison.hpp"

#include <cmath>
#include <cstdint>

namespace cohub::hub {

namespace {

using kind = card_value::kind;

bool is_number(const card_value& value) noexcept {
  return value.type() == kind::integer || value.type() == kind::real;
}

/// Exactly: not every integer has a double of its own.
bool is_integer(double real, std::int64_t integer) noexcept {
  return real >= -0x1p63 && real < 0x1p63 && real == std::trunc(real) &&
         static_cast<std::int64_t>(real) == integer;
}

bool are_same_numbers(const card_value& a, const card_value& b, comparison how) {
  if (a.type() == kind::integer && b.type() == kind::integer)
    return a.as_integer() == b.as_integer();
  if (a.type() == kind::real && b.type() == kind::real)
    return a.as_real() == b.as_real() || (std::isnan(a.as_real()) && std::isnan(b.as_real()));
  if (how == comparison::written) return false;
  return a.type() == kind::real ? is_integer(a.as_real(), b.as_integer())
                                : is_integer(b.as_real(), a.as_integer());
}

}  // namespace

bool are_same(const card_value& a, const card_value& b, comparison how) {
  if (is_number(a) && is_number(b)) return are_same_numbers(a, b, how);
  const auto same = [how](const card_value& x, const card_value& y) { return are_same(x, y, how); };
  if (a.is_list() && b.is_list())
    return std::equal(a.as_list().begin(), a.as_list().end(), b.as_list().begin(),
                      b.as_list().end(), same);
  if (a.is_map() && b.is_map()) return have_same_members(a.as_map(), b.as_map(), same);
  return a == b;
}

}  // namespace cohub::hub
