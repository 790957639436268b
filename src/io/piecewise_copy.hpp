#pragma once

#include "io/file.hpp"

#include <cstdint>
#include <filesystem>

namespace cohub::io {

/// A copy of a file that is made piece by piece, so that nobody waits for the whole of it.
/// Blocking, for the pool. Where the file system can, it shares the bytes instead of copying them.
/// A copy that is not finished goes with the object.
class piecewise_copy {
 public:
  /// @param to  does not exist
  piecewise_copy(const std::filesystem::path& from, const std::filesystem::path& to);
  piecewise_copy(piecewise_copy&&) = delete;
  ~piecewise_copy();

  /// Copies some more; false at the end.
  bool step(std::uint64_t bytes);
  /// Moves the whole copy to its place.
  /// @throws error  errc::content_mismatch where it is not whole
  void publish(const std::filesystem::path& destination);

 private:
  std::uint64_t copy_by_system(std::uint64_t bytes);
  std::uint64_t copy_by_hand(std::uint64_t bytes);

  file from_;
  file to_;
  std::uint64_t at_ = 0;
  bool by_system_ = true;  // until that is refused
  bool moved_ = false;
};

}  // namespace cohub::io
