#include "core/base64.hpp"

#include "core/ascii.hpp"

#include <openssl/evp.h>

#include <algorithm>

namespace cohub::core {

namespace {

bool is_base64_character(char c) noexcept { return is_alphanumeric(c) || c == '+' || c == '/'; }

}  // namespace

std::string base64_encode(std::string_view bytes) {
  std::string text(base64_length(bytes.size()) + 1, '\0');  // OpenSSL ends it with a NUL
  const int length = EVP_EncodeBlock(reinterpret_cast<unsigned char*>(text.data()),
                                     reinterpret_cast<const unsigned char*>(bytes.data()),
                                     static_cast<int>(bytes.size()));
  text.resize(static_cast<std::size_t>(length));
  return text;
}

std::string base64url_encode(std::string_view bytes) {
  auto text = base64_encode(bytes);
  std::replace(text.begin(), text.end(), '+', '-');
  std::replace(text.begin(), text.end(), '/', '_');
  return text;
}

std::optional<std::string> base64_decode(std::string_view text) {
  if (text.size() % 4 != 0) return {};
  if (text.empty()) return std::string();
  const std::size_t padding = text.ends_with("==") ? 2 : text.ends_with('=') ? 1 : 0;
  const auto content = text.substr(0, text.size() - padding);
  // OpenSSL also takes white space at either end, and padding in the middle.
  if (!is_base64_character(content.front()) || !is_base64_character(content.back()) ||
      content.find('=') != content.npos)
    return {};
  std::string bytes(text.size() / 4 * 3, '\0');
  const int length = EVP_DecodeBlock(reinterpret_cast<unsigned char*>(bytes.data()),
                                     reinterpret_cast<const unsigned char*>(text.data()),
                                     static_cast<int>(text.size()));
  if (length < 0) return {};
  bytes.resize(static_cast<std::size_t>(length) - padding);
  return bytes;
}

}  // namespace cohub::core
