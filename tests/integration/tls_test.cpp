#include "support/client_fixture.hpp"
#include "support/test_certificate.hpp"

#include <doctest/doctest.h>

#include <string>

using namespace cohub;
using test::client_fixture;

namespace {

/// The certificate is for a name, not for the address that the Hub tells.
std::string by_name(std::string endpoint) {
  const std::string address = "127.0.0.1";
  return endpoint.replace(endpoint.find(address), address.size(), "localhost");
}

std::uint16_t port_of(const std::string& endpoint) {
  return static_cast<std::uint16_t>(std::stoi(endpoint.substr(endpoint.rfind(':') + 1)));
}

/// A Hub that speaks TLS on both listeners, with a certificate of its own for "localhost".
struct tls_fixture {
  tls_fixture() : paper(folder.path(), "localhost"), fixture(settings()) {}

  local_hub_config settings() const {
    local_hub_config config;
    config.certificate_chain = paper.certificate;
    config.private_key = paper.key;
    config.address = "127.0.0.1";
    return config;
  }

  /// Of a Hub on fixed ports, told to clients under the name that the certificate is for.
  local_hub_config settings_by_name() {
    local_hub_config serving = settings();
    serving.root = folder.path() / "hub";
    local_hub hub(fixture.context.get_executor(), serving);  // finds ports that are free
    serving.public_endpoint = by_name(hub.endpoint());
    serving.public_content_endpoint = by_name(hub.content_endpoint());
    serving.port = port_of(hub.endpoint());
    serving.content_port = port_of(hub.content_endpoint());
    fixture.run(hub.stop());
    return serving;
  }

  client_config client_of(local_hub& hub, const local_hub_config& serving) const {
    auto config = fixture.client_settings;
    config.endpoint = serving.public_endpoint;
    config.token = hub.create_token("alice").token;
    config.ca_file = paper.certificate;
    return config;
  }

  test::temporary_folder folder;
  test::test_certificate paper;
  client_fixture fixture;
};

}  // namespace

TEST_CASE_FIXTURE(tls_fixture, "an authority that nobody trusts ends every operation at once") {
  auto config = fixture.client_settings;
  config.endpoint = by_name(fixture.hub->endpoint());
  client hub(fixture.context.get_executor(), config);
  const auto failure = fixture.failure_of(hub.whoami());
  CHECK(failure.code() == errc::certificate_rejected);
  CHECK(std::string(failure.what()).find("SSL_CERT_FILE") != std::string::npos);
  CHECK(fixture.failure_of(hub.download_file("alice/model", "a.txt")).code() ==
        errc::certificate_rejected);
  CHECK(fixture.hub->requests().empty());
}

TEST_CASE_FIXTURE(tls_fixture, "with the authority given, files go up and down over TLS") {
  local_hub_config serving = settings_by_name();
  local_hub named_hub(fixture.context.get_executor(), serving);
  const auto config = client_of(named_hub, serving);
  client hub(fixture.context.get_executor(), config);
  fixture.run(hub.create_repo("alice/model"));
  test::write_all(folder.path() / "w.bin", test::noise(3'000'000));
  fixture.run(hub.upload_file(folder.path() / "w.bin", "w.bin", "alice/model"));
  const download_options options{.connections = 3, .chunk_size = 256 * 1024};
  const auto path = fixture.run(hub.download_file("alice/model", "w.bin", options));
  CHECK(test::read_all(path) == test::noise(3'000'000));
}

TEST_CASE_FIXTURE(tls_fixture, "what goes up to a Hub over TLS goes to no store without") {
  local_hub_config serving = settings_by_name();
  serving.public_content_endpoint.replace(0, std::string("https").size(), "http");
  local_hub named_hub(fixture.context.get_executor(), serving);
  const auto config = client_of(named_hub, serving);
  client hub(fixture.context.get_executor(), config);
  fixture.run(hub.create_repo("alice/model"));
  test::write_all(folder.path() / "w.bin", test::noise(3'000'000));
  const auto failure =
      fixture.failure_of(hub.upload_file(folder.path() / "w.bin", "w.bin", "alice/model"));
  CHECK(failure.code() == errc::invalid_response);
  CHECK(std::string(failure.what()).find("must not be followed") != std::string::npos);
}
