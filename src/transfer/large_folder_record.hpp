#pragma once

#include "io/file.hpp"
#include "io/file_identity.hpp"

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace cohub::transfer {

/// Which files of a folder are in the repository, on disk: a line for each, added when its commit
/// is made. Blocking, for the pool. Failures of the disk are swallowed: then nothing is remembered.
class large_folder_record {
 public:
  /// @param key  names folder, endpoint, repository and revision
  large_folder_record(const std::filesystem::path& state_dir, std::string_view key) noexcept;

  /// Whether the file is there as it is now.
  bool holds(const io::file_identity& file) const;
  void add(const std::vector<io::file_identity>& files) noexcept;

 private:
  void load();

  io::file file_{};
  std::uint64_t end_ = 0;
  std::unordered_map<std::string, io::file_identity> done_{};  // by path
};

/// A line of the record, and back; of another shape: nothing.
std::string encode_done_file(const io::file_identity& file);
std::optional<io::file_identity> decode_done_file(std::string_view line);

}  // namespace cohub::transfer
