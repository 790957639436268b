#pragma once

#include "cohub/error.hpp"

#include "scripted_hub.hpp"
#include "transfer/download/download_content.hpp"

#include <doctest/doctest.h>

#include <filesystem>
#include <optional>
#include <set>
#include <string>

/// A file of a scripted Hub and where its content goes, for tests.
namespace cohub::test {

inline constexpr std::size_t mib = 1u << 20;

struct content_fixture : scripted_hub {
  std::filesystem::path destination = folder.path() / "blobs" / "etag";
  transfer::content_settings settings;

  content_fixture() {
    settings.connections = 4;
    settings.chunk_size = mib;
    settings.observer = observer;
    io::create_directories(destination.parent_path());
  }

  transfer::content_description describe(const std::string& name) {
    transfer::content_description what;
    what.name = name;
    what.resolve =
        core::parse_url(api.origin() + "/o/m/resolve/" + scripted_commit + "/" + name).value();
    what.credentials.set("Authorization", "Bearer hf_secret");
    what.size = files.at(name).content.size();
    what.etag = etag_of(name);
    return what;
  }

  void host(std::size_t size, bool large = true) {
    files["f.bin"].content = patterned(size);
    files["f.bin"].large = large;
  }

  void download() {
    run(transfer::download_content(shared, describe("f.bin"), destination, destination, settings));
  }

  boost::system::error_code failure() {
    try {
      download();
    } catch (const error& e) {
      return e.code();
    }
    return {};
  }

  bool is_right() { return io::read_file(destination, 1u << 30) == files["f.bin"].content; }

  std::set<std::string> left_behind() {
    std::set<std::string> names;
    for (const auto& entry : std::filesystem::directory_iterator(destination.parent_path()))
      names.insert(entry.path().filename().string());
    return names;
  }

  /// The range of a request for the content; nothing for another request.
  static std::optional<core::byte_range> range_of(const seen_request& request) {
    const auto text = request.header("range");
    if (text.empty()) return {};
    return core::parse_range_header(text, 1ull << 40).range;
  }

  /// The right answer, cut after `bytes` of its body.
  scripted_reply cut(const seen_request& request, std::size_t bytes) {
    auto reply = send(request, files["f.bin"].content, "");
    reply.bytes.resize(std::min(reply.bytes.size(), reply.bytes.find("\r\n\r\n") + 4 + bytes));
    reply.after = scripted_reply::then::close;
    return reply;
  }
};

}  // namespace cohub::test
