#pragma once

#include "cohub/client_config.hpp"
#include "cohub/observer.hpp"

#include "cache/repo_cache.hpp"
#include "core/environment.hpp"
#include "http/transport.hpp"
#include "io/fair_semaphore.hpp"
#include "transfer/block_stack.hpp"
#include "transfer/download/content_turns.hpp"
#include "transfer/logged_observer.hpp"
#include "transfer/single_flight.hpp"
#include "transfer/transfer_claims.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/thread_pool.hpp>

#include <chrono>
#include <filesystem>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>

namespace cohub::transfer {

class upload_journal;

/// What all operations of a client share. Set up once, then only read; what changes inside
/// (transport, semaphores, flights, totals) belongs to the client's executor.
struct context {
  std::string endpoint{};              ///< without final '/'
  std::optional<std::string> token{};  ///< of calls that bring none; unset or "" sends none
  std::filesystem::path cache_dir{};
  bool offline = false;
  /// Whether snapshots are made without links, even where the file system has them.
  bool disable_symlinks = false;
  time_limits timeouts{};
  std::chrono::milliseconds lock_patience{10'000};  ///< of waiting in silence for another process
  /// `HF_HUB_ETAG_TIMEOUT`, if it is not the default: it beats what a call asks for.
  std::optional<std::chrono::milliseconds> imposed_etag_timeout{};
  /// Of requests for content, where `HF_HUB_DOWNLOAD_TIMEOUT` sets other limits than `timeouts`.
  std::optional<time_limits> content_timeouts{};
  std::string user_agent = "cohub";  ///< of requests to the Hub
  retry_limits retries{};
  std::shared_ptr<cohub::observer> observer{};  ///< of calls that bring none; may be null

  asio::any_io_executor pool{};                      ///< for blocking work
  std::shared_ptr<asio::thread_pool> own_threads{};  ///< behind `pool`; null: the user's
  std::shared_ptr<http::transport> transport{};
  /// Memory for small files that are held whole, and for reading ahead; null: no bound.
  std::shared_ptr<io::fair_semaphore> buffer_bytes{};
  /// Files that are downloaded at once: each has descriptors of its own.
  std::shared_ptr<io::fair_semaphore> open_files = std::make_shared<io::fair_semaphore>(64);
  /// Requests for content that are going at once: no more of them than there are connections, or
  /// they would wait for each other's, and no more than the servers bear.
  std::shared_ptr<content_turns> turns = std::make_shared<content_turns>(16);
  std::shared_ptr<block_stack> blocks = std::make_shared<block_stack>(64);  ///< of large ones
  /// Downloads that are going on, by where the content goes.
  std::shared_ptr<single_flight> flights = std::make_shared<single_flight>();
  /// Large objects that are being uploaded.
  std::shared_ptr<transfer_claims> uploads = std::make_shared<transfer_claims>();
  /// Blobs of small files that are being fetched, by path.
  std::shared_ptr<transfer_claims> small_blobs = std::make_shared<transfer_claims>();
  /// Folders whose leftovers were looked for.
  std::shared_ptr<std::set<std::filesystem::path>> swept =
      std::make_shared<std::set<std::filesystem::path>>();
  std::shared_ptr<const upload_journal> journal{};  ///< null: uploads are not resumed
  std::shared_ptr<observer_totals> totals = std::make_shared<observer_totals>();
  std::shared_ptr<cohub::observer> event_log{};  ///< of all transfers; null: nothing is logged

  /// The token of a call: its own, else the client's; "" is none.
  std::string token_for(const std::optional<std::string>& own) const {
    return own ? *own : token.value_or(std::string());
  }
  /// The cache of a call: its own, else the client's.
  std::filesystem::path cache_for(const std::filesystem::path& own) const {
    return own.empty() ? cache_dir : core::expand_home(own);
  }
  cache::repo_cache repo_cache_for(repo_type type, const std::string& repo_id,
                                   const std::filesystem::path& own) const {
    const auto links = disable_symlinks ? cache::link_support::never : cache::link_support::probe;
    return cache::repo_cache(cache::repo_layout(cache_for(own), type, repo_id), links);
  }
  /// The limit of a question for a file or a commit that a cached one may stand in for.
  std::chrono::milliseconds etag_timeout_for(
      const std::optional<std::chrono::milliseconds>& own) const {
    return imposed_etag_timeout.value_or(own.value_or(timeouts.metadata));
  }
  std::shared_ptr<cohub::observer> observer_for(const std::shared_ptr<cohub::observer>& own) const {
    return own ? own : observer;
  }
  /// Who hears of a call's progress and events: its observer, and the log if there is one. Totals
  /// are counted for the observer alone (`totals`). May be null.
  std::shared_ptr<cohub::observer> listener_for(const std::shared_ptr<cohub::observer>& own) const {
    auto listener = observer_for(own);
    if (event_log) listener = std::make_shared<logged_observer>(std::move(listener), event_log);
    return listener;
  }
};

using context_ptr = std::shared_ptr<const context>;

}  // namespace cohub::transfer
