#pragma once

#include "cohub/card_value.hpp"

#include <algorithm>
#include <vector>

namespace cohub::hub {

/// What makes two values of a card the same, also within lists and maps.
enum class comparison {
  written,   ///< they are written alike but for spelling: kinds count, and NaN is NaN
  measured,  ///< the same, but 1 is 1.0
  python     ///< by Python's ==: 1 is 1.0, and True, and NaN is not NaN
};

bool are_same(const card_value& a, const card_value& b, comparison how);

/// Whether two maps have the same keys, in any order, with values that are the same.
template <class Same>
bool have_same_members(const card_map& a, const card_map& b, Same same) {
  if (a.size() != b.size()) return false;
  const auto same_key = [](const card_member& x, const card_member& y) { return x.key == y.key; };
  const auto same_member = [&](const card_member& x, const card_member& y) {
    return x.key == y.key && same(x.value, y.value);
  };
  // Most maps have the same order; the others are sorted, as a card may have very many keys.
  if (std::equal(a.begin(), a.end(), b.begin(), same_key))
    return std::equal(a.begin(), a.end(), b.begin(), same_member);
  const auto sorted = [](const card_map& map) {
    std::vector<const card_member*> members;
    for (const auto& member : map) members.push_back(&member);
    std::sort(members.begin(), members.end(),
              [](const card_member* x, const card_member* y) { return x->key < y->key; });
    return members;
  };
  const auto x = sorted(a), y = sorted(b);
  return std::equal(x.begin(), x.end(), y.begin(), [&](const card_member* m, const card_member* n) {
    return same_member(*m, *n);
  });
}

}  // namespace cohub::hub
