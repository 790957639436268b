#pragma once

#include "core/byte_range.hpp"
#include "transfer/download/range_set.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

/// The text beside a partial file that says which of its bytes are on disk: a head, then a line for
/// each range, added after the range was written. Pure.
namespace cohub::transfer {

/// What the partial is a part of, and who wrote it last.
struct partial_head {
  std::uint64_t size = 0;
  std::string etag{};
  std::string owner{};  ///< "pid host", for people who look into the cache
  /// Which run of the machine it was written in; empty: not known. After another one, bytes that
  /// the journal names need not be on disk: nothing waits for the disk while content comes.
  std::string boot{};
};

struct partial_journal {
  partial_head head{};
  range_set done{};
};

std::string encode_partial_head(const partial_head& head);
std::string encode_partial_range(core::byte_range range);

/// Reads a journal up to the first line that is torn or makes no sense; nothing without a head.
std::optional<partial_journal> decode_partial_journal(std::string_view text);

}  // namespace cohub::transfer
