#include "model/safetensors/shared_tensors.hpp"

#include "cohub/error.hpp"

#include <algorithm>
#include <span>
#include <tuple>

namespace cohub::model {

namespace {

/// A tensor and the memory it lies in.
struct placement {
  const tensor_source* tensor;
  tensor_storage storage;
  bool derived;  ///< the storage is the content itself: nothing else is known of it

  /// Puts next to each other what may overlap.
  auto order() const {
    return std::make_tuple(reinterpret_cast<std::uintptr_t>(storage.address), storage.size,
                           storage.begin, storage.end, tensor->dtype, std::cref(tensor->shape),
                           std::cref(tensor->name));
  }
  bool covers_storage() const noexcept {
    std::uint64_t bits = bits_of(tensor->dtype);
    for (const auto extent : tensor->shape) bits *= extent;
    // A view with gaps between its elements ends where the storage does, and has fewer bytes.
    return storage.begin == 0 && storage.end == storage.size && bits / 8 == storage.size;
  }
  bool overlaps(const placement& earlier, std::uint64_t end) const {
    if (storage.address != earlier.storage.address || storage.size != earlier.storage.size ||
        storage.begin >= end)
      return false;
    // The same bytes as elements of another kind are another tensor, unless a framework says that
    // they are one.
    if (!derived && !earlier.derived) return true;
    return tensor->dtype == earlier.tensor->dtype && tensor->shape == earlier.tensor->shape;
  }
};

std::vector<placement> placements_of(const std::vector<tensor_source>& tensors) {
  std::vector<placement> result;
  for (const auto& tensor : tensors) {
    placement place{&tensor, {}, !tensor.storage};
    if (tensor.storage) {
      place.storage = *tensor.storage;
    } else if (const auto* bytes = std::get_if<std::span<const std::byte>>(&tensor.content)) {
      place.storage = {bytes->data(), bytes->size(), 0, bytes->size()};
    }
    if (place.storage.begin < place.storage.end) result.push_back(place);
  }
  std::sort(result.begin(), result.end(),
            [](const placement& a, const placement& b) { return a.order() < b.order(); });
  return result;
}

/// The name that stands for a group of views that overlap.
const std::string& kept_of(std::span<const placement> group,
                           const std::vector<std::string>& discard) {
  const std::string* kept = nullptr;
  bool kept_is_discarded = false;
  for (const auto& place : group) {
    if (!place.covers_storage()) continue;
    const auto& name = place.tensor->name;
    const bool discarded = std::find(discard.begin(), discard.end(), name) != discard.end();
    if (kept == nullptr || std::tie(discarded, name) < std::tie(kept_is_discarded, *kept)) {
      kept = &name;
      kept_is_discarded = discarded;
    }
  }
  if (kept != nullptr) return *kept;
  std::string names;
  for (const auto& place : group)
    names += (names.empty() ? "\"" : ", \"") + place.tensor->name + '"';
  throw error(errc::invalid_argument,
              "saving tensors: " + names +
                  " are views that overlap, and none of them covers all of their memory; save "
                  "copies of them");
}

}  // namespace

std::map<std::string, std::string> find_shared_tensors(const std::vector<tensor_source>& tensors,
                                                       const std::vector<std::string>& discard) {
  const auto places = placements_of(tensors);
  std::map<std::string, std::string> dropped;
  for (auto first = places.begin(); first != places.end();) {
    auto last = first + 1;
    for (auto end = first->storage.end; last != places.end() && last->overlaps(*first, end); ++last)
      end = std::max(end, last->storage.end);
    if (last - first > 1) {
      const auto& kept = kept_of({first, last}, discard);
      for (auto place = first; place != last; ++place)
        if (place->tensor->name != kept) dropped.emplace(place->tensor->name, kept);
    }
    first = last;
  }
  return dropped;
}

}  // namespace cohub::model
