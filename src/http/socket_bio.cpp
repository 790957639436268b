#include "http/socket_bio.hpp"

#include <sys/socket.h>

#include <cerrno>
#include <cstddef>

namespace cohub::http {

namespace {

struct socket_end {
  int descriptor = -1;
  int last_error = 0;
  bool at_end = false;
};

socket_end& end_of(BIO* transport) { return *static_cast<socket_end*>(BIO_get_data(transport)); }

/// Notes how a call went; true if it is to be made again.
bool note_failure(BIO* transport, int retry_flag) {
  auto& self = end_of(transport);
  if (errno == EINTR) return true;
  if (errno == EAGAIN || errno == EWOULDBLOCK)
    BIO_set_flags(transport, retry_flag | BIO_FLAGS_SHOULD_RETRY);
  else
    self.last_error = errno;
  return false;
}

int read_socket(BIO* transport, char* data, std::size_t size, std::size_t* done) {
  auto& self = end_of(transport);
  BIO_clear_retry_flags(transport);
  *done = 0;
  for (;;) {
    const auto count = ::recv(self.descriptor, data, size, MSG_DONTWAIT);
    if (count > 0) {
      *done = static_cast<std::size_t>(count);
      return 1;
    }
    if (count == 0) {
      self.at_end = true;
      return 0;
    }
    if (!note_failure(transport, BIO_FLAGS_READ)) return 0;
  }
}

int write_socket(BIO* transport, const char* data, std::size_t size, std::size_t* done) {
  auto& self = end_of(transport);
  BIO_clear_retry_flags(transport);
  *done = 0;
  for (;;) {
    const auto count = ::send(self.descriptor, data, size, MSG_DONTWAIT | MSG_NOSIGNAL);
    if (count >= 0) {
      *done = static_cast<std::size_t>(count);
      return 1;
    }
    if (!note_failure(transport, BIO_FLAGS_WRITE)) return 0;
  }
}

long control(BIO* transport, int command, long, void*) {
  if (command == BIO_CTRL_EOF) return end_of(transport).at_end ? 1 : 0;
  return command == BIO_CTRL_FLUSH ? 1 : 0;
}

int destroy(BIO* transport) {
  delete static_cast<socket_end*>(BIO_get_data(transport));
  BIO_set_data(transport, nullptr);
  return 1;
}

BIO_METHOD* make_method() {
  BIO_METHOD* const made = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "cohub socket");
  if (made == nullptr) return nullptr;
  BIO_meth_set_read_ex(made, read_socket);
  BIO_meth_set_write_ex(made, write_socket);
  BIO_meth_set_ctrl(made, control);
  BIO_meth_set_destroy(made, destroy);
  return made;
}

}  // namespace

BIO* make_socket_bio(int descriptor) {
  static BIO_METHOD* const method = make_method();  // lives as long as the process, as OpenSSL does
  BIO* const made = method != nullptr ? BIO_new(method) : nullptr;
  if (made == nullptr) return nullptr;
  BIO_set_data(made, new socket_end{descriptor, 0, false});
  BIO_set_init(made, 1);
  return made;
}

void forget_socket(BIO* transport) noexcept { end_of(transport).descriptor = -1; }

int socket_bio_error(BIO* transport) noexcept { return end_of(transport).last_error; }

}  // namespace cohub::http
