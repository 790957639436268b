#include "cohub/error.hpp"

#include "commit_text.hpp"
#include "hub_caller.hpp"

#include <doctest/doctest.h>

#include <chrono>
#include <string>

using namespace cohub::test;
using method = cohub::http::method;

TEST_CASE_FIXTURE(hub_caller, "a status on order comes so many times, after so many that pass") {
  cohub::hub_fault fault;
  fault.path_part = "whoami";
  fault.skip = 1;
  fault.times = 2;
  fault.status = 503;
  fault.headers = {{"Retry-After", "1"}};
  hub->inject(fault);
  CHECK(get("/api/whoami-v2").status == 200);
  CHECK(get("/api/nothing").status == 404);
  CHECK(get("/api/whoami-v2").header("Retry-After") == "1");
  CHECK(get("/api/whoami-v2").status == 503);
  CHECK(get("/api/whoami-v2").status == 200);
}

TEST_CASE_FIXTURE(hub_caller, "a body on order ends early although its whole length was promised") {
  make_repo("m");
  commit("alice/m", file_line("a.txt", "content"));
  cohub::hub_fault fault;
  fault.path_part = "/resolve/";
  fault.drop_after_bytes = 3;
  hub->inject(fault);
  try {
    get("/alice/m/resolve/main/a.txt");
    FAIL("the body should have been cut");
  } catch (const cohub::error& e) {
    CHECK(e.code() == cohub::errc::truncated_body);
  }
  CHECK(get("/alice/m/resolve/main/a.txt").body == "content");
}

