#pragma once

#include "cohub/awaitable.hpp"

#include "core/url.hpp"
#include "http/fields.hpp"
#include "io/signal.hpp"

#include <boost/asio/any_io_executor.hpp>

#include <memory>
#include <optional>
#include <string>

namespace cohub::transfer {

/// Where the bytes of one file come from: the Hub's resolve address, and the signed one that it
/// redirects to.
///
/// The first request finds out (where the bytes are, whether ranges are honoured) while the others
/// wait; so it is again after an address has expired. Belongs to one executor.
class content_source : public std::enable_shared_from_this<content_source> {
 public:
  /// One request's way to the bytes. Going out of scope lets the next one find out, if this one was
  /// to and did not.
  class route {
   public:
    route() = default;
    route(route&& other) noexcept = default;
    route& operator=(route&& other) noexcept;
    ~route() { release(); }

    core::url url{};
    http::fields headers{};      ///< If-Range where a validator is known
    http::fields credentials{};  ///< for the Hub alone; empty on the way to another host

    /// The answer came from `answered`, with that ETag. Of no effect if the address was found to
    /// have expired since it was asked.
    void confirm(const core::url& answered, std::string_view etag);
    /// The address is not valid any more.
    void expire();

   private:
    friend class content_source;
    void release() noexcept;
    std::shared_ptr<content_source> source_{};
    bool probing_ = false;
  };

  /// @param resolve      pinned to a commit
  /// @param location     where a HEAD said that the bytes are, if it did
  /// @param credentials  for the origin of `resolve`
  /// @param compares  whether answers must bear one and the same ETag
  content_source(asio::any_io_executor executor, core::url resolve,
                 std::optional<core::url> location, http::fields credentials, bool compares = true);

  static awaitable<route> next_route(std::shared_ptr<content_source> self);
  /// By the resolve address, whatever is remembered.
  static route route_by_hub(const std::shared_ptr<content_source>& self);

  /// Whether an answer came from another origin than the Hub's.
  bool is_foreign(const core::url& answered) const noexcept;
  /// Whether a request to this address relied on what an earlier answer told of it: the resolve
  /// address itself does not expire. A Hub may sign addresses of its own origin, too.
  bool is_remembered(const core::url& asked) const { return asked != resolve_; }
  /// Whether that ETag shows that the content is not what earlier answers brought.
  bool changed(std::string_view etag) const noexcept;

 private:
  route make_route(core::url url, bool probing);

  core::url resolve_;
  std::optional<core::url> location_;
  http::fields credentials_;
  bool compares_;
  std::string validator_{};  // strong ETag of the location, as it came
  bool confirmed_ = false;
  bool probing_ = false;
  io::signal changed_;
};

}  // namespace cohub::transfer
