#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <string>

namespace cohub::server {

/// How many parameters safetensors files hold.
struct weights_summary {
  std::map<std::string, std::uint64_t> parameters{};  ///< by type of number: "BF16"
  std::uint64_t total = 0;
};

/// What one file's header says; `weights` is empty where it is no such header.
struct weights_header {
  weights_summary weights{};
  std::uint64_t size = 0;  ///< bytes that were read to know it
};

/// The headers that were read last, by the blobs that name them: listings ask for the same ones
/// again and again. Safe from several threads.
class weights_cache {
 public:
  std::optional<weights_header> find(const std::string& blob) const {
    const std::lock_guard lock(mutex_);
    const auto found = headers_.find(blob);
    if (found == headers_.end()) return std::nullopt;
    return found->second;
  }

  void keep(const std::string& blob, const weights_header& header) {
    const std::lock_guard lock(mutex_);
    if (headers_.size() >= most_headers) headers_.clear();
    headers_[blob] = header;
  }

 private:
  static constexpr std::size_t most_headers = 10'000;

  mutable std::mutex mutex_;
  std::map<std::string, weights_header> headers_;
};

}  // namespace cohub::server
