#include "cohub/commit_scheduler.hpp"

#include "cohub/error.hpp"

#include "client/operation.hpp"
#include "core/glob.hpp"
#include "io/file_identity.hpp"
#include "io/on_pool.hpp"
#include "transfer/folder_listing.hpp"
#include "transfer/progress_reporter.hpp"
#include "transfer/signal.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <algorithm>
#include <deque>
#include <map>
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
        timer(hub.get_executor()),
        changed(hub.get_executor()) {}

  client hub;
  std::string repo_id{};
  std::filesystem::path folder{};
  commit_scheduler_options options;
  asio::steady_timer timer;
  asio::cancellation_signal cancel{};  // of the round that is going on
  transfer::signal changed;            // a round has ended

  bool repository_known = false;
  std::deque<handed_over> waiting{};
  seen_files seen{};

  bool wanted = false;  // somebody wants a round now
  bool stopping = false;
  bool busy = false;  // a round is going on
  std::size_t rounds = 0;
  commit_info last{};
  std::exception_ptr failure{};  // of the last round

  void wake() noexcept {
    try {
      timer.cancel();
    } catch (...) {  // declared so by Asio; on a timer it does not happen
    }
  }
};

namespace {

using state_ptr = std::shared_ptr<detail::commit_scheduler_state>;

folder_changes find_changes(const std::filesystem::path& folder, const core::path_filter& filter,
                            std::string prefix, const seen_files& known) {
  folder_changes changes;
  if (!prefix.empty() && !prefix.ends_with('/')) prefix += '/';
  for (auto& file : transfer::list_folder(folder, filter)) {
    const auto now = io::identify_file(file.path);
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

awaitable<commit_info> commit(state_ptr self, std::vector<commit_operation> operations,
                              std::string message, std::string description = {}) {
  create_commit_options options;
  options.commit_description = std::move(description);
  options.type = self->options.type;
  options.revision = self->options.revision;
  options.token = self->options.token;
  options.observer = self->options.observer;
  auto info = co_await self->hub.create_commit(self->repo_id, std::move(operations),
                                               std::move(message), options);
  transfer::report_event(self->options.observer, transfer_event::kind::committed, {}, info.oid);
  co_return info;
}

/// Commits all there is, one commit after the other.
awaitable<commit_info> commit_all(state_ptr self) {
  commit_info last = self->last;
  last.unchanged = true;
  while (!self->waiting.empty()) {
    co_await make_repository(self);
    // A copy: what fails is tried again.
    const handed_over first = self->waiting.front();
    auto committing = commit(self, first.operations, first.message);
    last = co_await std::move(committing);
    self->waiting.pop_front();
  }
  if (self->folder.empty()) co_return last;
  auto ignored = self->options.ignore_patterns;
  for (auto& pattern : core::always_ignored_patterns()) ignored.push_back(std::move(pattern));
  core::path_filter filter(self->options.allow_patterns, std::move(ignored));
  auto look = [folder = self->folder, filter = std::move(filter),
               prefix = self->options.path_in_repo,
               seen = self->seen] { return find_changes(folder, filter, prefix, seen); };
  auto looking = io::on_pool(self->hub.blocking_executor(), std::move(look));
  auto changes = co_await std::move(looking);
  if (!changes.operations.empty()) {
    co_await make_repository(self);
    const auto& message = self->options.commit_message;
    auto committing =
        commit(self, std::move(changes.operations), message.empty() ? "Scheduled Commit" : message,
               self->options.commit_description);
    last = co_await std::move(committing);
  }
  self->seen = std::move(changes.seen);
  co_return last;
}

awaitable<void> run_round(state_ptr self) {
  self->busy = true;
  self->wanted = false;
  std::exception_ptr failure;
  try {
    auto committing = commit_all(self);
    self->last = co_await std::move(committing);
  } catch (const std::exception& e) {
    failure = std::current_exception();
    if (!self->stopping)
      transfer::report_event(self->options.observer, transfer_event::kind::commit_failed, {},
                             e.what());
  }
  self->failure = std::move(failure);
  self->busy = false;
  ++self->rounds;
  self->changed.notify();
}

awaitable<void> watch(state_ptr self) {
  using clock = asio::steady_timer::clock_type;
  while (!self->stopping || self->wanted) {
    if (!self->wanted) {
      const bool looks = self->options.every > clock::duration::zero();
      self->timer.expires_at(looks ? clock::now() + self->options.every : clock::time_point::max());
      boost::system::error_code woken;
      co_await self->timer.async_wait(asio::redirect_error(asio::use_awaitable, woken));
      if (self->stopping && !self->wanted) break;
    }
    co_await run_round(self);
  }
}

/// Waits for a round that begins from now on.
awaitable<commit_info> next_round(state_ptr self) {
  const std::size_t awaited = self->rounds + (self->busy ? 2 : 1);
  self->wanted = true;
  self->wake();
  while (self->rounds < awaited) co_await self->changed.wait();
  if (self->failure) std::rethrow_exception(self->failure);
  co_return self->last;
}

awaitable<commit_info> end(state_ptr self) {
  if (self->stopping) throw error(errc::invalid_argument, "the scheduler has been stopped");
  self->stopping = true;
  auto waiting = next_round(self);
  auto info = co_await std::move(waiting);
  co_return info;
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
  asio::co_spawn(state_->hub.get_executor(), watch(state_),
                 asio::bind_cancellation_slot(state_->cancel.slot(), asio::detached));
}

commit_scheduler::commit_scheduler(commit_scheduler&&) noexcept = default;

commit_scheduler& commit_scheduler::operator=(commit_scheduler&& other) noexcept {
  std::swap(state_, other.state_);
  return *this;
}

commit_scheduler::~commit_scheduler() {
  if (!state_ || state_->stopping) return;
  state_->stopping = true;
  state_->wanted = false;
  if (state_->busy)
    state_->cancel.emit(asio::cancellation_type::terminal);
  else
    state_->wake();
}

void commit_scheduler::push(std::vector<commit_operation> operations, std::string commit_message) {
  if (state_->stopping) throw error(errc::invalid_argument, "the scheduler has been stopped");
  state_->waiting.push_back({std::move(operations), std::move(commit_message)});
  state_->wanted = true;
  state_->wake();
}

std::size_t commit_scheduler::pending() const noexcept { return state_->waiting.size(); }

awaitable<commit_info> commit_scheduler::trigger() { return operation(round_now(state_)); }

awaitable<commit_info> commit_scheduler::stop() { return operation(end(state_)); }

}  // namespace cohub
