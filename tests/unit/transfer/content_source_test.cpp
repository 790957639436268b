#include "transfer/download/content_source.hpp"

#include "support/run.hpp"

#include <boost/asio/io_context.hpp>
#include <doctest/doctest.h>

using namespace cohub;
using transfer::content_source;

namespace {

core::url at(const std::string& text) { return core::parse_url(text).value(); }

struct fixture {
  asio::io_context context;
  core::url resolve = at("https://hub.test/o/m/resolve/main/f");
  core::url first = at("https://cdn.test/f?signature=1");
  core::url second = at("https://cdn.test/f?signature=2");
  std::shared_ptr<content_source> source = std::make_shared<content_source>(
      context.get_executor(), resolve, std::nullopt, http::fields{{"Authorization", "Bearer x"}});

  content_source::route next() { return test::run(context, content_source::next_route(source)); }
};

}  // namespace

TEST_CASE_FIXTURE(fixture, "the Hub is asked first, and then what it named") {
  auto asking = next();
  CHECK(asking.url.text() == resolve.text());
  CHECK(asking.credentials.has("authorization"));
  asking.confirm(first, "\"v\"");
  asking = {};
  const auto direct = next();
  CHECK(direct.url.text() == first.text());
  CHECK(direct.credentials.empty());
  CHECK(direct.headers.get("If-Range") == "\"v\"");
  CHECK(content_source::route_by_hub(source).url.text() == resolve.text());
}

TEST_CASE_FIXTURE(fixture, "a late answer does not bring an expired address back") {
  next().confirm(first, "");
  auto slow = next();
  auto refused = next();
  refused.expire();
  SUBCASE("while the Hub is asked for another") {
    slow.confirm(first, "");
    CHECK(next().url.text() == resolve.text());
  }
  SUBCASE("after it gave another") {
    next().confirm(second, "");
    slow.confirm(first, "");
    CHECK(next().url.text() == second.text());
    refused.expire();  // of the old one, once more
    CHECK(next().url.text() == second.text());
  }
}
