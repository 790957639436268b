#pragma once

#include <openssl/bio.h>

namespace cohub::http {

/// OpenSSL's way to a non-blocking socket, which stays the caller's. Unlike OpenSSL's own, a broken
/// connection raises no signal: a library must not end the process of its user.
/// @return null when memory is short
BIO* make_socket_bio(int descriptor);

/// After the socket was closed: every further call fails.
void forget_socket(BIO* transport) noexcept;

/// The system's code of the last failed call; 0 if the peer just ended the stream.
int socket_bio_error(BIO* transport) noexcept;

}  // namespace cohub::http
