#include "cohub/commit_scheduler.hpp"

#include "cohub/detail/operation.hpp"
#include "cohub/error.hpp"

#include "core/glob.hpp"
#include "io/file_identity.hpp"
#include "io/on_pool.hpp"
#include "io/signal.hpp"
#include "transfer/folder_listing.hpp"
#include "transfer/kept_source.hpp"
#include "transfer/progress_reporter.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <algorithm>
#include <array>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <utility>

namespace cohub {

namespace {

/// What a file was when it was committed last.
struct seen_file {
  std::uint64_t size = 0;
  std::int64_t modified = 0;
  friend bool operator==(const seen_file&, const seen_file&) = default;
};
using seen_files = std::map<std::string, seen_file>;

/// A commit that was handed over: its contents are read once, and shared by all tries.
struct handed_over {
  std::vector<commit_operation> operations{};
  std::string message{};
};

/// What has changed in the folder.
struct folder_changes {
  std::vector<commit_operation> operations{};
  seen_files seen{};
};

}  // namespace

struct detail::commit_scheduler_state {
  commit_scheduler_state(client with, commit_scheduler_options given)
      : hub(std::move(with)),
        options(std::move(given)),
        observer(options.observer ? options.observer : hub.default_observer()),
        timer(hub.get_executor()),
        changed(hub.get_executor()) {}

  client hub;
  std::string repo_id{};
  std::filesystem::path folder{};
  commit_scheduler_options options;
  std::shared_ptr<cohub::observer> observer;
  asio::steady_timer timer;
  asio::cancellation_signal cancel{};  // of the round that is going on
  io::signal changed;                  // a round has ended, or all have

  bool repository_known = false;
  std::deque<handed_over> waiting{};
  seen_files seen{};
  /// Files that no repository takes; used on the pool, by one round at a time.
  std::shared_ptr<std::set<std::string>> left_out = std::make_shared<std::set<std::string>>();

  bool wanted = false;    // somebody wants a round now
  bool stopping = false;  // the next round is the last one, unless it leaves something
  bool over = false;      // no round comes any more
  bool busy = false;      // a round is going on
  bool left = false;      // the last one did not do all that may yet be done
  std::size_t rounds = 0;
  commit_info last{};
  std::exception_ptr failure{};  // of the last round
  std::exception_ptr dropped{};  // why something was dropped last
  std::size_t dropped_in = 0;    // which round

  void wake() noexcept {
    try {
      timer.cancel();
    } catch (...) {  // declared so by Asio; on a timer it does not happen
    }
  }

