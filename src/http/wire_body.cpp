#include "http/wire_body.hpp"

#include "http/last_chunk.hpp"
#include "http/trickle_watch.hpp"

#include <algorithm>
#include <bit>
#include <cstring>
#include <utility>

namespace cohub::http {

namespace {

namespace beast = boost::beast;

class wire_body final : public response::body {
 public:
  wire_body(leased_connection lease, std::unique_ptr<answer_parser> reader,
            beast::flat_buffer ahead, http_context context, std::chrono::milliseconds stall,
            bool reusable)
      : lease_(std::move(lease)),
        reader_(std::move(reader)),
        ahead_(std::move(ahead)),
        context_(std::move(context)),
        reusable_(reusable),
        trickle_(stall) {
    if (const auto length = reader_->content_length(); length && !reader_->chunked())
      left_ = *length;
  }
  ~wire_body() override {
    // Bytes beyond the end of the body belong to nobody: such a connection is not used again.
    if (reusable_ && ended_ && reader_->keep_alive() && ahead_.size() == 0 &&
        (left_ || reader_->is_done())) {
      lease_->set_read_mark(1);
      lease_.give_back();
    }
  }

  std::optional<std::size_t> try_read_some(std::span<std::byte> buffer) override {
    if (buffer.empty() || ended_) return 0;
    try {
      const auto count = left_ ? try_read_counted(buffer) : try_read_parsed(buffer);
      if (count == 0u || left_ == 0u) ended_ = true;
      since_wait_ += count.value_or(0);
      trickle_.received(count.value_or(0));
      return count;
    } catch (const boost::system::system_error& e) {
      fail(e);
    }
  }

  awaitable<void> wait_readable() override {
    lease_->set_read_mark(choose_mark());
    const auto begin = clock::now();
    try {
      co_await lease_->wait_readable();
    } catch (const boost::system::system_error& e) {
      fail(e);
    }
    if (trickle_.waited(clock::now() - begin))
      throw error(errc::timed_out, "reading an answer that only trickles", context_);
  }

  bool ended() const noexcept override { return ended_; }

 private:
  using clock = std::chrono::steady_clock;

  [[noreturn]] void fail(const boost::system::system_error& failure) const {
    if (failure.code() == asio::error::operation_aborted ||
        dynamic_cast<const error*>(&failure) != nullptr)
      throw;
    std::string reading = "reading an answer";
    if (is_tls_failure(failure.code())) reading += " (" + failure.code().message() + ")";
    throw error(translate(failure.code()), reading, context_);
  }

  static boost::system::error_code translate(boost::system::error_code code) {
    if (code == asio::error::timed_out) return errc::timed_out;
    if (code == asio::error::connection_reset || is_tls_failure(code)) return errc::truncated_body;
    return code;
  }

  std::optional<std::size_t> try_read_counted(std::span<std::byte> buffer) {
    const auto wanted = static_cast<std::size_t>(std::min<std::uint64_t>(buffer.size(), *left_));
    std::size_t count = std::min(wanted, ahead_.size());
    if (count > 0) {
      std::memcpy(buffer.data(), ahead_.data().data(), count);
      ahead_.consume(count);
    } else {
      const auto came = lease_->try_read_some(buffer.first(wanted));
      if (!came) return {};
      if (*came == 0) throw error(errc::truncated_body, "reading an answer", context_);
      count = *came;
    }
    *left_ -= count;
    return count;
  }

  std::optional<std::size_t> try_read_parsed(std::span<std::byte> buffer) {
    for (;;) {
      if (reader_->is_done()) return 0;
      boost::system::error_code failure;
      if (!reader_->chunked() || !is_cut_last_chunk(text_of(ahead_))) {
        reader_->get().body().data = buffer.data();
        reader_->get().body().size = buffer.size();
        const std::size_t consumed = reader_->put(ahead_.data(), failure);
        ahead_.consume(consumed);
        const std::size_t count = buffer.size() - reader_->get().body().size;
        if (count > 0) return count;
        if (reader_->is_done()) return 0;
        if (!failure && consumed > 0 && ahead_.size() > 0) continue;  // past a chunk's header
        if (failure && failure != beast::http::error::need_more &&
            failure != beast::http::error::need_buffer)
          throw error(errc::invalid_response, "reading a chunked answer", context_);
      }
      if (ahead_.size() > head_limit)  // a chunk's head or a trailer without end
        throw error(errc::invalid_response, "reading a chunked answer", context_);
      const auto received = lease_->try_read_some(room_in(ahead_));
      if (!received) return {};
      ahead_.commit(*received);
      if (*received == 0) {
        reader_->put_eof(failure);
        if (failure) throw error(errc::truncated_body, "reading an answer", context_);
        return 0;
      }
    }
  }

  /// A fast stream need not wake its reader for every segment; a slow one must, and every one at
  /// its end.
  std::size_t choose_mark() {
    const auto now = clock::now();
    const std::chrono::duration<double> elapsed = now - last_wait_;
    const auto rate = static_cast<double>(since_wait_) / std::max(elapsed.count(), 1e-6);
    last_wait_ = now;
    since_wait_ = 0;
    if (!left_ || *left_ <= read_ahead) return 1;
    const auto wanted = std::min(static_cast<std::uint64_t>(rate * wake_interval), largest_mark);
    if (wanted < smallest_mark) return 1;
    return static_cast<std::size_t>(std::bit_floor(std::min(wanted, *left_ - read_ahead)));
  }

  static constexpr double wake_interval = 0.008;  // seconds
  static constexpr std::uint64_t smallest_mark = 16 * 1024;
  static constexpr std::uint64_t largest_mark = 256 * 1024;
  /// What was read is out of the socket, and a piece of a TLS record (16 KiB) may be in it.
  static constexpr std::uint64_t read_ahead = 32 * 1024;

  leased_connection lease_;
  std::unique_ptr<answer_parser> reader_;
  beast::flat_buffer ahead_;
  std::optional<std::uint64_t> left_;  // of a body whose length is known
  http_context context_;
  bool reusable_;
  bool ended_ = false;
  clock::time_point last_wait_ = clock::now();
  std::uint64_t since_wait_ = 0;
  trickle_watch trickle_;
};

}  // namespace

std::unique_ptr<response::body> make_wire_body(leased_connection lease,
                                               std::unique_ptr<answer_parser> reader,
                                               beast::flat_buffer ahead, http_context context,
                                               std::chrono::milliseconds stall, bool reusable) {
  return std::make_unique<wire_body>(std::move(lease), std::move(reader), std::move(ahead),
                                     std::move(context), stall, reusable);
}

}  // namespace cohub::http