TEST_CASE_FIXTURE(hub_caller, "a byte on order is wrong, in contents of either listener") {
  make_repo("m");
  const std::string content(700'000, 'w');
  const auto sha256 = upload_object("alice/m", content);
  commit("alice/m", file_line("a.txt", "content") + lfs_line("w.bin", sha256, content.size()));
  cohub::hub_fault fault;
  fault.path_part = "/resolve/main/a.txt";
  fault.corrupt_byte = 2;
  hub->inject(fault);
  CHECK(get("/alice/m/resolve/main/a.txt").body == std::string("co\x91tent"));
  fault.path_part = {};
  fault.where = cohub::hub_fault::listener::content;
  fault.corrupt_byte = 600'000;
  hub->inject(fault);
  const auto got = get(get("/alice/m/resolve/main/w.bin").header("Location"));
  REQUIRE(got.body.size() == content.size());
  CHECK(got.body[600'000] == '\x88');
  CHECK(got.body.substr(0, 600'000) == content.substr(0, 600'000));
}

TEST_CASE_FIXTURE(hub_caller, "the record tells what was asked, and by whom it was not") {
  make_repo("m");
  hub->clear_requests();
  get("/alice/m/resolve/main/.gitattributes", {{"Range", "bytes=0-3"}});
  send(method::get, "/api/whoami-v2", {});
  const auto requests = hub->requests();
  REQUIRE(requests.size() == 2);
  CHECK(requests[0].method == "GET");
  CHECK(requests[0].range == "bytes=0-3");
  CHECK(requests[0].authorized);
  CHECK(requests[0].status == 206);
  CHECK_FALSE(requests[1].authorized);
  CHECK(hub->count_requests("/resolve/") == 1);
  CHECK(hub->count_requests("/resolve/", "HEAD") == 0);
  get("/" + std::string(30'000, 'x'));
  CHECK(hub->requests().back().target.size() == 2048);
}

TEST_CASE_FIXTURE(hub_caller, "a stalled request does not keep the Hub from stopping") {
  cohub::hub_fault fault;
  fault.stall = true;
  hub->inject(fault);
  cohub::http::request what;
  what.url = cohub::core::parse_url(hub->endpoint() + "/api/whoami-v2").value();
  what.retry = false;
  bool ended = false;
  boost::asio::co_spawn(context, exchange(&transport, std::move(what)),
                        [&](std::exception_ptr, answer) { ended = true; });
  while (hub->requests().empty()) context.run_one();
  run(hub->stop(std::chrono::milliseconds(1)));
  while (!ended) context.run_one();
  CHECK_THROWS_AS(get("/api/whoami-v2"), cohub::error);
}

namespace {

/// A large file, and where its content is.
struct faulty_content : hub_caller {
  faulty_content() {
    make_repo("m");
    const auto sha256 = upload_object("alice/m", content);
    commit("alice/m", file_line("a.txt", "content") + lfs_line("w.bin", sha256, content.size()));
    location = get("/alice/m/resolve/main/w.bin").header("Location");
  }
  answer part(const std::string& range) {
    return send(method::get, location, {}, {}, {{"Range", "bytes=" + range}});
  }
  const std::string content = noise(1'200'000);
  std::string location;
};

}  // namespace

TEST_CASE_FIXTURE(faulty_content, "a byte of the file is wrong in whatever range it comes") {
  cohub::hub_fault fault;
  fault.where = cohub::hub_fault::listener::content;
  fault.corrupt_file_byte = 1'000'000;
  fault.times = 2;
  hub->inject(fault);
  CHECK(part("0-999999").body == content.substr(0, 1'000'000));
  CHECK(part("-5").body == content.substr(content.size() - 5));
  CHECK(send(method::head, location, {}).status == 200);
  const auto wrong = part("999990-1000009").body;
  CHECK(wrong[10] != content[1'000'000]);
  CHECK(wrong.substr(0, 10) == content.substr(999'990, 10));
  CHECK(wrong.substr(11) == content.substr(1'000'001, 9));
  auto whole = send(method::get, location, {}).body;
  CHECK(whole != content);
  whole[1'000'000] = content[1'000'000];
  CHECK(whole == content);
  CHECK(part("1000000-1000000").body == content.substr(1'000'000, 1));
}

TEST_CASE_FIXTURE(faulty_content, "ranges on order are ignored, mislabelled or of other content") {
  cohub::hub_fault fault;
  fault.where = cohub::hub_fault::listener::content;
  SUBCASE("ignored") {
    fault.ignore_range = true;
    hub->inject(fault);
    const auto whole = part("3-5");
    CHECK(whole.status == 200);
    CHECK(whole.body == content);
    CHECK(hub->requests().back().range == "bytes=3-5");
  }
  SUBCASE("mislabelled") {
    fault.headers = {{"Content-Range", "bytes 4-6/1200000"}, {"ETag", "\"other\""}};
    hub->inject(fault);
    const auto shifted = part("3-5");
    CHECK(shifted.status == 206);
    CHECK(shifted.header("Content-Range") == "bytes 4-6/1200000");
    CHECK(shifted.header("ETag") == "\"other\"");
    CHECK(shifted.body == content.substr(3, 3));
  }
  CHECK(part("3-5").body == content.substr(3, 3));
}

TEST_CASE_FIXTURE(faulty_content, "a length on order is told in place of the true one") {
  cohub::hub_fault fault;
  fault.path_part = "/resolve/";
  SUBCASE("too long: the body ends before it") {
    fault.content_length = 8;
    hub->inject(fault);
    CHECK_THROWS_AS(get("/alice/m/resolve/main/a.txt"), cohub::error);
  }
  SUBCASE("too short: the rest follows, and is nobody's answer") {
    fault.content_length = 3;
    hub->inject(fault);
    CHECK(get("/alice/m/resolve/main/a.txt").body == "con");
  }
  SUBCASE("to a HEAD") {
    fault.content_length = 123;
    hub->inject(fault);
    CHECK(head("/alice/m/resolve/main/a.txt").header("Content-Length") == "123");
  }
  CHECK(get("/alice/m/resolve/main/a.txt").body == "content");
}

TEST_CASE_FIXTURE(faulty_content, "redirects on order lead anywhere, or nowhere") {
  cohub::hub_fault fault;
  fault.path_part = "/resolve/";
  fault.redirect_to = "ftp://127.0.0.1/a.txt";
  hub->inject(fault);
  fault.redirect_to.clear();
  fault.redirect_to_itself = true;
  fault.status = 307;
  hub->inject(fault);
  const auto elsewhere = get("/alice/m/resolve/main/a.txt");
  CHECK(elsewhere.status == 302);
  CHECK(elsewhere.header("Location") == "ftp://127.0.0.1/a.txt");
  const auto loop = get("/alice/m/resolve/main/a.txt?x=1");
  CHECK(loop.status == 307);
  CHECK(loop.header("Location") == "/alice/m/resolve/main/a.txt?x=1");
}

TEST_CASE_FIXTURE(faulty_content, "a body on order comes with the headers of the answer it ousts") {
  cohub::hub_fault fault;
  fault.path_part = "/tree/";
  fault.body = "[]";
  fault.headers = {{"Link", "</again>; rel=\"next\""}};
  hub->inject(fault);
  const auto listing = get("/api/models/alice/m/tree/main");
  CHECK(listing.status == 200);
  CHECK(listing.body == "[]");
  CHECK(listing.header("X-Repo-Commit") == head_of("alice/m"));
  CHECK(listing.header("Link") == "</again>; rel=\"next\"");
}

TEST_CASE_FIXTURE(faulty_content, "a head on order is longer than anybody reads") {
  cohub::hub_fault fault;
  fault.path_part = "whoami";
  fault.head_padding = 60'000;
  hub->inject(fault);
  CHECK(get("/api/whoami-v2").status == 200);
  fault.head_padding = 70'000;
  fault.times = 0;
  hub->inject(fault);
  try {
    get("/api/whoami-v2");
    FAIL("the head should have been refused");
  } catch (const cohub::error& e) {
    CHECK(e.code() == cohub::errc::invalid_response);
  }
  hub->clear_faults();
  CHECK(get("/api/whoami-v2").status == 200);
}

TEST_CASE_FIXTURE(faulty_content, "a body on order trickles, and all of it comes") {
  cohub::hub_fault fault;
  fault.path_part = "/resolve/main/a.txt";
  fault.trickle_bytes = 2;
  fault.trickle_interval = std::chrono::milliseconds(1);
  hub->inject(fault);
  const auto begin = std::chrono::steady_clock::now();
  CHECK(get("/alice/m/resolve/main/a.txt").body == "content");
  CHECK(std::chrono::steady_clock::now() - begin >= std::chrono::milliseconds(3));
  fault.trickle_bytes = 1;
  fault.drop_after_bytes = 3;
  hub->inject(fault);
  CHECK_THROWS_AS(get("/alice/m/resolve/main/a.txt"), cohub::error);
}
