#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace cohub::model {

/// One tensor as the header's text spells it, nothing judged yet but the shape of the JSON.
struct safetensors_entry {
  std::string name{};
  std::string dtype{};
  std::vector<std::uint64_t> shape{};
  std::uint64_t begin = 0;
  std::uint64_t end = 0;
};

struct safetensors_entries {
  std::map<std::string, std::string> metadata{};
  std::vector<safetensors_entry> tensors{};  ///< in the order of the text
};

/// Where and why a header's text could not be read; `reason` is empty when it could.
struct entries_failure {
  std::string reason{};
  std::size_t offset = 0;  ///< in the text
};

/// Reads the JSON of a header in one pass, without a tree of values. Keys that occur twice are
/// refused within an entry and within the metadata; names of tensors are compared by the caller.
entries_failure read_safetensors_entries(std::string_view text, safetensors_entries& into);

}  // namespace cohub::model
