#include "transfer/download/partial_journal.hpp"

#include <doctest/doctest.h>

using namespace cohub::transfer;
using cohub::core::byte_range;

namespace {

std::string example_head() {
  partial_head head;
  head.size = 100;
  head.etag = "an etag";
  head.owner = "4711 host";
  return encode_partial_head(head);
}

}  // namespace

TEST_CASE("a journal says what was written into it") {
  const auto journal =
      decode_partial_journal(example_head() + encode_partial_range({0, 10}) +
                             encode_partial_range({50, 100}) + encode_partial_range({10, 20}));
  REQUIRE(journal.has_value());
  CHECK(journal->head.size == 100);
  CHECK(journal->head.etag == "an etag");
  CHECK(journal->head.owner == "4711 host");
  CHECK(journal->done.ranges() == std::vector<byte_range>{{0, 20}, {50, 100}});
}

TEST_CASE("a torn or senseless line ends what is believed") {
  for (const std::string bad :
       {"20 3", "20 30", "x y\n", "30 20\n", "20 20\n", "20 101\n", "20  30\n", "-1 30\n", "\n",
        "20 99999999999999999999999\n", "20\n"}) {
    CAPTURE(bad);
    const auto journal =
        decode_partial_journal(example_head() + encode_partial_range({0, 10}) + bad);
    REQUIRE(journal.has_value());
    CHECK(journal->done.ranges() == std::vector<byte_range>{{0, 10}});
  }
}

TEST_CASE("a journal cut anywhere never says more than it did") {
  const auto text = example_head() + encode_partial_range({0, 10}) + encode_partial_range({12, 34});
  for (std::size_t length = 0; length < text.size(); ++length) {
    const auto journal = decode_partial_journal(text.substr(0, length));
    if (journal) CHECK(journal->done.count() <= 10);
  }
}

TEST_CASE("text without a head is no journal") {
  CHECK_FALSE(decode_partial_journal("").has_value());
  CHECK_FALSE(decode_partial_journal("0 10\n").has_value());
  CHECK_FALSE(decode_partial_journal("cohub partial 2\nsize 1\netag e\nowner 1 h\n").has_value());
  CHECK_FALSE(decode_partial_journal("cohub partial 1\nsize x\netag e\nowner 1 h\n").has_value());
  CHECK_FALSE(decode_partial_journal(std::string(100, '\0')).has_value());
}

TEST_CASE("a journal tells in which run of the machine it was written; older ones do not") {
  partial_head head;
  head.size = 100;
  head.etag = "e";
  head.owner = "1 h";
  head.boot = "4f2c-1";
  const auto journal =
      decode_partial_journal(encode_partial_head(head) + encode_partial_range({0, 10}));
  REQUIRE(journal.has_value());
  CHECK(journal->head.boot == "4f2c-1");
  CHECK(journal->done.count() == 10);
  const auto old = decode_partial_journal("cohub partial 1\nsize 100\netag e\nowner 1 h\n0 10\n");
  REQUIRE(old.has_value());
  CHECK(old->head.boot.empty());
  CHECK(old->done.count() == 10);
}
