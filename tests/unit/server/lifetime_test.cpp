#include "raw_caller.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <chrono>
#include <string>
#include <vector>

using namespace cohub;
using tcp = boost::asio::ip::tcp;

TEST_CASE_FIXTURE(test::raw_caller, "a Hub that goes while it answers lets the context end") {
  const std::string body = "{\"name\":\"m\"}";
  const auto request =
      "POST /api/repos/create HTTP/1.1\r\nHost: hub\r\nAuthorization: Bearer " + token +
      "\r\nContent-Type: application/json\r\nContent-Length: " + std::to_string(body.size()) +
      "\r\n\r\n" + body;
  for (int steps = 0; steps < 40; ++steps) {
    CAPTURE(steps);
    const auto port = core::parse_url(hub->endpoint()).value().origin.port;
    std::vector<tcp::socket> peers;
    for (int i = 0; i < 4; ++i) {
      peers.emplace_back(context);
      peers.back().connect(tcp::endpoint(boost::asio::ip::address_v4::loopback(), port));
      boost::asio::write(peers.back(), boost::asio::buffer(request));
    }
    context.restart();
    const auto is_answered = [](tcp::socket& peer) { return peer.available() > 0; };
    for (int i = 0; i < steps && !std::all_of(peers.begin(), peers.end(), is_answered); ++i)
      context.run_one_for(std::chrono::seconds(10));
    hub.reset();
    context.run_for(std::chrono::seconds(30));
    REQUIRE(context.stopped());
    hub.emplace(context.get_executor(), config);  // nobody has its root any more
  }
}
