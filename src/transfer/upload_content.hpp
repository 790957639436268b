#pragma once

#include "cohub/commit.hpp"

#include "http/message.hpp"
#include "transfer/progress_reporter.hpp"

#include <boost/asio/any_io_executor.hpp>

#include <cstdint>
#include <memory>
#include <string>

namespace cohub::transfer {

using progress_ptr = std::shared_ptr<progress_reporter>;

/// The content of one addition, read piece by piece. Its size is fixed when it is opened; a file
/// that is shorter when it is read is errc::content_mismatch.
class upload_content {
 public:
  virtual ~upload_content() = default;
  virtual std::uint64_t size() const = 0;
  /// Fills `buffer` from `offset` on, as far as there is content. Blocking: for the pool.
  virtual std::size_t read_at(std::uint64_t offset, std::span<std::byte> buffer) = 0;
};
using upload_content_ptr = std::shared_ptr<upload_content>;

/// Opens what an addition names. Blocking: for the pool.
/// @throws error  the system's code for a file that is missing, unreadable, or not a regular file
upload_content_ptr open_content(const commit_operation_add& operation);

/// Bytes [begin, end) of some content as the body of a request. Memory: one piece.
std::shared_ptr<http::body_source> content_body(upload_content_ptr content, std::uint64_t begin,
                                                std::uint64_t end, asio::any_io_executor pool,
                                                progress_ptr progress = {});

/// The lower-case hex sha256 of some content, computed on the pool piece by piece.
awaitable<std::string> sha256_of(upload_content_ptr content, asio::any_io_executor pool,
                                 progress_ptr progress = {});

/// The id that git gives some content as a blob.
awaitable<std::string> git_blob_id_of(upload_content_ptr content, asio::any_io_executor pool);

}  // namespace cohub::transfer
