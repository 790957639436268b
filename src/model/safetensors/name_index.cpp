#include "model/safetensors/name_index.hpp"

#include "cohub/safetensors.hpp"

#include <algorithm>
#include <functional>
#include <string_view>

namespace cohub::model {

namespace {

std::size_t digest_of(std::string_view name) noexcept {
  return std::hash<std::string_view>()(name);
}

}  // namespace

name_index::name_index(std::span<const tensor_info> tensors) {
  entries_.reserve(tensors.size());
  for (const auto& tensor : tensors)
    entries_.push_back(entry{digest_of(tensor.name), entries_.size()});
  std::sort(entries_.begin(), entries_.end(), [&](const entry& a, const entry& b) {
    if (a.digest != b.digest) return a.digest < b.digest;
    return tensors[a.position].name < tensors[b.position].name;
  });
}

std::optional<std::size_t> name_index::find(std::span<const tensor_info> tensors,
                                            std::string_view name) const {
  const std::size_t digest = digest_of(name);
  const auto found = std::lower_bound(entries_.begin(), entries_.end(), name,
                                      [&](const entry& item, std::string_view wanted) {
                                        if (item.digest != digest) return item.digest < digest;
                                        return tensors[item.position].name < wanted;
                                      });
  if (found == entries_.end() || tensors[found->position].name != name) return {};
  return found->position;
}

std::optional<std::size_t> name_index::find_duplicate(std::span<const tensor_info> tensors) const {
  const auto twice =
      std::adjacent_find(entries_.begin(), entries_.end(), [&](const entry& a, const entry& b) {
        return a.digest == b.digest && tensors[a.position].name == tensors[b.position].name;
      });
  if (twice == entries_.end()) return {};
  return twice->position;
}

}  // namespace cohub::model
