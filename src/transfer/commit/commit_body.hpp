#pragma once

#include "http/message.hpp"
#include "transfer/upload/upload_plan.hpp"

#include <boost/asio/any_io_executor.hpp>

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace cohub::transfer {

/// What has been read of the body of a commit.
struct commit_written {
  std::size_t adds = 0;  ///< so many of the first additions are out
  /// Additions whose contents are out since it was told last, and git's ids of those.
  std::vector<std::pair<std::size_t, std::string>> ids{};
};

/// The NDJSON body of a commit (hub-protocol, section 7.5): the header, deletions, then additions,
/// whose contents are read and encoded while the body is sent. Its length is known beforehand: a
/// file is sent as it is when the body is made, without what is appended to it later. Blocking: for
/// the pool.
/// @throws error  the system's code for a file that is missing now
/// @param written  told what is out, as the body is read; may be empty
std::shared_ptr<http::body_source> commit_body(
    std::shared_ptr<const commit_plan> plan, std::string header_line, asio::any_io_executor pool,
    std::function<void(const commit_written&)> written = {});

}  // namespace cohub::transfer
