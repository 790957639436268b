#pragma once

#include "cohub/repository.hpp"

#include "io/sorted_spool.hpp"

#include <filesystem>
#include <utility>
#include <vector>

namespace cohub::cache {

/// Makes `trees/<commit>.json` of a listing that comes page by page (hub-protocol, section 5.3),
/// in memory that does not grow with it. Folders are left out. Blocking.
class tree_writer {
 public:
  /// @param folder  for what does not fit into memory; is there, on the listing's file system
  explicit tree_writer(std::filesystem::path folder)
      : folder_(std::move(folder)), lines_(folder_) {}

  /// @throws error  where `folder` cannot be written to
  void add(const std::vector<tree_entry>& entries);
  /// False for a listing without files: it costs little, and may be a mistake of the moment. And
  /// for one in which some `xet_hash` is hidden from who asked: one with access gets another.
  bool is_worth_keeping() const noexcept { return !hides_ && !lines_.empty(); }
  /// Makes the folder of `path`; the temporary lies in the writer's.
  void write(const std::filesystem::path& path);

 private:
  std::filesystem::path folder_;
  io::sorted_spool lines_;  // by path
  bool hides_ = false;
};

}  // namespace cohub::cache
