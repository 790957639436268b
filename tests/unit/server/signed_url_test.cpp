#include "server/store/signed_url.hpp"

#include <doctest/doctest.h>

using cohub::server::content_grant;
using cohub::server::url_signer;

namespace {
content_grant sample() {
  content_grant grant;
  grant.method = "GET";
  grant.sha256 = std::string(64, 'a');
  grant.size = 12;
  grant.file_name = "a b&c=d.bin";
  grant.expires = 1000;
  return grant;
}
}  // namespace

TEST_CASE("a signed url says what it allows, until it expires") {
  const url_signer signer("secret");
  const std::string target = signer.sign(sample());
  const auto grant = signer.verify(target, 1000);
  REQUIRE(grant);
  CHECK(grant->method == "GET");
  CHECK(grant->sha256 == std::string(64, 'a'));
  CHECK(grant->size == 12);
  CHECK(grant->file_name == "a b&c=d.bin");
  CHECK_FALSE(signer.verify(target, 1001));
}

TEST_CASE("a signed url that was changed anywhere is worth nothing") {
  const url_signer signer("secret");
  const std::string target = signer.sign(sample());
  for (std::size_t i = 0; i < target.size(); ++i) {
    std::string changed = target;
    changed[i] = changed[i] == '1' ? '2' : '1';
    CHECK_FALSE(signer.verify(changed, 0));
  }
  CHECK_FALSE(signer.verify(target + "0", 0));
  CHECK_FALSE(signer.verify(target.substr(0, target.size() - 1), 0));
  CHECK_FALSE(signer.verify("/objects/" + std::string(64, 'a'), 0));
  CHECK_FALSE(url_signer("another").verify(target, 0));
}
