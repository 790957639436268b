#include "transfer/download_retry.hpp"

#include "cohub/error.hpp"

#include <boost/asio/error.hpp>
#include <doctest/doctest.h>

using namespace cohub;
using namespace cohub::transfer;

TEST_CASE("failures of the network pass, those of the content and the disk do not") {
  for (const boost::system::error_code code :
       {make_error_code(errc::truncated_body), make_error_code(errc::timed_out),
        boost::system::error_code(asio::error::connection_reset),
        boost::system::error_code(asio::error::connection_refused),
        boost::system::error_code(asio::error::eof)}) {
    CAPTURE(code.message());
    CHECK(is_transient(code));
    CHECK(is_unreachable(code));
  }
  for (const boost::system::error_code code :
       {make_error_code(errc::content_mismatch), make_error_code(errc::invalid_response),
        make_error_code(errc::certificate_rejected), make_error_code(errc::entry_not_found),
        boost::system::errc::make_error_code(boost::system::errc::no_space_on_device)}) {
    CAPTURE(code.message());
    CHECK_FALSE(is_transient(code));
    CHECK_FALSE(is_unreachable(code));
  }
  CHECK_FALSE(is_transient(asio::error::host_not_found));
  CHECK(is_unreachable(asio::error::host_not_found));
}

TEST_CASE("a status decides by who sent it") {
  for (const bool foreign : {false, true}) {
    CHECK(judge_status(200, foreign) == status_verdict::success);
    CHECK(judge_status(206, foreign) == status_verdict::success);
    CHECK(judge_status(503, foreign) == status_verdict::retry);
    CHECK(judge_status(429, foreign) == status_verdict::retry);
    CHECK(judge_status(416, foreign) == status_verdict::fatal);
    CHECK(judge_status(302, foreign) == status_verdict::fatal);
  }
  CHECK(judge_status(403, true) == status_verdict::relocate);
  CHECK(judge_status(403, false) == status_verdict::fatal);
  CHECK(judge_status(404, false) == status_verdict::fatal);
}

TEST_CASE(
    "after five failures without progress it is given up, and progress starts the count anew") {
  retry_counter counter(retry_limits{});
  using ms = std::chrono::milliseconds;
  for (const int expected : {1000, 2000, 4000, 8000, 8000})
    CHECK(counter.next_delay({}, 1.0) == ms(expected));
  CHECK_FALSE(counter.next_delay({}, 1.0).has_value());
  counter.progressed(1);
  CHECK(counter.next_delay({}, 0.5) == ms(500));
  CHECK(counter.next_delay(ms(7000), 0.5) == ms(7000));
}

TEST_CASE("an expired address is asked for anew, but not for ever") {
  retry_counter counter(retry_limits{});
  CHECK(counter.may_relocate());
  CHECK(counter.may_relocate());
  CHECK_FALSE(counter.may_relocate());
  counter.progressed(1);
  CHECK(counter.may_relocate());
}

TEST_CASE(
    "attempts that stalled after a trickle use up the tries, however many bytes they add up to") {
  retry_counter counter(retry_limits{});
  for (int i = 0; i < 5; ++i) {
    counter.progressed(retry_counter::worthwhile / 2);
    CHECK(counter.next_delay({}, 1.0, true).has_value());
  }
  counter.progressed(retry_counter::worthwhile / 2);
  CHECK_FALSE(counter.next_delay({}, 1.0, true).has_value());
  counter.progressed(retry_counter::worthwhile);
  CHECK(counter.next_delay({}, 1.0, true).has_value());
}

TEST_CASE("what a server has no room for while others go on is borne ten times as often") {
  retry_counter counter(retry_limits{}, 7);
  CHECK_FALSE(counter.others_went_on(7));
  CHECK(counter.others_went_on(8));
  CHECK_FALSE(counter.others_went_on(8));
  using ms = std::chrono::milliseconds;
  for (int i = 0; i < 60; ++i) CHECK(counter.next_delay_beside_others({}, 1.0) == ms(1000));
  for (const int expected : {1000, 2000, 4000, 8000, 8000})
    CHECK(counter.next_delay_beside_others({}, 1.0) == ms(expected));
  CHECK_FALSE(counter.next_delay_beside_others({}, 1.0));
  counter.progressed(1);
  CHECK(counter.next_delay_beside_others(ms(3000), 1.0) == ms(3000));
  retry_counter never(retry_limits{.attempts = 1});
  CHECK_FALSE(never.next_delay_beside_others({}, 1.0));
}
