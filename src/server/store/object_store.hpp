#pragma once

#include "core/digest.hpp"
#include "io/file.hpp"

#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <string>

namespace cohub::server {

/// Large objects by their sha256, each a file that never changes. Blocking; safe from several
/// threads.
class object_store {
 public:
  /// `temporary` is on the same file system.
  object_store(std::filesystem::path folder, std::filesystem::path temporary);

  /// `sha256` is 64 lower-case hex digits, checked by the caller.
  std::filesystem::path path_of(const std::string& sha256) const;
  std::optional<std::uint64_t> size_of(const std::string& sha256) const;

  /// Whether a finished file is that object, by its content, which is on disk then.
  static bool is_object(const std::filesystem::path& file, const std::string& sha256,
                        std::uint64_t size);
  /// Takes a finished file of the same file system, which is known to be the object.
  void place(const std::filesystem::path& file, const std::string& sha256) const;

  /// Deletes the object, if it is there.
  void remove(const std::string& sha256) const;

  const std::filesystem::path& temporary() const noexcept { return temporary_; }

 private:
  std::filesystem::path folder_;
  std::filesystem::path temporary_;
};

/// An object on its way in: hashed while it is written, visible only once it is whole, checked and
/// synced. Its temporary is removed if it goes before that.
class incoming_object {
 public:
  explicit incoming_object(const object_store& store);
  incoming_object(incoming_object&&) = delete;
  ~incoming_object();

  void write(std::span<const std::byte> bytes);
  std::uint64_t size() const noexcept { return size_; }
  /// Ends it; false, and nothing is stored, if the content is not that object.
  bool store_as(const std::string& sha256, std::uint64_t size);

 private:
  const object_store& store_;
  io::file file_;
  core::digest digest_;
  std::uint64_t size_ = 0;
};

}  // namespace cohub::server
