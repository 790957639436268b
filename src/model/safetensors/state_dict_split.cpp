#include "cohub/error.hpp"
#include "cohub/state_dict.hpp"

#include "core/trim.hpp"
#include "model/safetensors/filename_pattern.hpp"

#include <array>
#include <charconv>
#include <limits>
#include <map>
#include <utility>

namespace cohub {

namespace {

[[noreturn]] void refuse_size(std::string_view text, const std::string& reason) {
  throw error(errc::invalid_argument,
              "reading the size \"" + std::string(text.substr(0, 40)) + "\": " + reason);
}

std::string shard_suffix(std::size_t number, std::size_t count) {
  const auto padded = [](std::size_t value) {
    auto digits = std::to_string(value);
    return std::string(digits.size() < 5 ? 5 - digits.size() : 0, '0') + digits;
  };
  return '-' + padded(number) + "-of-" + padded(count);
}

/// Puts the later names of each storage into the file of its first one.
void join_shared(std::vector<state_dict_split::file>& files,
                 const std::map<std::string, std::vector<std::string>>& sharing) {
  for (auto& file : files) {
    std::vector<std::string> joining;
    for (const auto& name : file.tensors)
      if (const auto later = sharing.find(name); later != sharing.end())
        joining.insert(joining.end(), later->second.begin(), later->second.end());
    file.tensors.insert(file.tensors.end(), joining.begin(), joining.end());
  }
}

}  // namespace

std::uint64_t parse_size_to_int(std::string_view text) {
  struct unit {
    std::string_view name;
    std::uint64_t bytes;
  };
  static constexpr std::array<unit, 4> units{
      {{"TB", 1'000'000'000'000}, {"GB", 1'000'000'000}, {"MB", 1'000'000}, {"KB", 1'000}}};
  const auto size = core::trim(text);
  const auto tail = size.size() < 2 ? std::string_view() : size.substr(size.size() - 2);
  const auto upper = [](char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c; };
  const unit* found = nullptr;
  for (const auto& candidate : units)
    if (tail.size() == 2 && upper(tail[0]) == candidate.name[0] &&
        upper(tail[1]) == candidate.name[1])
      found = &candidate;
  if (found == nullptr) refuse_size(text, "its unit must be TB, GB, MB or KB");

  const auto number = core::trim(size.substr(0, size.size() - 2));
  double value = 0;
  const auto [end, failure] = std::from_chars(number.data(), number.data() + number.size(), value,
                                              std::chars_format::fixed);
  const bool is_number = failure == std::errc() && end == number.data() + number.size() &&
                         number.find_first_not_of("0123456789.") == std::string_view::npos;
  if (!is_number || !(value > 0)) refuse_size(text, "a positive decimal number is needed");
  const double bytes = value * static_cast<double>(found->bytes);
  if (bytes >= static_cast<double>(std::numeric_limits<std::uint64_t>::max()))
    refuse_size(text, "it is too large");
  return static_cast<std::uint64_t>(bytes);
}

void byte_size::refuse_negative() {
  throw error(errc::invalid_argument, "a size in bytes must not be negative");
}

state_dict_split split_state_dict_into_shards(const std::vector<state_dict_item>& items,
                                              named<state_dict_split_options> options) {
  const model::filename_pattern pattern(options->filename_pattern);
  const std::uint64_t largest = options->max_shard_size.bytes();

  state_dict_split split;
  std::map<std::string, std::string> first_of;              // storage -> its first name
  std::map<std::string, std::vector<std::string>> sharing;  // that name -> the later ones
  state_dict_split::file current;
  std::uint64_t current_size = 0;
  for (const auto& item : items) {
    if (!item.storage_id.empty()) {
      const auto [first, is_new] = first_of.emplace(item.storage_id, item.name);
      if (!is_new) {
        sharing[first->second].push_back(item.name);
        continue;
      }
    }
    if (__builtin_add_overflow(split.total_size, item.size, &split.total_size))
      throw error(errc::invalid_argument, "splitting a state dict: its sizes overflow");
    if (item.size > largest) {
      split.files.emplace_back().tensors.push_back(item.name);
      continue;
    }
    if (item.size > largest - current_size) {
      split.files.push_back(std::exchange(current, {}));
      current_size = 0;
    }
    current.tensors.push_back(item.name);
    current_size += item.size;
  }
  if (!current.tensors.empty()) split.files.push_back(std::move(current));
  join_shared(split.files, sharing);
  const auto count = split.files.size();
  for (std::size_t i = 0; i < count; ++i)
    split.files[i].name = pattern.with(count == 1 ? std::string() : shard_suffix(i + 1, count));
  return split;
}

}  // namespace cohub
