#include "cohub/commit_scheduler.hpp"

#include "cohub/detail/operation.hpp"
#include "cohub/error.hpp"

#include "client/scheduled_round.hpp"
#include "io/signal.hpp"
#include "transfer/upload/kept_source.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <exception>
#include <memory>
#include <utility>

namespace cohub {

struct detail::commit_scheduler_state
    : detail::scheduled_work,
      std::enable_shared_from_this<detail::commit_scheduler_state> {
  commit_scheduler_state(client with, commit_scheduler_options given)
      : scheduled_work(std::move(with), std::move(given)),
        timer(hub.get_executor()),
        changed(hub.get_executor()) {}

  asio::steady_timer timer;
  asio::cancellation_signal cancel{};  // of the round that is going on
  io::signal changed;                  // a round has ended, or all have

  bool wanted = false;    // somebody wants a round now
  bool stopping = false;  // the next round is the last one, unless it leaves something
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
    if (!busy) {
      wake();
      return;
    }
    // Not at once: it may be the round's own observer that ends it.
    asio::post(timer.get_executor(), [self = shared_from_this()] {
      self->cancel.emit(asio::cancellation_type::terminal);
    });
  }
};

namespace {

using state_ptr = std::shared_ptr<detail::commit_scheduler_state>;

awaitable<void> run_round(state_ptr self) {
  self->busy = true;
  self->wanted = false;
  detail::round_result round;
  round.last = self->last;
  round.last.unchanged = true;
  try {
    co_await detail::commit_all(self, round);
  } catch (const std::exception& e) {
    // The folder cannot be read, or the history not squashed.
    if (!self->over) detail::report_failure(*self, e.what());
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
      self->timer.expires_after(looks ? self->options.every : clock::duration::max());
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
    auto info = co_await next_round(self);
    self->end_now();
    co_return info;
  } catch (...) {  // a source may throw what it likes
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
  co_return co_await next_round(std::move(self));
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
