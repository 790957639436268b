#pragma once

#include "cohub/awaitable.hpp"
#include "cohub/error.hpp"

#include "core/byte_range.hpp"
#include "http/transport.hpp"
#include "io/signal.hpp"
#include "transfer/context.hpp"
#include "transfer/download/content_source.hpp"
#include "transfer/download/download_content.hpp"
#include "transfer/download/front_digest.hpp"
#include "transfer/download/partial_file.hpp"
#include "transfer/download_retry.hpp"
#include "transfer/progress_reporter.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <span>

/// The steps that the ways of downloading share: opening a range, receiving it, waiting after a
/// failure.
namespace cohub::transfer {

/// What all requests for one content share.
struct content_session {
  context_ptr shared{};
  content_description what{};
  std::shared_ptr<cohub::observer> observer{};  ///< of events
  std::shared_ptr<content_source> source{};
};
using session_ptr = std::shared_ptr<content_session>;

/// What the coroutines of one download share.
struct content_fetch : content_session {
  content_settings settings{};
  std::shared_ptr<partial_file> partial{};  ///< null for content that is received into memory
  std::shared_ptr<front_digest> digest{};
  progress_reporter progress;
  io::signal written;  ///< more of the partial is there
};
using fetch_ptr = std::shared_ptr<content_fetch>;

/// errc::content_mismatch of an answer whose length is not the content's, a captive portal's page
/// for example: another try may get the content, and what came before is as good as it was.
struct unfit_answer : error {
  using error::error;
};

/// An answer that is ready to be received, or why there is none.
struct opened_content {
  http::response answer{};
  core::byte_range range{};    ///< of the content that it brings
  bool ignored_range = false;  ///< the whole content comes, though a part was asked for
  bool refused_range = false;  ///< nothing comes, but all of it may where no part is asked for
  std::exception_ptr failure{};
  bool may_retry = false;
  bool overloaded = false;    ///< 429 or 503: fewer requests, please
  bool rate_limited = false;  ///< 429: that is not a matter of how many bytes
  bool turned_away = false;   ///< the connection was closed without a word
  bool relocated = false;     ///< the address that the Hub gave was refused
  core::origin origin{};      ///< that was asked, or that answered
  std::optional<std::chrono::milliseconds> asked{};  ///< wait that the server asks for

  /// Notes why nothing, or nothing more, comes of it.
  void fail(std::exception_ptr why) noexcept;
};

/// Asks for a range, or without a Range header for all of it where `range` is the whole file and
/// `ranged` is false. A server may give less of a range, from its start on: the rest is asked for
/// anew (RFC 9110, section 15.3.7). Addresses that expired are found anew. Only cancellation is
/// thrown, and `http::unwanted_request` once `wanted`, if given, says so.
awaitable<opened_content> open_content(session_ptr self, core::byte_range range, bool ranged,
                                       std::function<bool()> wanted = {});

/// What one read brought.
struct received_block {
  std::size_t count = 0;
  std::exception_ptr failure{};
};

/// Reads until `room`, which outlives the call as `answer` does, is full. Failures but cancellation
/// are returned, so that what came before is not lost.
awaitable<received_block> fill_block(session_ptr self, http::response& answer,
                                     std::span<std::byte> room);

/// What the pool did with an answer's body.
struct received_part {
  std::uint64_t count = 0;       ///< bytes read and written
  bool waits = false;            ///< nothing more has come yet
  std::exception_ptr failure{};  ///< that ended the body early
};

/// Reads what has come of an answer's body and writes it to the partial file at `range`, on the
/// pool. Failures of the body but cancellation are returned, so that what came before is not lost;
/// those of the disk are thrown. The answer outlives the call.
awaitable<received_part> receive_part(fetch_ptr self, http::response& answer,
                                      core::byte_range range);

/// After all that was wanted of an answer's body: one that did not tell its length must end there,
/// else errc::content_mismatch is returned, unless a checksum will tell. A connection that breaks
/// there breaks too late to matter. The answer outlives the call.
awaitable<std::exception_ptr> check_end(fetch_ptr self, http::response& answer);

/// Waits before the next try, or throws `failure` if there is to be none. A try after one that
/// brought nothing is taken from the client's budget for the origin; one that goes on after bytes
/// came is not: a server that gives some of them each time is not failing. Nor is one that has no
/// room for a request while others of the client go on: there will be fewer at once.
/// @param turn  what the request had, or nothing: let go before the wait
awaitable<void> wait_to_retry(session_ptr self, retry_counter& counter,
                              const opened_content& opened, content_turns::turn turn);

}  // namespace cohub::transfer
