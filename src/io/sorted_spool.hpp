#pragma once

#include "io/file.hpp"

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace cohub::io {

/// Pairs of texts that are put in in any order and read by the first of them, however many they
/// are: what takes more than a few MiB waits in a file without a name, in sorted runs. Blocking.
class sorted_spool {
 public:
  static constexpr std::size_t default_memory = 4u << 20;

  /// @param folder  where the file is made, if there need be one
  /// @param memory  in bytes; what is beyond goes to the file
  explicit sorted_spool(std::filesystem::path folder, std::size_t memory = default_memory)
      : folder_(std::move(folder)), memory_(memory) {}

  /// @throws error  the system's code, where the file cannot be made or written
  void add(std::string key, std::string value);
  bool empty() const noexcept { return runs_.empty() && pairs_.empty(); }

  using visitor = std::function<void(std::string_view key, std::string_view value)>;
  /// Shows every pair, by key; those of one key in the order in which they came.
  void for_each(const visitor& visit);

 private:
  struct pair {
    std::string key{};
    std::string value{};
  };
  struct run {
    std::uint64_t begin = 0;
    std::uint64_t end = 0;
  };
  class run_reader;

  void sort();
  void spill();
  void merge(const visitor& visit);

  std::filesystem::path folder_;
  std::size_t memory_;
  std::vector<pair> pairs_{};  // that are in no run yet
  std::size_t held_ = 0;       // bytes that they take
  file file_{};
  std::vector<run> runs_{};
};

}  // namespace cohub::io
