#pragma once

#include "io/file.hpp"

#include <filesystem>
#include <optional>

namespace cohub::model {

/// A folder for files that will be renamed into `destination`: in the part of it that uploads leave
/// out, so that what a kill leaves is never pushed. Removed with all in it when the object goes;
/// those that a kill left are removed when the next one is made. Blocks.
class private_folder {
 public:
  explicit private_folder(const std::filesystem::path& destination);
  private_folder(private_folder&&) = delete;
  ~private_folder();

  const std::filesystem::path& path() const noexcept { return folder_->path(); }

 private:
  void make_folder();

  std::filesystem::path parent_;
  io::file lock_{};  // held as long as the folder is in use, until it is removed
  std::optional<io::temporary_directory> folder_{};
};

}  // namespace cohub::model
