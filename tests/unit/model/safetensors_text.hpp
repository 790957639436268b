#pragma once

#include "cohub/error.hpp"
#include "cohub/safetensors.hpp"

#include <cstdint>
#include <cstring>
#include <span>
#include <string>

namespace cohub::test {

/// A file: length field, header as given, data.
inline std::string file_of(const std::string& header, const std::string& data = {}) {
  const std::uint64_t length = header.size();
  std::string bytes(8, '\0');
  std::memcpy(bytes.data(), &length, 8);
  return bytes + header + data;
}

inline safetensors_header parse(const std::string& file) {
  return parse_safetensors_header(std::as_bytes(std::span(file)), file.size(), "x.safetensors");
}

/// What a file is refused with; empty if it is accepted.
inline std::string refusal(const std::string& file) {
  try {
    parse(file);
    return {};
  } catch (const error& failure) {
    if (failure.code() != errc::invalid_safetensors) return "another code";
    return failure.what();
  }
}

}  // namespace cohub::test
