#pragma once

#include "cohub/commit.hpp"

#include "http/message.hpp"
#include "io/file_identity.hpp"
#include "transfer/progress_reporter.hpp"

#include <boost/asio/any_io_executor.hpp>

#include <cstdint>
#include <memory>
#include <span>
#include <string>

namespace cohub::transfer {

using progress_ptr = std::shared_ptr<progress_reporter>;

/// Reads some content; of one thread at a time. Blocking: for the pool.
class content_reader {
 public:
  virtual ~content_reader() = default;
  /// Fills `buffer` from `offset` on, as far as there is content.
  /// @throws error  errc::content_mismatch: there is less of it than there was, or the file has
  ///                changed
  virtual std::size_t read_at(std::uint64_t offset, std::span<std::byte> buffer) = 0;
};

/// The content of one addition, whose size is fixed when it is opened. Safe from several threads.
class upload_content : public std::enable_shared_from_this<upload_content> {
 public:
  virtual ~upload_content() = default;
  virtual std::uint64_t size() const = 0;
  /// Blocking, and so is all below: for the pool.
  virtual std::unique_ptr<content_reader> open() const = 0;
  /// What names the content for the next process; null where nothing does.
  virtual const io::file_identity* identity() const noexcept { return nullptr; }
  /// Whether that would tell of any change since it was opened.
  virtual bool is_settled() const noexcept { return false; }
  /// @return whether that is certain; else only reading it again tells, as of a file that has grown
  /// @throws error  errc::content_mismatch: the file is not what it was when it was opened
  virtual bool check_unchanged() const { return true; }
  /// What is there at this moment, which may be more or less than there was, and of which what is
  /// appended later is no part: for what nobody has been promised yet.
  virtual std::shared_ptr<const upload_content> now() const { return shared_from_this(); }
  /// Where it was computed on the way; else empty.
  virtual std::string known_sha256() const { return {}; }
};
using upload_content_ptr = std::shared_ptr<const upload_content>;

/// Opens what an addition names: a file or bytes. Blocking: for the pool.
/// @throws error  the system's code for a file that is missing, or not a regular file
upload_content_ptr open_content(commit_operation_add operation);
/// Bytes in memory.
upload_content_ptr bytes_content(std::string data);
/// A file as it is now. Blocking: for the pool.
upload_content_ptr open_file_content(const std::filesystem::path& path);

/// Bytes [begin, end) of some content as the body of a request. Memory: one piece.
std::shared_ptr<http::body_source> content_body(upload_content_ptr content, std::uint64_t begin,
                                                std::uint64_t end, asio::any_io_executor pool,
                                                progress_ptr progress = {});

/// The lower-case hex sha256 of some content, computed on the pool piece by piece.
awaitable<std::string> sha256_of(upload_content_ptr content, asio::any_io_executor pool,
                                 progress_ptr progress = {});

/// The id that git gives some content as a blob, as it is at this moment.
awaitable<std::string> git_blob_id_of(upload_content_ptr content, asio::any_io_executor pool);

}  // namespace cohub::transfer
