#include "http/trace_id.hpp"

#include "core/hex.hpp"
#include "core/secrets.hpp"

#include <array>
#include <cstddef>

namespace cohub::http {

namespace {

constexpr std::size_t longest_id = 200;  // a hostile one may fill a head

}  // namespace

std::string uuid4(std::uint64_t high, std::uint64_t low) {
  high = (high & ~std::uint64_t{0xf000}) | 0x4000;                     // the version
  low = (low & ~(std::uint64_t{3} << 62)) | (std::uint64_t{2} << 62);  // the variant
  std::array<std::byte, 16> bytes{};
  for (std::size_t i = 0; i < 8; ++i) {
    bytes[i] = static_cast<std::byte>(high >> (56 - 8 * i));
    bytes[8 + i] = static_cast<std::byte>(low >> (56 - 8 * i));
  }
  auto text = core::to_hex(bytes);
  for (const std::size_t dash : {8, 13, 18, 23}) text.insert(dash, 1, '-');
  return text;
}

std::string choose_trace_id(const fields& headers, const fields& home_headers,
                            std::mt19937_64& random) {
  for (const char* name : {trace_field, "X-Request-Id"})
    for (const auto* some : {&home_headers, &headers})
      if (const auto own = some->get(name); !own.empty()) return std::string(own);
  const auto high = random();
  return uuid4(high, random());
}

std::string answered_id(const fields& headers) {
  for (const char* name : {"X-Request-Id", trace_field, "x-amz-cf-id"})
    if (const auto id = headers.get(name); !id.empty())
      return core::conceal_secrets(std::string(id.substr(0, longest_id)));
  return {};
}

}  // namespace cohub::http
