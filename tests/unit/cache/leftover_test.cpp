#include "cache/leftover.hpp"

#include <doctest/doctest.h>

using namespace cohub;
using kind = cached_incomplete_file_info::kind;

TEST_CASE("names of leftovers are told from names of blobs") {
  const std::string etag(64, 'e');
  CHECK(cache::leftover_kind(etag + ".incomplete") == kind::download);
  CHECK(cache::leftover_kind(etag + ".0123abcd.incomplete") == kind::download);
  CHECK(cache::leftover_kind(etag + ".cohub.partial") == kind::partial);
  CHECK(cache::leftover_kind(etag + ".cohub.journal") == kind::partial);
  CHECK(cache::leftover_kind(etag + ".cohub.0123abcd.partial") == kind::partial);
  CHECK(cache::leftover_kind(".tmp-0123abcd") == kind::temporary);
  CHECK_FALSE(cache::leftover_kind(etag));
  CHECK_FALSE(cache::leftover_kind(".tmp-0123abcx"));
  CHECK_FALSE(cache::leftover_kind("a.partial"));
  CHECK(cache::is_temporary_ref("main.0123abcd.tmp"));
  CHECK_FALSE(cache::is_temporary_ref("main.tmp"));
  CHECK_FALSE(cache::is_temporary_ref("0123abcd"));
}

TEST_CASE("a leftover tells under whose lock it is written") {
  CHECK(cache::etag_of_leftover("e1.incomplete") == "e1");
  CHECK(cache::etag_of_leftover("e1.0123abcd.incomplete") == "e1");
  CHECK(cache::etag_of_leftover("e1.cohub.partial") == "e1");
  CHECK(cache::etag_of_leftover("e1.cohub.0123abcd.journal") == "e1");
  CHECK_FALSE(cache::etag_of_leftover(".tmp-0123abcd"));
  CHECK_FALSE(cache::etag_of_leftover("e1"));
}

TEST_CASE("sizes print in decimal steps") {  // hub-protocol, section 12.10
  CHECK(format_size(0) == "0.0");
  CHECK(format_size(999) == "999.0");
  CHECK(format_size(1000) == "1.0K");
  CHECK(format_size(999'999) == "1000.0K");
  CHECK(format_size(123'456'789) == "123.5M");
  CHECK(format_size(1'500'000'000) == "1.5G");
  CHECK(format_size(~std::uint64_t{0}) == "18.4E");
}
