#include "cohub/error.hpp"

#include "commit_text.hpp"
#include "hub_caller.hpp"

#include <doctest/doctest.h>

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
