#include "http/early_answer.hpp"

#include <doctest/doctest.h>

using cohub::http::is_informational;

TEST_CASE("informational answers are told from final ones, whole or cut") {
  for (const char* text :
       {"", "H", "HTTP/1.1", "HTTP/1.1 1", "HTTP/1.1 100 Continue\r\n\r\n", "HTTP/1.1 103 Early Hi",
        "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 102 Processing\r\nX: y\r\n\r\nHT"}) {
    CAPTURE(text);
    CHECK(is_informational(text));
  }
  for (const char* text :
       {"HTTP/1.1 2", "HTTP/1.1 413 Too Large\r\n", "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK",
        "HTTP/1.0 100", "SSH-2.0", "\r\n"}) {
    CAPTURE(text);
    CHECK_FALSE(is_informational(text));
  }
}
