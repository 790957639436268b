#pragma once

#include "core/digest.hpp"
#include "io/file.hpp"
#include "server/git/git_handle.hpp"

#include <zlib.h>

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <string>
#include <string_view>
#include <unordered_map>

namespace cohub::server {

/// An object id is a digest already.
struct oid_hash {
  std::size_t operator()(const git_oid& id) const noexcept {
    std::size_t value = 0;
    std::memcpy(&value, id.id, sizeof value);
    return value;
  }
};

struct oid_equal {
  bool operator()(const git_oid& a, const git_oid& b) const noexcept {
    return git_oid_equal(&a, &b) != 0;
  }
};

/// A pack that the objects of a large commit go into: one file in place of thousands, which cost
/// more to make and to get onto the disk than all that is in them (git's formats of packs, version
/// 2, and of their indices, version 2).
///
/// Objects are stored whole and hardly compressed; `git gc` does better at leisure. Memory: 64
/// bytes for each object. Nothing is to be seen of it before `finish`. Blocking, of one thread at a
/// time.
class pack_writer {
 public:
  /// @param folder  `objects/pack` of a repository
  explicit pack_writer(std::filesystem::path folder);
  pack_writer(pack_writer&&) = delete;
  /// Removes what was not finished.
  ~pack_writer();

  /// Adds an object, if it is not in the pack yet.
  git_oid add(git_object_t type, std::string_view content);
  /// Makes the pack visible to all who open the repository, on disk when it returns. Once.
  void finish();

 private:
  struct entry {
    std::uint64_t offset = 0;
    std::uint32_t crc = 0;
  };
  using entries = std::unordered_map<git_oid, entry, oid_hash, oid_equal>;

  void append(std::string_view bytes);
  void flush();
  void compress(std::string_view content);
  std::string seal();
  std::string encode_index(const std::string& checksum) const;

  std::filesystem::path folder_;
  std::filesystem::path temporary_;
  io::file file_;
  z_stream deflater_{};
  entries entries_{};
  std::string buffer_{};       // the end of the pack, not written yet
  std::uint64_t written_ = 0;  // bytes in front of it
  std::uint32_t crc_ = 0;      // of the object that is being added
};

}  // namespace cohub::server
