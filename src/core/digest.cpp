#include "core/digest.hpp"

#include "core/hex.hpp"

#include <openssl/evp.h>

#include <array>
#include <new>

namespace cohub::core {

namespace {

EVP_MD_CTX* as_context(void* context) noexcept { return static_cast<EVP_MD_CTX*>(context); }

std::string whole(digest::algorithm which, std::string_view bytes) {
  digest running(which);
  running.update(bytes);
  return running.hex_digest();
}

}  // namespace

void digest::free_context::operator()(void* context) const noexcept {
  EVP_MD_CTX_free(as_context(context));
}

digest::digest(algorithm which) : context_(EVP_MD_CTX_new()) {
  const EVP_MD* const kind = which == algorithm::sha256 ? EVP_sha256() : EVP_sha1();
  if (!context_ || EVP_DigestInit_ex(as_context(context_.get()), kind, nullptr) != 1)
    throw std::bad_alloc();
}

digest::digest(digest&&) noexcept = default;
digest& digest::operator=(digest&&) noexcept = default;
digest::~digest() = default;

void digest::update(std::span<const std::byte> bytes) {
  EVP_DigestUpdate(as_context(context_.get()), bytes.data(), bytes.size());
}

void digest::update(std::string_view text) { update(std::as_bytes(std::span(text))); }

std::string digest::raw_digest() {
  std::array<unsigned char, EVP_MAX_MD_SIZE> bytes{};
  unsigned size = 0;
  EVP_DigestFinal_ex(as_context(context_.get()), bytes.data(), &size);
  return {reinterpret_cast<const char*>(bytes.data()), size};
}

std::string digest::hex_digest() {
  const auto raw = raw_digest();
  return to_hex(std::as_bytes(std::span(raw)));
}

std::string sha256_hex(std::string_view bytes) { return whole(digest::algorithm::sha256, bytes); }

digest git_blob_digest(std::uint64_t size) {
  digest running(digest::algorithm::sha1);
  const std::string header = "blob " + std::to_string(size);
  running.update(std::string_view(header.c_str(), header.size() + 1));  // with the final NUL
  return running;
}

}  // namespace cohub::core