  /// Without another commit, and at once.
  void end_now() {
    if (over) return;
    over = true;
    stopping = true;
    wanted = false;
    changed.notify();
    if (busy)
      cancel.emit(asio::cancellation_type::terminal);
    else
      wake();
  }
};

namespace {

using state_ptr = std::shared_ptr<detail::commit_scheduler_state>;

folder_changes find_changes(const std::filesystem::path& folder, const core::path_filter& filter,
                            std::string prefix, const seen_files& known,
                            const std::shared_ptr<observer>& observer,
                            std::set<std::string>& left_out, const std::stop_token& stop) {
  folder_changes changes;
  std::error_code ignored;
  if (std::filesystem::status(folder, ignored).type() == std::filesystem::file_type::not_found)
    return changes;  // the program has not made it yet
  if (!prefix.empty() && !prefix.ends_with('/')) prefix += '/';
  for (auto& file : transfer::list_committable(folder, filter, observer, stop, &left_out)) {
    io::throw_if_stopped(stop);
    io::file_identity now;
    try {
      now = io::identify_file(file.path);
    } catch (const error&) {
      continue;  // deleted since it was listed
    }
    const seen_file seen{now.size, now.modified};
    changes.seen.emplace(file.relative, seen);
    const auto before = known.find(file.relative);
    if (before != known.end() && before->second == seen) continue;
    commit_operation_add add;
    add.path_in_repo = prefix + file.relative;
    add.content = std::move(file.path);
    add.first_bytes = now.size;
    changes.operations.emplace_back(std::move(add));
  }
  return changes;
}

awaitable<void> make_repository(state_ptr self) {
  if (self->repository_known) co_return;
  create_repo_options options;
  options.type = self->options.type;
  options.is_private = self->options.is_private;
  options.exist_ok = true;
  options.token = self->options.token;
  if (options.type == repo_type::space) options.space_sdk = "gradio";
  const auto repo = co_await self->hub.create_repo(self->repo_id, options);
  self->repo_id = repo.repo_id;
  self->repository_known = true;
}

awaitable<void> squash_history(state_ptr self) {
  super_squash_history_options options;
  options.type = self->options.type;
  options.branch = self->options.revision;
  options.token = self->options.token;
  auto squashing = self->hub.super_squash_history(self->repo_id, options);
  co_await std::move(squashing);
}

awaitable<commit_info> commit(state_ptr self, std::vector<commit_operation> operations,
                              std::string message, std::string description = {}) {
  create_commit_options options;
  options.commit_description = std::move(description);
  options.type = self->options.type;
  options.revision = self->options.revision;
  options.token = self->options.token;
  options.observer = self->observer;
  auto info = co_await self->hub.create_commit(self->repo_id, std::move(operations),
                                               std::move(message), options);
  transfer::report_event(self->observer, transfer_event::kind::committed, {}, info.oid);
  co_return info;
}

/// Statuses without a code of ours that say that the request is to blame.
constexpr std::array final_statuses{405, 406, 410, 411, 413, 414, 415, 431};

/// Whether the same operations cannot succeed at any time: they are to blame, not the network, the
/// Hub, its store or the token.
bool is_final(const error& failure, const std::string& endpoint) {
  namespace system = boost::system::errc;
  const auto& code = failure.code();
  for (const auto blame :
       {errc::entry_not_found, errc::invalid_path, errc::invalid_argument, errc::invalid_card})
    if (code == blame) return true;
  const auto& url = failure.http().url;
  // Stores call requests bad that were merely slow, or whose address has expired.
  if (code == errc::bad_request) return url.empty() || url.starts_with(endpoint + '/');
  if (code == errc::unexpected_status)
    return std::find(final_statuses.begin(), final_statuses.end(), failure.http().status) !=
           final_statuses.end();
  for (const auto blame :
       {system::no_such_file_or_directory, system::not_a_directory, system::is_a_directory,
        system::permission_denied, system::invalid_argument, system::filename_too_long,
        system::too_many_symbolic_link_levels})
    if (code == blame) return true;
  return false;
}

/// What came of one commit of a round.
struct attempt {
  std::optional<commit_info> made{};
  std::exception_ptr failure{};
  bool for_good = false;    ///< it failed
  bool is_changed = false;  ///< a file was not what it was
};

/// Tells the observer of a failure.
void report_failure(const state_ptr& self, const char* what) {
  transfer::report_event(self->observer, transfer_event::kind::commit_failed, {}, what);
}

/// What a source throws may be anything.
constexpr const char* unknown_failure = "a failure that is no std::exception";

awaitable<attempt> try_commit(state_ptr self, std::vector<commit_operation> operations,
                              std::string message, std::string description = {}) {
  attempt result;
  try {
    co_await make_repository(self);
    auto committing =
        commit(self, std::move(operations), std::move(message), std::move(description));
    result.made = co_await std::move(committing);
  } catch (const error& e) {
    // Not by the code: a source may fail as if it were cancelled.
    if (self->over) throw;
    result.failure = std::current_exception();
    result.for_good = is_final(e, self->hub.endpoint());
    result.is_changed = e.code() == errc::content_mismatch;
    if (e.code() == errc::repository_not_found) self->repository_known = false;  // it was deleted
    report_failure(self, e.what());
  } catch (const std::exception& e) {
    if (self->over) throw;
    result.failure = std::current_exception();
    report_failure(self, e.what());
  } catch (...) {
    if (self->over) throw;
    result.failure = std::current_exception();
    report_failure(self, unknown_failure);
  }
  co_return result;
}

/// What came of a round.
struct round_result {
  commit_info last{};
  bool made = false;             ///< a commit
  std::exception_ptr failure{};  ///< the first one
  std::exception_ptr dropped{};  ///< why the first that was dropped was
  bool left = false;             ///< something is to be tried again

