#pragma once

#include "cohub/safetensors.hpp"

#include <cstddef>
#include <functional>
#include <span>
#include <string>
#include <vector>

namespace cohub::model {

/// Writes a file in steps, none of which takes longer than the making of one tensor: a step is one
/// call of a function that produces, or a few MiB of content that is there.
class safetensors_steps {
 public:
  using output = std::function<void(std::span<const std::byte>)>;

  /// @throws error  as `save_safetensors`, for all that is wrong with names, shapes and the header
  safetensors_steps(std::vector<tensor_source> tensors, const save_safetensors_options& options);
  safetensors_steps(safetensors_steps&&) = delete;

  /// Hands over the next bytes of the file, in pieces of at least 256 KiB but for the last of a
  /// step and those of large tensors. False, and nothing, when all of it was handed over.
  /// @throws error  as `save_safetensors`; what a function throws. Final either way.
  bool next(const output& out);

 private:
  void gather(std::span<const std::byte> bytes, const output& out);
  void flush(const output& out);
  void produce(const tensor_source& tensor, const output& out);
  /// A part of content that is there.
  void copy(std::span<const std::byte> content, const output& out);

  std::vector<tensor_source> tensors_;
  std::string header_;
  std::vector<std::byte> gathered_{};
  std::size_t tensor_ = 0;       // the next one
  std::size_t begun_ = 0;        // bytes of it that were handed over
  std::size_t handed_over_ = 0;  // in this step
};

/// Writes a file in order.
void write_safetensors(std::vector<tensor_source> tensors, const save_safetensors_options& options,
                       const std::function<void(std::span<const std::byte>)>& out);

}  // namespace cohub::model
