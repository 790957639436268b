#pragma once

#include "cohub/error.hpp"

#include "cache/local_dir.hpp"
#include "cache/repo_cache.hpp"
#include "scripted_hub.hpp"
#include "transfer/download/download_file.hpp"

#include <doctest/doctest.h>

namespace cohub::test {

/// A scripted Hub with a small file and a large one, and options to download them with.
struct download_fixture : scripted_hub {
  cache::repo_cache cached{cache::repo_layout(shared->cache_dir, repo_type::model, "o/m")};
  download_options options;

  download_fixture() {
    files["config.json"].content = "{\"a\": 1}";
    files["big.bin"].content = patterned(3u << 20);
    files["big.bin"].large = true;
    options.chunk_size = 1u << 20;
  }

  std::filesystem::path download(const std::string& path) {
    return run(transfer::download_file(shared, "o/m", path, options));
  }
  dry_run_file_info plan(const std::string& path) {
    return run(transfer::download_file_dry_run(shared, "o/m", path, options));
  }
  error failure(const std::string& path) {
    try {
      download(path);
    } catch (const error& e) {
      return e;
    }
    FAIL("nothing was thrown");
    return error(errc::invalid_argument, "");
  }
  std::string content(const std::filesystem::path& path) { return io::read_file(path, 1u << 30); }

  /// The API answers only so.
  void refuse_everything(int status, const std::string& headers = {}) {
    api_fault = [=](const seen_request&) -> std::optional<scripted_reply> {
      return scripted_reply::text(status, "", headers);
    };
  }
  /// The API answers requests that begin with `line` so.
  void answer(const std::string& line, int status, const std::string& headers) {
    api_fault = [=,
                 before = api_fault](const seen_request& request) -> std::optional<scripted_reply> {
      if (request.line.starts_with(line)) {
        auto reply = scripted_reply::text(status, "", headers);
        return reply;
      }
      if (before) return before(request);
      return {};
    };
  }
};

}  // namespace cohub::test
