#pragma once

#include "hub/multipart_plan.hpp"
#include "io/file.hpp"
#include "io/file_identity.hpp"

#include <cstdint>
#include <filesystem>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace cohub::transfer {

/// How far the upload of one object in parts is.
struct multipart_progress {
  hub::multipart_plan plan{};
  std::vector<std::string> etags{};  ///< of the parts; empty: not there yet
};

/// The text of a journal: the plan in one line of JSON, then a line for each part that the store
/// has taken. Pure.
std::string encode_multipart_plan(const hub::multipart_plan& plan);
std::string encode_uploaded_part(std::size_t part, std::string_view etag);
/// Reads up to the first line that is torn or makes no sense; nothing without a plan.
std::optional<multipart_progress> decode_multipart_progress(std::string_view text);

/// The journal of one object, locked while it is open. Blocking; safe from several threads.
/// Failures of the disk are swallowed: the upload goes on without being remembered.
class part_journal {
 public:
  /// What an earlier process left.
  const std::optional<multipart_progress>& found() const noexcept { return found_; }
  /// Notes this in place of what was there, which is not lost before; nothing to do where they are
  /// the same.
  void begin(const multipart_progress& progress) noexcept;
  void add(std::size_t part, std::string_view etag) noexcept;
  /// The object is there: nothing to remember.
  void discard() noexcept;

 private:
  friend class upload_journal;
  explicit part_journal(io::file file);
  void write(std::string_view text);
  void remove() noexcept;
  void replace(const std::string& text);

  std::mutex mutex_;
  std::filesystem::path path_;
  io::file file_;
  std::uint64_t end_ = 0;
  std::optional<multipart_progress> found_;
  std::string text_;  // that was found, as it is written anew; empty: to be replaced
};

/// What uploads leave on disk for those who come after a crash: the sha256 of large files, and
/// which parts of large objects are there. Blocking, for the pool; safe from several threads and
/// processes.
class upload_journal {
 public:
  explicit upload_journal(std::filesystem::path folder) : folder_(std::move(folder)) {}

  const std::filesystem::path& folder() const noexcept { return folder_; }

  /// The sha256 that was kept of the file, if it has not changed since.
  std::optional<std::string> find_hash(const io::file_identity& file) const noexcept;
  void keep_hash(const io::file_identity& file, std::string_view sha256) const noexcept;

  /// The journal of an object on its way to one repository; null if another process sends it, or
  /// nothing can be written.
  /// @param key  names endpoint, repository and object
  std::shared_ptr<part_journal> open_parts(std::string_view key) const noexcept;
  /// Removes the journal that an earlier process left of an object, unless another one uses it.
  void discard_parts(std::string_view key) const noexcept;

  /// A new file without a name that only this process sees. @throws error  it cannot be made
  io::file make_spool() const;

 private:
  std::filesystem::path made_folder(const char* name) const;

  std::filesystem::path folder_;
  mutable std::once_flag swept_;
};

}  // namespace cohub::transfer
