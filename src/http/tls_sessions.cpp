#include "http/tls_sessions.hpp"

#include <ctime>
#include <utility>

namespace cohub::http {

namespace {

int shelf_index() {
  static const int index = SSL_get_ex_new_index(0, nullptr, nullptr, nullptr, nullptr);
  return index;
}

/// OpenSSL calls this for each ticket: with TLS 1.3 while content is read.
int note_session(SSL* handle, SSL_SESSION* session) {
  auto* const shelf = static_cast<tls_session_shelf*>(SSL_get_ex_data(handle, shelf_index()));
  if (shelf != nullptr) shelf->put(session);
  return 0;  // the reference stays OpenSSL's
}

bool is_fresh(SSL_SESSION* session) {
  return SSL_SESSION_is_resumable(session) != 0 &&
         std::time(nullptr) - SSL_SESSION_get_time(session) < SSL_SESSION_get_timeout(session);
}

}  // namespace

void tls_session_shelf::put(SSL_SESSION* session) {
  tls_session copy(SSL_SESSION_dup(session));
  if (!copy) return;
  const std::lock_guard lock(mutex_);
  sessions_.push_back(std::move(copy));
  if (sessions_.size() > capacity) sessions_.pop_front();
}

tls_session tls_session_shelf::take() {
  const std::lock_guard lock(mutex_);
  while (!sessions_.empty() && !is_fresh(sessions_.front().get())) sessions_.pop_front();
  if (sessions_.empty()) return nullptr;
  if (sessions_.size() == 1) return tls_session(SSL_SESSION_dup(sessions_.front().get()));
  auto taken = std::move(sessions_.front());
  sessions_.pop_front();
  return taken;
}

std::size_t tls_session_shelf::size() const {
  const std::lock_guard lock(mutex_);
  return sessions_.size();
}

void keep_tls_sessions(SSL_CTX* context) {
  // Without OpenSSL's own store, which clients cannot look anything up in.
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
  SSL_CTX_sess_set_new_cb(context, note_session);
}

void use_tls_sessions(SSL* handle, tls_session_shelf& shelf) {
  SSL_set_ex_data(handle, shelf_index(), &shelf);
  if (const auto session = shelf.take()) SSL_set_session(handle, session.get());
}

}  // namespace cohub::http