  void take(const attempt& one) {
    if (one.made) {
      last = *one.made;
      made = made || !last.unchanged;
    } else if (!failure) {
      failure = one.failure;
    }
  }
};

/// Whether a file is shorter than what is to be committed of it. Others that have changed meanwhile
/// may succeed as they are now. Blocking: for the pool.
bool wants_too_much(const std::vector<commit_operation>& operations) {
  return std::any_of(operations.begin(), operations.end(), [](const commit_operation& each) {
    const auto* add = std::get_if<commit_operation_add>(&each);
    const auto* path = add != nullptr ? std::get_if<std::filesystem::path>(&add->content) : nullptr;
    if (path == nullptr || !add->first_bytes) return false;
    std::error_code unknown;
    const auto size = std::filesystem::file_size(*path, unknown);
    return !unknown && size < *add->first_bytes;
  });
}

awaitable<bool> may_succeed_later(state_ptr self, attempt one) {
  const auto& operations = self->waiting.front().operations;
  if (one.for_good || transfer::has_spent_source(operations)) co_return false;
  if (!one.is_changed) co_return true;
  auto look = [operations] { return wants_too_much(operations); };
  auto looking = io::on_pool(self->hub.blocking_executor(), std::move(look));
  const bool too_much = co_await std::move(looking);
  co_return !too_much;
}

/// Commits what was handed over, one commit after the other, until one has to be tried again.
/// `round` is lent by the caller, who awaits this in the same scope; so it is below.
awaitable<void> commit_waiting(state_ptr self, round_result& round) {
  while (!self->waiting.empty()) {
    // Only what names the contents is copied.
    auto trying = try_commit(self, self->waiting.front().operations, self->waiting.front().message);
    const auto one = co_await std::move(trying);
    round.take(one);
    if (!one.made) {
      auto judging = may_succeed_later(self, one);
      round.left = co_await std::move(judging);
      if (round.left) co_return;
      if (!round.dropped) round.dropped = one.failure;
    }
    self->waiting.pop_front();
  }
}

awaitable<void> commit_folder(state_ptr self, round_result& round) {
  auto ignored = self->options.ignore_patterns;
  for (auto& pattern : core::always_ignored_patterns()) ignored.push_back(std::move(pattern));
  core::path_filter filter(self->options.allow_patterns, std::move(ignored));
  auto look = [folder = self->folder, filter = std::move(filter),
               prefix = self->options.path_in_repo, seen = self->seen, observer = self->observer,
               left_out = self->left_out](const std::stop_token& stop) {
    return find_changes(folder, filter, prefix, seen, observer, *left_out, stop);
  };
  round.left = true;
  auto looking = io::on_pool(self->hub.blocking_executor(), std::move(look));
  auto changes = co_await std::move(looking);
  if (!changes.operations.empty()) {
    auto message = self->options.commit_message;
    if (message.empty()) message = "Scheduled Commit";
    auto trying = try_commit(self, std::move(changes.operations), std::move(message),
                             self->options.commit_description);
    const auto one = co_await std::move(trying);
    round.take(one);
    if (!one.made) co_return;
  }
  round.left = false;
  self->seen = std::move(changes.seen);
}

/// Commits all there is.
awaitable<void> commit_all(state_ptr self, round_result& round) {
  co_await commit_waiting(self, round);
  if (!round.left && !self->folder.empty()) co_await commit_folder(self, round);
  if (round.made && self->options.squash_history) co_await squash_history(self);
}

awaitable<void> run_round(state_ptr self) {
  self->busy = true;
  self->wanted = false;
  round_result round;
  round.last = self->last;
  round.last.unchanged = true;
  try {
    auto committing = commit_all(self, round);
    co_await std::move(committing);
  } catch (const std::exception& e) {
    // The folder cannot be read, or the history not squashed.
    if (!self->over) report_failure(self, e.what());
    if (!round.failure) round.failure = std::current_exception();
  } catch (...) {  // whoever waits for the round is told, whatever it was
    if (!round.failure) round.failure = std::current_exception();
  }
  self->last = std::move(round.last);
  self->failure = std::move(round.failure);
  self->left = round.left;
  self->busy = false;
  ++self->rounds;
  if (round.dropped) {
    self->dropped = std::move(round.dropped);
    self->dropped_in = self->rounds;
  }
  self->changed.notify();
}

awaitable<void> watch(state_ptr self) {
  using clock = asio::steady_timer::clock_type;
  while (!self->over) {
    if (!self->wanted) {
      const bool looks = self->options.every > clock::duration::zero();
      self->timer.expires_at(looks ? clock::now() + self->options.every : clock::time_point::max());
      boost::system::error_code woken;
      co_await self->timer.async_wait(asio::redirect_error(asio::use_awaitable, woken));
      if (self->over) break;
    }
    co_await run_round(self);
  }
}

/// Waits for a round that begins from now on.
awaitable<commit_info> next_round(state_ptr self) {
  const std::size_t before = self->rounds;
  const std::size_t awaited = before + (self->busy ? 2 : 1);
  self->wanted = true;
  self->wake();
  while (self->rounds < awaited && !self->over) co_await self->changed.wait();
  if (self->rounds < awaited) throw boost::system::system_error(asio::error::operation_aborted);
  if (self->failure) std::rethrow_exception(self->failure);
  // Also by the round that was going on: nobody tries it again.
  if (self->dropped_in > before) std::rethrow_exception(self->dropped);
  co_return self->last;
}

awaitable<commit_info> end(state_ptr self) {
  if (self->stopping) throw error(errc::invalid_argument, "the scheduler has been stopped");
  self->stopping = true;
  const auto state = co_await asio::this_coro::cancellation_state;
  try {
    auto waiting = next_round(self);
    auto info = co_await std::move(waiting);
    self->end_now();
    co_return info;
  } catch (const std::exception&) {
    const bool cancelled = state.cancelled() != asio::cancellation_type::none;
    if (!cancelled && self->left && !self->over)
      self->stopping = false;  // it may be tried again
    else
      self->end_now();
    throw;
  }
}

awaitable<commit_info> round_now(state_ptr self) {
  if (self->stopping) throw error(errc::invalid_argument, "the scheduler has been stopped");
  auto waiting = next_round(std::move(self));
  auto info = co_await std::move(waiting);
  co_return info;
}

}  // namespace

commit_scheduler::commit_scheduler(client hub, std::string repo_id, std::filesystem::path folder,
                                   named<commit_scheduler_options> options)
    : state_(
          std::make_shared<detail::commit_scheduler_state>(std::move(hub), *std::move(options))) {
  state_->repo_id = std::move(repo_id);
  state_->folder = std::move(folder);
  // The signal must outlive the coroutine's last step, which is not the coroutine's own.
  auto end = [kept = state_](std::exception_ptr) {};
  asio::co_spawn(state_->hub.get_executor(), watch(state_),
                 asio::bind_cancellation_slot(state_->cancel.slot(), std::move(end)));
}

commit_scheduler::commit_scheduler(commit_scheduler&&) noexcept = default;

commit_scheduler& commit_scheduler::operator=(commit_scheduler&& other) noexcept {
  if (this == &other) return *this;
  if (state_) state_->end_now();
  state_ = std::move(other.state_);
  return *this;
}

commit_scheduler::~commit_scheduler() {
  if (state_) state_->end_now();
}

void commit_scheduler::push(std::vector<commit_operation> operations, std::string commit_message) {
  if (state_->stopping) throw error(errc::invalid_argument, "the scheduler has been stopped");
  transfer::keep_sources(operations);
  state_->waiting.push_back({std::move(operations), std::move(commit_message)});
  state_->wanted = true;
  state_->wake();
}

std::size_t commit_scheduler::pending() const noexcept { return state_->waiting.size(); }

awaitable<commit_info> commit_scheduler::trigger() { return detail::operation(round_now(state_)); }

awaitable<commit_info> commit_scheduler::stop() { return detail::operation(end(state_)); }

}  // namespace cohub
