#pragma once

#include "cohub/error.hpp"
#include "cohub/remote_file.hpp"

#include "scripted_hub.hpp"
#include "transfer/remote_file/remote_file.hpp"

#include <algorithm>
#include <optional>
#include <string>

namespace cohub::test {

inline constexpr std::size_t mib = 1u << 20;

/// A Hub with one file, "f.bin", that is opened and read.
struct open_file_fixture : scripted_hub {
  open_file_options options;

  void host(std::size_t size, bool large = true) {
    files["f.bin"].content = test::patterned(size);
    files["f.bin"].large = large;
  }
  const std::string& content() { return files["f.bin"].content; }

  remote_file open() { return run(transfer::open_file(shared, "o/m", "f.bin", options)); }

  std::string read_at(const remote_file& file, std::uint64_t offset, std::size_t size) {
    std::string bytes(size, '\0');
    bytes.resize(run(file.read_at(offset, std::as_writable_bytes(std::span(bytes)))));
    return bytes;
  }
  std::string read(remote_file& file, std::size_t size) {
    std::string bytes(size, '\0');
    bytes.resize(run(file.read(std::as_writable_bytes(std::span(bytes)))));
    return bytes;
  }
  std::string read_all(remote_file& file, std::size_t step) {
    std::string all;
    for (;;) {
      const auto piece = read(file, step);
      all += piece;
      if (piece.size() < step) return all;
    }
  }

  template <class Action>
  boost::system::error_code failure_of(Action action) {
    try {
      action();
    } catch (const error& e) {
      return e.code();
    }
    return {};
  }

  /// Lets what was posted run.
  void settle() {
    context.restart();
    while (context.poll_one() > 0) {
    }
  }

  static std::optional<core::byte_range> range_of(const seen_request& request) {
    const auto text = request.header("range");
    if (text.empty()) return {};
    return core::parse_range_header(text, 1ull << 40).range;
  }

  /// The right answer, cut after `bytes` of its body.
  scripted_reply cut(const seen_request& request, std::size_t bytes,
                     scripted_reply::then after = scripted_reply::then::close) {
    auto reply = send(request, content(), "ETag: \"content-of-f.bin\"\r\n");
    reply.bytes.resize(std::min(reply.bytes.size(), reply.bytes.find("\r\n\r\n") + 4 + bytes));
    reply.after = after;
    return reply;
  }

  /// Makes the server send the whole content whatever is asked for.
  void ignore_ranges() {
    content_fault = [this](const seen_request&) -> std::optional<scripted_reply> {
      return scripted_reply::text(200, content());
    };
  }
};

}  // namespace cohub::test
