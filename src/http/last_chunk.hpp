#pragma once

#include <string_view>

namespace cohub::http {

/// Whether what has come of a chunked body begins with a last chunk ("0", "00", "0;") that may be
/// cut. Beast 1.81 takes it for granted that a last chunk which it has seen once is five bytes long
/// when it sees it again: the parser gets it when it is. More bytes follow in any body that is
/// well-formed, also where these are content.
constexpr bool is_cut_last_chunk(std::string_view ahead) noexcept {
  return ahead.size() < 5 && ahead.starts_with('0') && ahead.find("\r\n") != ahead.npos;
}

}  // namespace cohub::http
