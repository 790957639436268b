#pragma once

#include "cohub/awaitable.hpp"
#include "cohub/observer.hpp"

#include "transfer/shared_observer.hpp"

#include <boost/asio/any_io_executor.hpp>

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

namespace cohub::transfer {

/// Makes one piece of work out of several that are asked for at the same time under the same key.
///
/// The first who asks starts it, and all wait for its end: they get its failure, or look for what
/// it brought. The work belongs to none of them: it stops when the last of them is cancelled, and
/// that one waits until it has. Belongs to one executor.
class single_flight {
 public:
  /// The work, with the observer that everybody who waits for it listens through.
  using work = std::function<awaitable<void>(std::shared_ptr<cohub::observer>)>;

  /// Starts `start` unless work under `key` is going on, and waits for its end.
  /// @param listeners  told of the work from now on
  /// @return whether this call started the work
  static awaitable<bool> join(std::shared_ptr<single_flight> self, std::string key, work start,
                              std::vector<transfer_listener> listeners);

  /// How many are going on.
  std::size_t size() const noexcept { return going_.size(); }

 private:
  struct flight;
  class seat;
  void launch(asio::any_io_executor executor, const std::shared_ptr<flight>& started,
              const work& start);
  static awaitable<void> until_done(std::shared_ptr<flight> going);
  void forget(const flight& ended) noexcept;

  std::unordered_map<std::string, std::weak_ptr<flight>> going_{};
};

}  // namespace cohub::transfer
