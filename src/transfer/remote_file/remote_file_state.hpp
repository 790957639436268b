#pragma once

#include "cohub/awaitable.hpp"

#include "io/file.hpp"
#include "transfer/download/file_head.hpp"
#include "transfer/remote_file/content_read.hpp"
#include "transfer/remote_file/read_ahead.hpp"

#include <boost/asio/any_io_executor.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace cohub::detail {

/// An open `remote_file`. Reads in progress share it with the handle; what fetches in advance does
/// not, so that it stops when both have gone.
struct remote_file_state {
  std::string path{};
  transfer::file_facts facts{};
  asio::any_io_executor pool{};
  std::size_t connections = 1;
  std::uint64_t max_read_through = 0;

  std::shared_ptr<const io::file> local{};  // null: read from the Hub, by what follows
  transfer::reading_ptr fetch{};
  std::shared_ptr<transfer::read_ahead> ahead{};  // null: none is wanted
  bool whole_only = false;                        // the server ignores ranges
  transfer::whole_stream stream{};                // of sequential reads, if so
  std::uint64_t stream_position = 0;              // where they have come to

  std::uint64_t position = 0;
  bool reading = false;
  std::vector<std::byte> near{};  // for small reads where nothing is read ahead
  std::uint64_t near_begin = 0;
};

}  // namespace cohub::detail

namespace cohub::transfer {

using remote_file_ptr = std::shared_ptr<detail::remote_file_state>;

/// `remote_file::read_at` and `remote_file::read`; `into` is lent until they have ended.
awaitable<std::size_t> read_at(remote_file_ptr self, std::uint64_t offset,
                               std::span<std::byte> into);
awaitable<std::size_t> read_on(remote_file_ptr self, std::span<std::byte> into);

}  // namespace cohub::transfer
