#pragma once

#include "cohub/repository.hpp"

#include "io/file.hpp"

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <vector>

namespace cohub::cache {

/// Reads a listing that is kept as `trees/<commit>.json` (a commit never changes: hub-protocol,
/// section 5.3), some files at a time. What it reads stays what it was, whoever replaces or removes
/// the listing meanwhile. Blocking.
class tree_reader {
 public:
  /// Nothing where there is no listing that can be opened.
  static std::optional<tree_reader> open(const std::filesystem::path& path);
  tree_reader(tree_reader&& other) noexcept;
  ~tree_reader();

  /// The next files, some thousand; nothing at the end.
  /// @throws error  errc::invalid_response for a listing that is damaged, of another format, hides
  /// a Xet hash, or names paths that could leave a folder: it is none
  std::optional<std::vector<tree_entry>> next();
  /// Begins anew.
  void rewind();

 private:
  class parser;

  explicit tree_reader(io::file opened);

  io::file file_;
  std::uint64_t at_ = 0;
  std::unique_ptr<parser> parser_;
};

}  // namespace cohub::cache
