#include "http/trace_id.hpp"

#include <array>
#include <cstdio>

namespace cohub::http {

std::string uuid4(std::uint64_t high, std::uint64_t low) {
  high = (high & ~std::uint64_t{0xf000}) | 0x4000;                     // the version
  low = (low & ~(std::uint64_t{3} << 62)) | (std::uint64_t{2} << 62);  // the variant
  std::array<char, 40> text{};
  std::snprintf(text.data(), text.size(), "%08llx-%04llx-%04llx-%04llx-%012llx",
                static_cast<unsigned long long>(high >> 32),
                static_cast<unsigned long long>(high >> 16 & 0xffff),
                static_cast<unsigned long long>(high & 0xffff),
                static_cast<unsigned long long>(low >> 48),
                static_cast<unsigned long long>(low & 0xffff'ffff'ffff));
  return text.data();
}

std::string choose_trace_id(const fields& headers, const fields& home_headers,
                            std::mt19937_64& random) {
  for (const char* name : {trace_field, "X-Request-Id"})
    for (const auto* some : {&home_headers, &headers})
      if (const auto own = some->get(name); !own.empty()) return std::string(own);
  const auto high = random();
  return uuid4(high, random());
}

std::string_view answered_id(const fields& headers) noexcept {
  for (const char* name : {"X-Request-Id", trace_field, "x-amz-cf-id"})
    if (const auto id = headers.get(name); !id.empty()) return id;
  return {};
}

}  // namespace cohub::http
