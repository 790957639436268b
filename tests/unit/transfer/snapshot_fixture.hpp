#pragma once

#include "cohub/error.hpp"

#include "scripted_hub.hpp"
#include "transfer/snapshot/snapshot.hpp"

#include <set>
#include <string>

namespace cohub::test {

/// A scripted Hub with small files and a large one, and options to get them all with.
struct snapshot_fixture : scripted_hub {
  snapshot_download_options options;

  snapshot_fixture() {
    files["README.md"].content = "# model";
    files["empty.txt"].content = "";
    files["data/a.csv"].content = "a";
    files["data/b.json"].content = "{}";
    files["model.bin"].content = patterned(1u << 20);
    files["model.bin"].large = true;
  }

  std::filesystem::path download() {
    return run(transfer::snapshot_download(shared, "o/m", options));
  }
  boost::system::error_code failure() {
    try {
      download();
    } catch (const error& e) {
      return e.code();
    }
    return {};
  }
  std::set<std::string> names_below(const std::filesystem::path& path) {
    std::set<std::string> names;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(path)) {
      const auto name = entry.path().lexically_relative(path).generic_string();
      if (!entry.is_directory() && !name.starts_with(".cache")) names.insert(name);
    }
    return names;
  }
  std::set<std::string> all_names() const {
    std::set<std::string> names;
    for (const auto& [name, file] : files) names.insert(name);
    return names;
  }
};

}  // namespace cohub::test
