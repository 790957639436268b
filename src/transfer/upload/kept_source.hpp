#pragma once

#include "transfer/context.hpp"
#include "transfer/upload/upload_content.hpp"

#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace cohub::transfer {

/// Content for a commit that may be tried several times: a source that is read once, the first
/// time, and kept from then on, or bytes that all tries share.
class kept_source final : public upload_source {
 public:
  explicit kept_source(std::shared_ptr<upload_source> source) : source_(std::move(source)) {}
  explicit kept_source(std::string bytes) : content_(bytes_content(std::move(bytes))) {}

  /// @throws error  errc::invalid_argument: it was not read to its end before; what the source
  ///                throws
  awaitable<upload_content_ptr> open(context_ptr shared);
  /// It was begun, and cannot be had any more.
  bool is_spent() const noexcept { return begun_ && !content_; }

  /// It is opened instead.
  /// @throws error  errc::invalid_argument
  awaitable<std::size_t> read(std::span<std::byte> buffer) override;

 private:
  std::shared_ptr<upload_source> source_{};
  upload_content_ptr content_{};
  bool begun_ = false;
};

/// Makes sources and bytes of the operations such that they can be committed again.
void keep_sources(std::vector<commit_operation>& operations);

/// Whether one of those cannot be had any more.
bool has_spent_source(const std::vector<commit_operation>& operations);

}  // namespace cohub::transfer
