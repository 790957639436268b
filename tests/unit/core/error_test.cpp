#include "cohub/error.hpp"

#include <doctest/doctest.h>

#include <string>
#include <utility>

using namespace cohub;

TEST_CASE("an error says what was done, why it failed and where") {
  http_context http;
  http.status = 404;
  http.url = "https://hub/api/x?signature=secret";
  http.request_id = "r1";
  http.server_message = "Entry\nnot found";
  const error failure(errc::entry_not_found, "downloading a.txt", http);
  CHECK(std::string(failure.what()) ==
        "downloading a.txt: file or folder not found: Entry not found (status 404, "
        "https://hub/api/x, request r1)");
  CHECK(failure.code() == errc::entry_not_found);
  CHECK(failure.code().category().name() == std::string("cohub"));
}

TEST_CASE("an error that was handed on still tells what it is") {
  error first(errc::forbidden, "looking");
  const auto second = std::move(first);
  CHECK(std::string(first.what()) == second.what());  // NOLINT: it is a copy, on purpose
  CHECK(first.http().status == 0);
}

TEST_CASE("the system's codes keep their category") {
  const error failure(boost::system::errc::make_error_code(boost::system::errc::no_space_on_device),
                      "writing /x");
  CHECK(failure.code() == boost::system::errc::no_space_on_device);
  CHECK(std::string(failure.what()).starts_with("writing /x: "));
  CHECK(failure.http().status == 0);
}

TEST_CASE("every code has words of its own") {
  std::string seen;
  for (int code = 1; code <= static_cast<int>(errc::incompatible_weights); ++code) {
    const auto text = make_error_code(static_cast<errc>(code)).message();
    CHECK(text != "unknown error");
    CHECK(seen.find("|" + text + "|") == std::string::npos);
    seen += "|" + text + "|";
  }
}

TEST_CASE("errors of one kind are caught together") {
  const auto is = [](errc code, error_kind kind) { return error(code, "").code() == kind; };
  for (const auto code :
       {errc::entry_not_found, errc::local_entry_not_found, errc::incomplete_snapshot})
    CHECK(is(code, error_kind::entry_not_found));
  for (const auto code : {errc::repository_not_found, errc::gated_repository})
    CHECK(is(code, error_kind::repository_not_found));
  CHECK_FALSE(is(errc::disabled_repository, error_kind::repository_not_found));
  CHECK_FALSE(is(errc::repository_not_found, error_kind::entry_not_found));
  for (const auto code :
       {errc::gated_repository, errc::job_not_found, errc::rate_limited, errc::unexpected_status})
    CHECK(is(code, error_kind::hub_answer));
  for (const auto code : {errc::timed_out, errc::local_entry_not_found, errc::offline})
    CHECK_FALSE(is(code, error_kind::hub_answer));
  CHECK(make_error_condition(error_kind::entry_not_found).message() == "file or folder not found");
}
