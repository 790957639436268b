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

/// Where a branch was: which repository it is, by what no other of the same name has, and its head.
struct branch_state {
  std::string repository{};  ///< words without blanks, and so is the head
  std::string head{};
  friend bool operator==(const branch_state&, const branch_state&) = default;
};

/// Which files of a folder are in the repository, on disk: a line for each, added when its commit
/// is made, and one for where the branch was then. Blocking, for the pool. Failures of the disk are
/// swallowed: then nothing is remembered.
class large_folder_record {
 public:
  /// What was noted of a branch that is not where the last note left it is forgotten: others may
  /// have made the repository anew, or deleted the files.
  /// @param key  names folder, endpoint, repository and revision
  large_folder_record(const std::filesystem::path& state_dir, std::string_view key,
                      const branch_state& now) noexcept;

  /// Whether the file is there as it is now.
  bool holds(const io::file_identity& file) const;
  /// @param now  where the branch is with these files; an empty head: nobody knows
  void add(const std::vector<io::file_identity>& files, const branch_state& now) noexcept;

 private:
  void load();
  void begin();
  void append(std::string_view text);

  io::file file_{};
  std::uint64_t end_ = 0;
  std::unordered_map<std::string, io::file_identity> done_{};  // by path
  branch_state last_{};
};

/// A line of the record, and back; of another shape: nothing.
std::string encode_done_file(const io::file_identity& file);
std::optional<io::file_identity> decode_done_file(std::string_view line);

}  // namespace cohub::transfer
