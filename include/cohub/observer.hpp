#pragma once

#include <cstdint>
#include <string>

namespace cohub {

/// How far one transfer is. Byte counts include what an earlier, interrupted attempt left on disk.
struct transfer_progress {
  enum class direction { download, hash, upload };

  std::string file{};           ///< path in the repository
  direction way{};              ///< hashing precedes the upload of a large file
  std::uint64_t bytes_done{};   ///< so far, of this file
  std::uint64_t bytes_total{};  ///< of this file
};

/// How far all downloads are together that report to one observer, or all uploads: from the moment
/// when the first of them has something to move until none is left, whether they are calls of
/// `download_file` or one `snapshot_download`. A file that several calls wait for counts once; one
/// that need not be sent counts as done. Small files move with the commit that they are in.
struct transfer_total {
  transfer_progress::direction way{};  ///< download or upload
  std::uint64_t files_done{};
  std::uint64_t files_total{};  ///< known so far: a listing that is still being read adds to it
  std::uint64_t bytes_done{};
  std::uint64_t bytes_total{};  ///< of those files
};

/// What happened to one transfer besides bytes moving.
struct transfer_event {
  enum class kind {
    cache_hit,        ///< the file was in the cache; nothing is transferred. Of all such files of
                      ///< a snapshot there is one event, which counts them: no `file`
    resumed,          ///< goes on where an earlier attempt stopped
    retry,            ///< a request failed and is sent again
    resplit,          ///< a faster connection takes over a part of what a slow one had to fetch
    verified,         ///< the content's checksum is what the Hub says
    already_present,  ///< the Hub has this content; nothing is uploaded
    finished,         ///< the file is in its place
    committed,        ///< a commit was made in the background; `detail` is its id, no `file`
    commit_failed,    ///< one was not; `detail` says why
    lock_wait,        ///< somebody else has the file's lock, for another ten seconds
    rate_limited,     ///< a server asks to slow down, or to wait for seconds; no `file`
    warning,  ///< something to say to who runs the program; `file`: what it is about, if any
  };

  kind what{};
  std::string file{};    ///< path in the repository
  std::string detail{};  ///< one line for a log; never holds a token
};

/// Receives progress and events of the transfers of a client or of one call.
///
/// Called from any thread that does work for the client, its own and those of the pool, also from
/// several at once: implementations synchronise themselves, return quickly and do not throw.
/// Progress of a file comes at most about ten times a second and always once at its end; so does
/// the total. Small files that are sent within a commit are in the total alone. Calls that wait for
/// one download hear of it from the moment they join. To cancel the operation from here, post the
/// cancellation.
class observer {
 public:
  virtual ~observer() = default;
  virtual void on_progress(const transfer_progress& /*progress*/) {}
  virtual void on_total(const transfer_total& /*total*/) {}
  virtual void on_event(const transfer_event& /*event*/) {}
};

}  // namespace cohub
