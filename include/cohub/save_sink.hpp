#pragma once

#include "cohub/safetensors.hpp"

#include <filesystem>
#include <map>
#include <string>
#include <utility>
#include <vector>

namespace cohub {

/// What a save hook is given that produces its weights as they are needed:
/// @code
/// void hub_save(cohub::save_sink& sink) const {
///   sink.save_safetensors("model.safetensors", tensors());  // sources, whose functions run later
/// }
/// @endcode
/// `push_to_hub` streams such files straight into the upload, without a copy in memory or in a
/// folder; `save_pretrained` writes them. Other files go to `folder()` in both cases.
class save_sink {
 public:
  explicit save_sink(std::filesystem::path folder) : folder_(std::move(folder)) {}

  const std::filesystem::path& folder() const noexcept { return folder_; }

  /// Hands over a file. Its tensors are asked for after the hook has returned, on another thread;
  /// what they refer to must live as long as the model does.
  void save_safetensors(std::string name, std::vector<tensor_source> tensors,
                        std::map<std::string, std::string> metadata = {}) {
    files_.push_back({std::move(name), std::move(tensors), std::move(metadata)});
  }

  struct file {
    std::string name{};
    std::vector<tensor_source> tensors{};
    std::map<std::string, std::string> metadata{};
  };
  /// What was handed over; nothing afterwards.
  std::vector<file> take_files() noexcept { return std::exchange(files_, {}); }

 private:
  std::filesystem::path folder_;
  std::vector<file> files_{};
};

}  // namespace cohub
