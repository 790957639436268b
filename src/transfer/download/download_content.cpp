#include "transfer/download/download_content.hpp"

#include "cohub/error.hpp"

#include "io/file.hpp"
#include "io/on_pool.hpp"
#include "transfer/download/content_fetch.hpp"
#include "transfer/download/download_ranges.hpp"
#include "transfer/download/download_stream.hpp"
#include "transfer/report_event.hpp"

#include <boost/asio/this_coro.hpp>

#include <unistd.h>

#include <algorithm>
#include <utility>

namespace cohub::transfer {

namespace {

/// What is not larger is asked for by one request, unless the chunk size is given.
constexpr std::uint64_t single_request = 4u << 20;

[[noreturn]] void throw_mismatch(const std::string& name, const std::string& etag,
                                 const std::string& actual) {
  throw error(errc::content_mismatch, "downloading " + name + ": its checksum is " + actual +
                                          " where the Hub promised " + etag);
}

void report_verified(const content_fetch& self) {
  if (self.digest->active())
    report_event(self.observer, transfer_event::kind::verified, self.what.name, self.what.etag);
}

/// @param again  a first attempt failed: if there is a checksum, it alone decides, since each node
///               of a store may have an ETag of its own
fetch_ptr make_fetch(asio::any_io_executor executor, context_ptr shared, content_description what,
                     content_settings settings, bool again = false) {
  progress_reporter progress(settings.observer, what.name, transfer_progress::direction::download,
                             what.size);
  auto digest = std::make_shared<front_digest>(hub::kind_of_etag(what.etag), what.size);
  auto source = std::make_shared<content_source>(executor, what.resolve, what.location,
                                                 what.credentials, !again || !digest->active());
  content_session session;
  session.shared = std::move(shared);
  session.what = std::move(what);
  session.observer = settings.observer;
  session.source = std::move(source);
  return std::make_shared<content_fetch>(
      content_fetch{std::move(session), std::move(settings), nullptr, std::move(digest),
                    std::move(progress), io::signal(std::move(executor))});
}

awaitable<small_content> receive_whole(fetch_ptr self) {
  small_content content;
  content.size = static_cast<std::size_t>(self->what.size);
  content.permit = co_await io::fair_semaphore::acquire(self->shared->buffer_bytes, content.size);
  content.bytes = std::make_shared_for_overwrite<std::byte[]>(content.size);
  const std::span room(content.bytes.get(), content.size);
  const auto& turns = self->shared->turns;
  retry_counter counter(self->shared->retries, turns->activity());
  std::size_t filled = 0;
  std::size_t farthest = 0;
  if (content.size == 0) self->progress.add(0);  // its end
  while (filled < content.size) {
    const core::byte_range range{filled, content.size};
    auto turn = co_await content_turns::take(turns);
    auto opened = co_await open_content(self, range, filled > 0);
    if (opened.ignored_range || opened.refused_range) {
      self->progress.take_back(filled);
      filled = 0;
    }
    if (opened.refused_range) continue;
    if (!opened.failure) {
      const auto end = static_cast<std::size_t>(opened.range.end);  // a part of it may come
      auto received = co_await fill_block(self, opened.answer, room.subspan(filled, end - filled));
      filled += received.count;
      self->progress.add(received.count);
      // A server without ranges starts over each time: only what was never reached before counts.
      if (filled > farthest) counter.progressed(filled - farthest);
      farthest = std::max(farthest, filled);
      if (!received.failure) received.failure = co_await check_end(self, opened.answer);
      if (!received.failure) continue;
      opened.fail(std::move(received.failure));
    }
    opened.answer = {};
    co_await wait_to_retry(self, counter, opened, std::move(turn));
  }
  co_return content;
}

void prepare_place(const content_settings& settings) {
  if (settings.before_placing) settings.before_placing();
}

/// What nobody can check later must be on the disk before its name is.
io::durability durability_of(const std::string& etag) {
  return hub::kind_of_etag(etag) == hub::etag_kind::opaque ? io::durability::machine
                                                           : io::durability::process;
}

void write_small(const std::string& etag, std::span<const std::byte> bytes,
                 const std::filesystem::path& destination,
                 const std::filesystem::path& temporaries) {
  io::write_file_atomically(destination, bytes, durability_of(etag), temporaries);
}

/// Small content: one job of the pool checks it and puts it in its place.
awaitable<void> download_small(fetch_ptr self, std::filesystem::path partial_stem,
                               std::filesystem::path destination) {
  const auto content = co_await receive_whole(self);
  auto work = [self, bytes = content.bytes, whole = content.span(), partial_stem, destination] {
    const auto& what = self->what;
    check_small(what.name, what.etag, whole);
    prepare_place(self->settings);
    write_small(what.etag, whole, destination, partial_stem.parent_path());
  };
  co_await io::on_pool(self->shared->pool, std::move(work));
}

awaitable<void> complete_partial(fetch_ptr self) {
  const auto first = self->settings.chunk_size > 0 ? self->settings.chunk_size : single_request;
  const bool in_ranges = self->what.size > first;
  auto outcome = ranges_outcome::ignored;
  if (in_ranges) {
    outcome = co_await download_ranges(self);
  }
  if (outcome == ranges_outcome::complete) co_return;
  co_await download_stream(self);
}

/// Runs once all is on disk: the checksum decides whether it becomes visible.
void verify_and_publish(content_fetch& self, const std::filesystem::path& destination) {
  if (self.digest->active()) {
    if (const auto actual = self.digest->hex(); actual != self.what.etag)
      throw_mismatch(self.what.name, self.what.etag, actual);
  }
  prepare_place(self.settings);
  self.partial->publish(destination, durability_of(self.what.etag));
}

awaitable<void> open_partial(fetch_ptr self, std::filesystem::path stem) {
  auto work = [self, stem = std::move(stem)] {
    auto partial = std::make_shared<partial_file>(stem, self->what.size, self->what.etag);
    if (self->settings.afresh) partial->restart();
    return partial;
  };
  self->partial = co_await io::on_pool(self->shared->pool, std::move(work));
  const auto there = self->partial->done().count();
  if (there == 0) co_return;
  self->progress.add(there);
  report_event(self->observer, transfer_event::kind::resumed, self->what.name,
               std::to_string(there) + " of " + std::to_string(self->what.size) +
                   " bytes are there already");
}

/// One attempt at content that needs a partial file.
awaitable<void> download_partial(fetch_ptr self, std::filesystem::path stem,
                                 std::filesystem::path destination) {
  co_await open_partial(self, std::move(stem));
  std::exception_ptr failure;
  bool mismatch = false;
  try {
    co_await complete_partial(self);
    auto work = [self, destination] { verify_and_publish(*self, destination); };
    co_await io::on_pool(self->shared->pool, std::move(work));
  } catch (const unfit_answer&) {
    failure = std::current_exception();
  } catch (const error& e) {
    failure = std::current_exception();
    mismatch = e.code() == errc::content_mismatch;
  } catch (...) {
    failure = std::current_exception();
  }
  if (!failure) co_return;
  // Also after a cancellation: what is on disk is noted, and the partial closed, before the caller
  // goes on (and lets others have the lock).
  const bool refuses = co_await asio::this_coro::throw_if_cancelled();
  co_await asio::this_coro::throw_if_cancelled(false);
  auto work = [self, mismatch] {
    try {
      if (mismatch)
        self->partial->discard();
      else
        self->partial->save();
    } catch (const error&) {  // the first failure is the one to tell
    }
    self->partial.reset();
  };
  co_await io::on_pool(self->shared->pool, std::move(work));
  co_await asio::this_coro::throw_if_cancelled(refuses);
  std::rethrow_exception(failure);
}

/// Other clients delete folders without asking for locks.
bool is_gone(const error& failure) {
  return failure.code() == boost::system::errc::no_such_file_or_directory;
}

awaitable<void> make_folders(context_ptr shared, std::filesystem::path partial_stem,
                             std::filesystem::path destination) {
  auto work = [partial_stem = std::move(partial_stem), destination = std::move(destination)] {
    io::create_directories(partial_stem.parent_path());
    io::create_directories(destination.parent_path());
  };
  co_await io::on_pool(shared->pool, std::move(work));
}

}  // namespace

void check_small(const std::string& name, const std::string& etag,
                 std::span<const std::byte> bytes) {
  auto digest = digest_for(hub::kind_of_etag(etag), bytes.size());
  if (!digest) return;
  digest->update(bytes);
  if (const auto actual = digest->hex_digest(); actual != etag) throw_mismatch(name, etag, actual);
}

void place_small(const std::string& name, const std::string& etag, std::span<const std::byte> bytes,
                 const std::filesystem::path& destination,
                 const std::filesystem::path& temporaries) {
  check_small(name, etag, bytes);
  write_small(etag, bytes, destination, temporaries);
}

awaitable<small_content> receive_small(context_ptr shared, content_description what,
                                       content_settings settings) {
  const auto executor = co_await asio::this_coro::executor;
  auto self = make_fetch(executor, std::move(shared), std::move(what), std::move(settings));
  co_return co_await receive_whole(std::move(self));
}

awaitable<void> download_content(context_ptr shared, content_description what,
                                 std::filesystem::path partial_stem,
                                 std::filesystem::path destination, content_settings settings) {
  const auto executor = co_await asio::this_coro::executor;
  for (bool again = false;; again = true) {
    const auto self = make_fetch(executor, shared, what, settings, again);
    std::exception_ptr failure;
    try {
      if (what.size <= small_size) {
        co_await download_small(self, partial_stem, destination);
      } else {
        co_await download_partial(self, partial_stem, destination);
      }
    } catch (const unfit_answer&) {
      throw;
    } catch (const error& e) {
      if (again || (e.code() != errc::content_mismatch && !is_gone(e))) throw;
      failure = std::current_exception();
      report_event(settings.observer, transfer_event::kind::retry, what.name, e.what());
    }
    if (!failure) {
      report_verified(*self);
      co_return;
    }
    co_await make_folders(shared, partial_stem, destination);
  }
}

}  // namespace cohub::transfer
