#pragma once

#include <chrono>
#include <ctime>
#include <filesystem>
#include <map>
#include <optional>
#include <set>
#include <utility>

namespace cohub::cache {

/// What the snapshots of a repository lead to, as often as it is asked for. Blocking.
///
/// The links are read again only if a folder changed since, or changed so lately that its time
/// could not tell.
class blob_links {
 public:
  /// @param repo         free of links
  /// @param granularity  two changes within it may leave the same time on a folder
  explicit blob_links(std::filesystem::path repo,
                      std::chrono::milliseconds granularity = std::chrono::seconds(2))
      : repo_(std::move(repo)), granularity_(granularity) {}

  /// Null if some folder cannot be read, so that any blob may be in use.
  const std::set<std::filesystem::path>* current();

 private:
  void read();
  bool is_unchanged() const;

  std::filesystem::path repo_;
  std::chrono::milliseconds granularity_;
  std::optional<std::set<std::filesystem::path>> linked_{};
  std::map<std::filesystem::path, std::timespec> folders_{};  // and when each last changed
  bool is_settled_ = false;
};

}  // namespace cohub::cache
