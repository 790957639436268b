#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace cohub::core {

/// Bytes [begin, end) of a file.
struct byte_range {
  std::uint64_t begin = 0;
  std::uint64_t end = 0;

  std::uint64_t size() const noexcept { return end - begin; }
  bool empty() const noexcept { return begin >= end; }
  friend bool operator==(const byte_range&, const byte_range&) = default;
};

/// "bytes=0-99" for [0, 100).
std::string range_header(byte_range range);

/// What a Content-Range header says.
struct content_range {
  /// Absent for "bytes */N", the answer to a range out of bounds.
  std::optional<byte_range> range{};
  std::optional<std::uint64_t> total{};  ///< absent for "*"
};

/// Nothing if the text is not a valid Content-Range of bytes.
std::optional<content_range> parse_content_range(std::string_view text);

/// The one range that a Range header asks for, cut to a file of `size` bytes.
struct requested_range {
  enum class outcome { whole, part, unsatisfiable };
  /// `whole` also for headers that are malformed or ask for several ranges.
  outcome what = outcome::whole;
  byte_range range{};
};
requested_range parse_range_header(std::string_view text, std::uint64_t size);

/// Decimal digits only, no sign, no overflow.
std::optional<std::uint64_t> parse_decimal(std::string_view text);

}  // namespace cohub::core
