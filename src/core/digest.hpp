#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

namespace cohub::core {

/// A running digest. Not copyable; `hex_digest` ends it.
class digest {
 public:
  enum class algorithm { sha1, sha256 };

  explicit digest(algorithm which);
  digest(digest&&) noexcept;
  digest& operator=(digest&&) noexcept;
  ~digest();

  void update(std::span<const std::byte> bytes);
  void update(std::string_view text);
  /// Lower-case hex of everything passed to `update`. Once.
  std::string hex_digest();
  /// The same as raw bytes. Once.
  std::string raw_digest();

 private:
  struct free_context {
    void operator()(void* context) const noexcept;
  };
  std::unique_ptr<void, free_context> context_;
};

std::string sha256_hex(std::string_view bytes);

/// A digest that starts with the header git puts in front of a blob of `size` bytes; update it with
/// the content to get the blob's id.
digest git_blob_digest(std::uint64_t size);

}  // namespace cohub::core
