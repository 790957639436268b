#include "http/tls_context.hpp"

#include "cohub/detail/bell.hpp"
#include "cohub/error.hpp"

#include "core/environment.hpp"
#include "http/tls_sessions.hpp"

#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <exception>
#include <mutex>
#include <set>
#include <utility>

namespace cohub::http {

namespace {

void trust(asio::ssl::context& context, const std::filesystem::path& authorities) {
  boost::system::error_code failure;
  std::error_code unknown;
  if (std::filesystem::is_directory(authorities, unknown))
    context.add_verify_path(authorities.string(), failure);
  else
    context.load_verify_file(authorities.string(), failure);
  if (failure)
    throw error(errc::invalid_argument,
                "reading the certificate authorities in " + authorities.string() +
                    " (a PEM file, or a folder of them as c_rehash leaves it, is expected)");
}

}  // namespace

std::shared_ptr<asio::ssl::context> make_tls_context(const std::filesystem::path& ca_file) {
  auto context = std::make_shared<asio::ssl::context>(asio::ssl::context::tls_client);
  context->set_options(asio::ssl::context::default_workarounds | asio::ssl::context::no_tlsv1 |
                       asio::ssl::context::no_tlsv1_1);
  context->set_verify_mode(asio::ssl::verify_peer);
  // AES-128 first: a byte costs less, and servers that let the client choose take the first.
  SSL_CTX_set_ciphersuites(context->native_handle(),
                           "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:"
                           "TLS_CHACHA20_POLY1305_SHA256");
  keep_tls_sessions(context->native_handle());
  if (!ca_file.empty()) {
    trust(*context, ca_file);
    return context;
  }
  const bool named =
      core::environment_value("SSL_CERT_FILE") || core::environment_value("SSL_CERT_DIR");
  if (!named) {
    // Users of the older Python client still set these.
    for (const char* name : {"REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"}) {
      if (const auto authorities = core::environment_value(name)) {
        trust(*context, *authorities);
        return context;
      }
    }
  }
  context->set_default_verify_paths();  // OpenSSL itself reads SSL_CERT_FILE and SSL_CERT_DIR
  return context;
}

/// What the pool and those who wait share. It must not keep an executor alive, nor speak to one
/// whose waiters are gone: an io_context may go before a file is read.
class shared_tls_context::making {
 public:
  /// A place among those who are told, of one coroutine. Going out of scope leaves it.
  class place {
   public:
    place(std::shared_ptr<making> of, const asio::any_io_executor& executor)
        : of_(std::move(of)), bell_(executor) {
      const std::scoped_lock lock(of_->mutex_);
      of_->waiting_.insert(&bell_);
    }
    place(place&&) = delete;
    ~place() {
      const std::scoped_lock lock(of_->mutex_);
      of_->waiting_.erase(&bell_);
    }
    detail::bell& bell() noexcept { return bell_; }

   private:
    std::shared_ptr<making> of_;
    detail::bell bell_;
  };

  /// On the pool.
  void run(const std::filesystem::path& ca_file) {
    std::shared_ptr<asio::ssl::context> made;
    std::exception_ptr failure;
    try {
      made = make_tls_context(ca_file);
    } catch (...) {
      failure = std::current_exception();
    }
    const std::scoped_lock lock(mutex_);
    made_ = std::move(made);
    failure_ = std::move(failure);
    done_ = true;
    // Under the lock: who is still in the list is still there.
    for (auto* const bell : waiting_) bell->ring();
  }

  bool done() const {
    const std::scoped_lock lock(mutex_);
    return done_;
  }
  bool failed() const {
    const std::scoped_lock lock(mutex_);
    return failure_ != nullptr;
  }
  /// Of what is done.
  std::shared_ptr<asio::ssl::context> result() const {
    const std::scoped_lock lock(mutex_);
    if (failure_) std::rethrow_exception(failure_);
    return made_;
  }

 private:
  mutable std::mutex mutex_;
  bool done_ = false;
  std::shared_ptr<asio::ssl::context> made_{};
  std::exception_ptr failure_{};
  std::set<detail::bell*> waiting_{};
};

awaitable<std::shared_ptr<asio::ssl::context>> shared_tls_context::get(
    std::shared_ptr<shared_tls_context> self) {
  const auto executor = co_await asio::this_coro::executor;
  if (self->now_ && self->now_->failed()) self->now_.reset();  // it may be mended meanwhile
  if (!self->now_) {
    self->now_ = std::make_shared<making>();
    asio::post(self->pool_, [now = self->now_, ca_file = self->ca_file_] { now->run(ca_file); });
  }
  const auto now = self->now_;
  making::place mine(now, executor);
  while (!now->done()) {
    boost::system::error_code woken;
    auto waiting = mine.bell().wait(asio::redirect_error(asio::use_awaitable, woken));
    co_await std::move(waiting);
    const auto state = co_await asio::this_coro::cancellation_state;
    if (state.cancelled() != asio::cancellation_type::none)
      throw boost::system::system_error(asio::error::operation_aborted);
  }
  co_return now->result();
}

}  // namespace cohub::http
