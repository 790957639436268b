#include "transfer/download/whole_file.hpp"

#include "io/on_pool.hpp"
#include "io/piecewise_copy.hpp"
#include "transfer/download/front_digest.hpp"

#include <boost/asio/this_coro.hpp>

#include <cstddef>
#include <exception>
#include <memory>
#include <span>
#include <utility>
#include <vector>

namespace cohub::transfer {

namespace {

constexpr std::size_t block_size = 256 * 1024;

}  // namespace

file_hashing::file_hashing(const std::filesystem::path& path, hub::etag_kind kind)
    : content_(path, io::file::mode::read), digest_(*digest_for(kind, content_.size())) {}

bool file_hashing::step() {
  std::vector<std::byte> block(block_size);
  for (const auto end = at_ + whole_file_piece; at_ < end;) {
    const auto count = content_.read_at(at_, block);
    digest_.update(std::span<const std::byte>(block).first(count));
    at_ += count;
    if (count < block.size()) return false;
  }
  return true;
}

awaitable<std::string> hash_whole(context_ptr shared, std::filesystem::path file,
                                  hub::etag_kind kind) {
  auto open = [file = std::move(file), kind] { return std::make_shared<file_hashing>(file, kind); };
  const auto running = co_await io::on_pool(shared->pool, std::move(open));
  for (bool more = true; more;) {
    auto piece = [running] { return running->step(); };
    more = co_await io::on_pool(shared->pool, std::move(piece));
  }
  co_return running->hex();
}

awaitable<void> copy_whole(context_ptr shared, std::filesystem::path from,
                           std::filesystem::path temporary, std::filesystem::path destination) {
  auto open = [from = std::move(from), temporary = std::move(temporary)] {
    return std::make_shared<io::piecewise_copy>(from, temporary);
  };
  auto running = co_await io::on_pool(shared->pool, std::move(open));
  std::exception_ptr failure;
  try {
    for (bool more = true; more;) {
      auto piece = [running] { return running->step(whole_file_piece); };
      more = co_await io::on_pool(shared->pool, std::move(piece));
    }
    auto publish = [running, destination = std::move(destination)] {
      running->publish(destination);
    };
    co_await io::on_pool(shared->pool, std::move(publish));
  } catch (...) {
    failure = std::current_exception();
  }
  // The pool removes what is not finished, also after a cancellation.
  const bool refuses = co_await asio::this_coro::throw_if_cancelled();
  co_await asio::this_coro::throw_if_cancelled(false);
  auto work = [last = std::move(running)]() mutable { last.reset(); };
  co_await io::on_pool(shared->pool, std::move(work));
  co_await asio::this_coro::throw_if_cancelled(refuses);
  if (failure) std::rethrow_exception(failure);
}

}  // namespace cohub::transfer
