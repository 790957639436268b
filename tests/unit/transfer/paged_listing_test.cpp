#include "transfer/paged_listing.hpp"

#include "scripted_hub.hpp"
#include "transfer/tree_listing.hpp"

#include <boost/asio/co_spawn.hpp>
#include <doctest/doctest.h>

using namespace cohub;
using test::scripted_reply;
using test::seen_request;

namespace {

struct fixture : test::scripted_hub {
  std::vector<tree_entry> list() {
    return run(transfer::list_repo_tree(shared, "o/m", list_repo_tree_options()).all());
  }

  boost::system::error_code failure() {
    try {
      list();
    } catch (const error& e) {
      return e.code();
    }
    return {};
  }

  static scripted_reply page(const std::string& next, const std::string& items) {
    return scripted_reply::text(200, items, "Link: <" + next + ">; rel=\"next\"\r\n");
  }
};

const std::string one_file = R"([{"type":"file","path":"a","size":1,"oid":"0"}])";

}  // namespace

TEST_CASE_FIXTURE(fixture,
                  "the pages of a host that a redirect led to are read without the token") {
  api_fault = [this](const seen_request&) -> std::optional<scripted_reply> {
    return scripted_reply::text(302, "", "Location: " + contents.origin() + "/first\r\n");
  };
  content_fault = [](const seen_request& request) -> std::optional<scripted_reply> {
    if (request.line.starts_with("GET /first ")) return page("/second", one_file);
    return scripted_reply::text(200, one_file);
  };
  CHECK(list().size() == 2);
  REQUIRE(api.seen().size() == 1);
  CHECK(api.seen()[0].header("authorization") == "Bearer hf_secret");
  REQUIRE(contents.seen().size() == 2);
  for (const auto& request : contents.seen()) CHECK(request.header("authorization").empty());
}

TEST_CASE_FIXTURE(fixture, "the pages of the Hub itself are all asked for with the token") {
  api_fault = [](const seen_request& request) -> std::optional<scripted_reply> {
    if (request.line.find("/second") == std::string::npos) return page("/second", one_file);
    return scripted_reply::text(200, one_file);
  };
  CHECK(list().size() == 2);
  REQUIRE(api.seen().size() == 2);
  for (const auto& request : api.seen())
    CHECK(request.header("authorization") == "Bearer hf_secret");
}

TEST_CASE_FIXTURE(fixture, "the next page is found among all that an answer links to") {
  api_fault = [](const seen_request& request) -> std::optional<scripted_reply> {
    if (request.line.find("/second") != std::string::npos)
      return scripted_reply::text(200, one_file);
    return scripted_reply::text(
        200, one_file, "Link: </about>; rel=\"describedby\"\r\nLink: </second>; rel=\"next\"\r\n");
  };
  CHECK(list().size() == 2);
}

TEST_CASE_FIXTURE(fixture, "a page is fetched for one call at a time") {
  auto listing = transfer::list_repo_tree(shared, "o/m", list_repo_tree_options());
  std::size_t ended = 0, items = 0, refused = 0;
  const auto end = [&](std::exception_ptr failure, std::optional<tree_entry> item) {
    ++ended;
    items += item.has_value();
    try {
      if (failure) std::rethrow_exception(failure);
    } catch (const error& e) {
      refused += e.code() == errc::invalid_argument;
    }
  };
  api_fault = [](const seen_request&) -> std::optional<scripted_reply> {
    return scripted_reply::text(200, one_file);
  };
  for (int i = 0; i < 3; ++i) asio::co_spawn(context, listing.next(), end);
  while (ended < 3) context.run_one();
  CHECK(items == 1);
  CHECK(refused == 2);  // and not told that this is the end
}

TEST_CASE_FIXTURE(fixture, "a listing that failed has no end, but fails again") {
  bool broken = false;
  api_fault = [&](const seen_request&) -> std::optional<scripted_reply> {
    if (broken) return scripted_reply::text(403, "");
    return page("/second", one_file);
  };
  auto listing = transfer::list_repo_tree(shared, "o/m", list_repo_tree_options());
  CHECK(run(listing.next()).has_value());
  broken = true;
  CHECK_THROWS_AS(run(listing.next()), error);
  broken = false;
  CHECK_THROWS_AS(run(listing.next()), error);
  CHECK_THROWS_AS(run(listing.all()), error);
}

TEST_CASE_FIXTURE(fixture,
                  "pages without end that bring nothing are an error, some of them are not") {
  std::size_t pages = 0;
  SUBCASE("without end") {
    api_fault = [&](const seen_request&) -> std::optional<scripted_reply> {
      return page("/page?cursor=" + std::to_string(++pages), "[]");
    };
    CHECK(failure() == errc::invalid_response);
    CHECK(pages == transfer::most_idle_pages + 1);
  }
  SUBCASE("the same page without end, each time at another address") {
    api_fault = [&](const seen_request&) -> std::optional<scripted_reply> {
      return page("/page?cursor=" + std::to_string(++pages), one_file);
    };
    CHECK(failure() == errc::invalid_response);
    CHECK(pages == transfer::most_idle_pages + 2);
  }
  SUBCASE("some, again and again") {
    api_fault = [&](const seen_request&) -> std::optional<scripted_reply> {
      const auto number = ++pages;
      if (number == 40) return scripted_reply::text(200, "[]");
      return page("/page?cursor=" + std::to_string(number), number % 8 == 0 ? one_file : "[]");
    };
    CHECK(list().size() == 4);
  }
}

TEST_CASE_FIXTURE(fixture, "a page that is cut or stalls is read again, but not for ever") {
  auto after = scripted_reply::then::close;
  std::size_t broken = 1;
  std::size_t asked = 0;
  api_fault = [&](const seen_request&) -> std::optional<scripted_reply> {
    auto whole = scripted_reply::text(200, one_file);
    if (++asked > broken) return whole;
    whole.bytes.resize(whole.bytes.size() - 5);
    whole.after = after;
    return whole;
  };
  SUBCASE("cut") {
    CHECK(list().size() == 1);
    CHECK(asked == 2);
  }
  SUBCASE("stalled") {
    http::transport_config settings;
    settings.timeouts.stall = std::chrono::milliseconds(30);
    auto changed = std::make_shared<transfer::context>(*shared);
    changed->transport = std::make_shared<http::transport>(context.get_executor(), settings);
    shared = changed;
    after = scripted_reply::then::stall;
    CHECK(list().size() == 1);
    CHECK(asked == 2);
  }
  SUBCASE("again and again") {
    broken = 1'000;
    CHECK(failure() == errc::truncated_body);
    CHECK(asked == shared->retries.attempts);
  }
}
