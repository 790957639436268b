#include "cohub/error.hpp"

#include "commit_text.hpp"
#include "hub_caller.hpp"
#include "support/test_certificate.hpp"

#include <doctest/doctest.h>

#include <string>

using namespace cohub::test;
using method = cohub::http::method;

TEST_CASE("with a certificate both listeners speak TLS, and the links say so") {
  const temporary_folder folder;
  const test_certificate made(folder.path(), "localhost");
  cohub::local_hub_config settings;
  settings.certificate_chain = made.certificate;
  settings.private_key = made.key;
  hub_caller caller(settings);
  CHECK(caller.hub->endpoint().starts_with("https://127.0.0.1:"));
  CHECK(caller.hub->content_endpoint().starts_with("https://"));

  cohub::http::transport_config trusting;
  trusting.ca_file = made.certificate;
  cohub::http::transport transport(caller.context.get_executor(), trusting);
  const auto port = cohub::core::parse_url(caller.hub->endpoint()).value().origin.port;
  cohub::http::request what;
  what.verb = method::post;
  what.url =
      cohub::core::parse_url("https://localhost:" + std::to_string(port) + "/api/repos/create")
          .value();
  what.headers.set("Authorization", "Bearer " + caller.token);
  what.body = cohub::http::bytes_body("{\"name\":\"m\"}");
  const auto answer = caller.run(hub_caller::exchange(&transport, what));
  CHECK(answer.status == 200);
  CHECK(text_at(answer.json(), "/url") == "https://localhost:" + std::to_string(port) + "/alice/m");
}

TEST_CASE("a certificate that cannot be read is an error at once") {
  cohub::local_hub_config settings;
  settings.certificate_chain = "missing.pem";
  settings.private_key = "missing.key";
  CHECK_THROWS_AS(hub_fixture fixture(settings), cohub::error);
}

TEST_CASE_FIXTURE(hub_fixture, "an address in use is an error that names it") {
  cohub::local_hub_config settings;
  settings.root = folder.path() / "second";
  settings.port = cohub::core::parse_url(hub->endpoint()).value().origin.port;
  try {
    const cohub::local_hub second(context.get_executor(), settings);
    FAIL("the address is taken");
  } catch (const cohub::error& e) {
    CHECK(e.code() == boost::system::errc::address_in_use);
    CHECK(std::string(e.what()).find(std::to_string(settings.port)) != std::string::npos);
  }
}
