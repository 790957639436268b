#pragma once

#include "cohub/awaitable.hpp"

#include "core/url.hpp"
#include "http/message.hpp"
#include "transfer/context.hpp"

#include <chrono>
#include <cstdint>
#include <exception>
#include <optional>
#include <string>

namespace cohub::transfer {

/// What must be known of a file before it is downloaded.
struct file_facts {
  std::string commit{};  ///< 40 hex digits
  std::string etag{};    ///< normalised
  std::uint64_t size = 0;
  std::optional<core::url> location{};  ///< signed address on another host, if the Hub gave one
};

/// What the Hub said to the question for one file.
struct file_head {
  file_facts facts{};            ///< if there is no failure
  std::exception_ptr failure{};  ///< any but cancellation; `absent_entry` if the Hub told so
  std::string commit{};          ///< also of a commit that has no such file, if the Hub told
};

/// HEAD of the resolve address (hub-protocol, section 3): one try, or the client's retries. `limit`
/// is for what happens on connections, not for waiting until one is free (`http::request::limit`).
/// @param question  to the resolve address, with its credentials
/// @param doing     for errors: "asking for config.json of owner/name"
awaitable<file_head> fetch_file_head(context_ptr shared, http::request question, std::string doing,
                                     std::chrono::milliseconds limit, bool retry);

}  // namespace cohub::transfer
