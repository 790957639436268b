#include "transfer/upload/object_upload.hpp"

#include <doctest/doctest.h>

using namespace cohub;
using transfer::object_upload;

namespace {

constexpr std::uint64_t part_size = 10;
constexpr std::int64_t now = 1'000'000;

hub::multipart_plan plan_of(const std::string& upload, const std::string& more = {}) {
  hub::multipart_plan plan;
  plan.part_size = part_size;
  for (int i = 1; i <= 3; ++i)
    plan.part_urls.push_back("https://s/o?uploadId=" + upload + "&n=" + std::to_string(i) + more);
  plan.completion_url = "https://s/complete?uploadId=" + upload + more;
  return plan;
}

struct fixture {
  fixture() {
    commit_operation_add add;
    add.content = commit_operation_add::bytes{std::string(25, 'x')};
    object.emplace("w.bin", std::string(64, 'a'), transfer::open_content(add));
  }
  void route(const std::string& upload) { object->route_to({}, plan_of(upload), {}); }
  std::optional<object_upload> object;
};

}  // namespace

TEST_CASE_FIXTURE(fixture, "the parts of an object are sent, each once") {
  route("a");
  const auto pieces = object->missing_pieces();
  REQUIRE(pieces.size() == 3);
  CHECK(pieces[2].begin == 20);
  CHECK(pieces[2].end == 25);
  CHECK(object->arrived(pieces[2], "\"3\""));
  CHECK_FALSE(object->arrived(pieces[2], "\"3\""));
  CHECK(object->bytes_there() == 5);
  CHECK(object->missing_pieces().size() == 2);
  CHECK(object->arrived(pieces[0], "\"1\""));
  CHECK_FALSE(object->all_there());
  CHECK(object->arrived(pieces[1], "\"2\""));
  CHECK(object->all_there());
  CHECK(object->etags() == std::vector<std::string>{"\"1\"", "\"2\"", "\"3\""});
}

TEST_CASE_FIXTURE(fixture, "an address that has passed its time is renewed once, unused") {
  const auto pieces_until = [this](std::int64_t end) {
    object->route_to(
        {}, plan_of("a", "&X-Amz-Date=19700112T134640Z&X-Amz-Expires=" + std::to_string(end - now)),
        {});
    return object->missing_pieces();
  };
  const auto fresh = pieces_until(now + 10);
  CHECK_FALSE(object->has_expired(fresh[0], now + 9));
  CHECK(object->has_expired(fresh[0], now + 10));
  REQUIRE(object->begin_relocation(fresh[0]));
  const auto again = pieces_until(now + 20);
  CHECK_FALSE(object->has_expired(again[0], now + 30));  // it may be the clock that is wrong
  CHECK(object->has_expired(again[1], now + 30));
}

TEST_CASE_FIXTURE(fixture, "an object in one piece needs no etag") {
  hub::lfs_action action;
  action.href = "https://s/o";
  object->route_to(action, {}, {});
  const auto pieces = object->missing_pieces();
  REQUIRE(pieces.size() == 1);
  CHECK(pieces[0].end == 25);
  CHECK(pieces[0].url == "https://s/o");
  CHECK(object->arrived(pieces[0], ""));
  CHECK(object->all_there());
}

TEST_CASE_FIXTURE(fixture, "new addresses of the same upload keep the parts, of another do not") {
  route("a");
  const auto old = object->missing_pieces();
  CHECK(object->arrived(old[0], "\"1\""));
  CHECK(object->begin_relocation(old[1]));
  CHECK_FALSE(object->begin_relocation(old[2]));  // one asks for all
  CHECK_FALSE(object->is_current(old[2]));
  route("a");
  CHECK(object->missing_pieces().size() == 2);
  CHECK_FALSE(object->is_current(old[2]));
  CHECK(object->arrived(old[2], "\"3\""));  // was on its way, and still counts
  CHECK(object->begin_relocation(object->missing_pieces()[0]));
  route("b");
  CHECK(object->missing_pieces().size() == 3);
  CHECK_FALSE(object->arrived(old[1], "\"2\""));  // of the upload that was given up
}

TEST_CASE_FIXTURE(fixture, "addresses are asked for once more, and again after progress") {
  const auto is_refused = [this](std::size_t number) {
    const auto piece = object->missing_pieces().at(number);
    CHECK(object->begin_relocation(piece));
    return !object->may_relocate(piece);
  };
  route("a");
  CHECK_FALSE(is_refused(1));
  route("b");
  CHECK(object->arrived(object->missing_pieces()[0], "\"1\""));  // says nothing of the other
  CHECK(is_refused(0));
  route("c");
  CHECK(object->arrived(object->missing_pieces()[1], "\"2\""));
  route("d");
  CHECK_FALSE(is_refused(1));
}

