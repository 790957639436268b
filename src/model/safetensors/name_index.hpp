#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

namespace cohub {
struct tensor_info;
}

namespace cohub::model {

/// Finds tensors by name. Sorted by digest and name, so that it is built fast, and not slowly
/// either where names were chosen to collide.
class name_index {
 public:
  name_index() = default;
  explicit name_index(std::span<const tensor_info> tensors);

  /// The position of the tensor of that name in what the index was built from.
  std::optional<std::size_t> find(std::span<const tensor_info> tensors,
                                  std::string_view name) const;
  /// The position of a tensor whose name another one has, too.
  std::optional<std::size_t> find_duplicate(std::span<const tensor_info> tensors) const;

 private:
  struct entry {
    std::size_t digest;
    std::size_t position;
  };
  std::vector<entry> entries_{};
};

}  // namespace cohub::model
