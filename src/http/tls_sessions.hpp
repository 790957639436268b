#pragma once

#include <openssl/ssl.h>

#include <deque>
#include <memory>
#include <mutex>

namespace cohub::http {

struct tls_session_deleter {
  void operator()(SSL_SESSION* session) const noexcept { SSL_SESSION_free(session); }
};
using tls_session = std::unique_ptr<SSL_SESSION, tls_session_deleter>;

/// The TLS sessions that one origin offered to resume: a connection that resumes spares both sides
/// the certificates and signatures, and with TLS 1.2 a round trip. One origin's sessions are never
/// offered to another, since the certificate is not checked again. From any thread.
class tls_session_shelf {
 public:
  static constexpr std::size_t capacity = 8;

  /// Keeps a copy: OpenSSL spoils the session of a connection that breaks.
  void put(SSL_SESSION* session);
  /// One to resume, null if there is none. The last one stays and is given out again: connections
  /// that are opened together outnumber the tickets of the first.
  tls_session take();
  std::size_t size() const;

 private:
  mutable std::mutex mutex_;
  std::deque<tls_session> sessions_;  // the newest at the back
};

/// Lets connections of a client's context offer their sessions to the shelf they are given.
void keep_tls_sessions(SSL_CTX* context);

/// Resumes a session of `shelf`, if it has one, and keeps the new ones there. `shelf` outlives
/// `handle`; before the handshake.
void use_tls_sessions(SSL* handle, tls_session_shelf& shelf);

}  // namespace cohub::http