TEST_CASE_FIXTURE(fixture, "parts that make no object are sent again, once") {
  route("a");
  for (const auto& piece : object->missing_pieces()) CHECK(object->arrived(piece, "\"1\""));
  CHECK(object->begin_again(false));
  route("a");
  CHECK(object->missing_pieces().size() == 3);
  for (const auto& piece : object->missing_pieces()) CHECK(object->arrived(piece, "\"1\""));
  CHECK_FALSE(object->begin_again(false));
}

TEST_CASE_FIXTURE(fixture, "an address of the completion that may have expired costs no parts") {
  route("a");
  for (const auto& piece : object->missing_pieces()) CHECK(object->arrived(piece, "\"1\""));
  CHECK(object->begin_completion());
  CHECK(object->begin_again(true));
  CHECK_FALSE(object->begin_completion());  // other addresses are being asked for
  SUBCASE("of the same upload") {
    route("a");
    CHECK(object->begin_completion());
    // Refused once more, the parts are to blame.
    CHECK(object->begin_again(true));
    route("a");
    CHECK(object->missing_pieces().size() == 3);
    for (const auto& piece : object->missing_pieces()) CHECK(object->arrived(piece, "\"1\""));
    CHECK_FALSE(object->begin_again(true));
  }
  SUBCASE("of another") {
    route("b");
    CHECK(object->missing_pieces().size() == 3);
  }
}

TEST_CASE_FIXTURE(fixture, "the last piece may come by older addresses, and one completes") {
  route("a");
  const auto old = object->missing_pieces();
  CHECK(object->arrived(old[0], "\"1\""));
  CHECK(object->begin_relocation(old[1]));
  route("a");
  const auto again = object->missing_pieces();
  REQUIRE(again.size() == 2);
  CHECK(object->arrived(old[2], "\"3\""));    // was on its way
  CHECK_FALSE(object->is_current(again[1]));  // need not be sent again
  CHECK_FALSE(object->begin_completion());
  CHECK(object->arrived(again[0], "\"2\""));
  CHECK(object->begin_completion());
  CHECK_FALSE(object->begin_completion());
  CHECK_FALSE(object->begin_relocation(again[1]));  // whatever the store says of it now
}

TEST_CASE_FIXTURE(fixture, "a Hub that begins a new upload each time is not followed for ever") {
  route("0");
  std::size_t restarts = 0;
  for (; restarts < 100; ++restarts) {
    const auto pieces = object->missing_pieces();
    const auto& refused = pieces[1 + restarts % 2];  // never the same one twice in turn
    CHECK(object->arrived(pieces[2 - restarts % 2], "\"1\""));
    CHECK(object->begin_relocation(refused));
    if (!object->may_relocate(refused)) break;
    route(std::to_string(restarts + 1));
  }
  CHECK(restarts == 4);
}

TEST_CASE_FIXTURE(fixture, "what an earlier process sent is gone on with by its addresses") {
  transfer::multipart_progress left{plan_of("old", "&Expires=2000000"), {"", "\"2\"", ""}};
  route("new");
  object->resume(left, now);
  const auto pieces = object->missing_pieces();
  REQUIRE(pieces.size() == 2);
  CHECK(pieces[1].url == left.plan.part_urls[2]);
  CHECK(object->parts()->completion_url == left.plan.completion_url);
  CHECK(object->bytes_there() == 10);
}

TEST_CASE_FIXTURE(fixture, "newer addresses of the same upload are better") {
  transfer::multipart_progress left{plan_of("same", "&Expires=1"), {"", "\"2\"", ""}};
  route("same");
  object->resume(left, now);
  const auto pieces = object->missing_pieces();
  REQUIRE(pieces.size() == 2);
  CHECK(pieces[0].url.find("Expires") == std::string::npos);
}

TEST_CASE_FIXTURE(fixture, "addresses that have expired, and parts of other sizes, are not used") {
  transfer::multipart_progress expired{plan_of("old", "&Expires=999999"), {"", "\"2\"", ""}};
  route("new");
  object->resume(expired, now);
  CHECK(object->missing_pieces().size() == 3);
  transfer::multipart_progress other{plan_of("old"), {"", "\"2\"", ""}};
  other.plan.part_size = 12;
  object->resume(other, now);
  CHECK(object->missing_pieces().size() == 3);
  transfer::multipart_progress nothing{plan_of("old"), {"", "", ""}};
  object->resume(nothing, now);
  CHECK(object->missing_pieces()[0].url.find("new") != std::string::npos);
}
