#include "server/store/signed_url.hpp"

#include "core/byte_range.hpp"
#include "core/hex.hpp"
#include "core/url.hpp"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <array>
#include <span>
#include <stdexcept>

namespace cohub::server {

namespace {
constexpr std::string_view path_prefix = "/objects/";
constexpr std::string_view signature_key = "&signature=";
}  // namespace

void url_signer::replace_secret(std::string secret) {
  const std::lock_guard lock(mutex_);
  secret_ = std::move(secret);
}

std::string url_signer::signature_of(std::string_view text) const {
  const std::lock_guard lock(mutex_);
  std::array<unsigned char, EVP_MAX_MD_SIZE> bytes{};
  unsigned int length = 0;
  if (HMAC(EVP_sha256(), secret_.data(), static_cast<int>(secret_.size()),
           reinterpret_cast<const unsigned char*>(text.data()), text.size(), bytes.data(),
           &length) == nullptr)
    throw std::runtime_error("computing a signature failed");
  return core::to_hex(std::as_bytes(std::span(bytes).first(length)));
}

std::string url_signer::sign(const content_grant& grant) const {
  std::string text = std::string(path_prefix) + grant.sha256 + "?method=" + grant.method +
                     "&size=" + std::to_string(grant.size) +
                     "&expires=" + std::to_string(grant.expires);
  if (!grant.upload.empty())
    text += "&uploadId=" + grant.upload + "&partNumber=" + std::to_string(grant.part) +
            "&partSize=" + std::to_string(grant.part_size);
  if (!grant.file_name.empty()) text += "&name=" + core::percent_encode(grant.file_name);
  if (!grant.repository.empty())
    text += "&repository=" + core::percent_encode(grant.repository, "/");
  const std::string signature = signature_of(text);
  return text + std::string(signature_key) + signature;
}

std::optional<content_grant> url_signer::verify(std::string_view target, std::int64_t now) const {
  const auto at = target.rfind(signature_key);
  if (!target.starts_with(path_prefix) || at == target.npos) return std::nullopt;
  const std::string_view text = target.substr(0, at);
  const std::string_view given = target.substr(at + signature_key.size());
  const std::string expected = signature_of(text);
  if (given.size() != expected.size() ||
      CRYPTO_memcmp(given.data(), expected.data(), expected.size()) != 0)
    return std::nullopt;
  // From here on the text is our own.
  const auto question = text.find('?');
  const std::string_view query = text.substr(question + 1);
  content_grant grant;
  grant.sha256 = std::string(text.substr(path_prefix.size(), question - path_prefix.size()));
  grant.method = core::query_value(query, "method");
  grant.file_name = core::query_value(query, "name");
  grant.repository = core::query_value(query, "repository");
  const auto size = core::parse_decimal(core::query_value(query, "size"));
  const auto expires = core::parse_decimal(core::query_value(query, "expires"));
  if (!size || !expires || !core::is_hex(grant.sha256, 64)) return std::nullopt;
  grant.size = *size;
  grant.upload = core::query_value(query, "uploadId");
  grant.part = core::parse_decimal(core::query_value(query, "partNumber")).value_or(0);
  grant.part_size = core::parse_decimal(core::query_value(query, "partSize")).value_or(0);
  grant.expires = static_cast<std::int64_t>(*expires);
  if (grant.expires < now) return std::nullopt;
  return grant;
}

}  // namespace cohub::server
