#pragma once

#include "cohub/named.hpp"
#include "cohub/safetensors.hpp"
#include "cohub/state_dict.hpp"

#include <filesystem>
#include <map>
#include <set>
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
///
/// Tensors are asked for after the hook has returned, on another thread: what they refer to must
/// live as long as the model does. Locals of the hook do not, and neither does what a lambda in it
/// captures by reference; a function that captures its values by copy keeps them.
class save_sink {
 public:
  explicit save_sink(std::filesystem::path folder) : folder_(std::move(folder)) {}

  const std::filesystem::path& folder() const noexcept { return folder_; }

  /// Hands over a file.
  /// @param name  where it goes below the folder and in the repository; each name once, and not one
  ///              that the hook itself writes to the folder: saving is then errc::invalid_argument
  /// @throws error  errc::invalid_path: a name that leads elsewhere, or that no repository may
  /// have;
  ///                errc::invalid_argument: a file of that name was handed over already
  void save_safetensors(std::string name, std::vector<tensor_source> tensors,
                        std::map<std::string, std::string> metadata = {});

  /// Hands over the weights of a model as `cohub::save_state_dict` writes them: one file, or shards
  /// with an index; tensors that share memory once. Nothing is asked for yet. Without tensors it is
  /// one file that has none, so that the model can be loaded again.
  /// With `is_main_process` false, nothing that an older save or push left is removed.
  /// @return  which tensors will be where, without dropped names
  /// @throws error  as `cohub::save_state_dict` for all that is known before contents are;
  ///                errc::invalid_argument: weights under that pattern were handed over already
  state_dict_split save_state_dict(std::vector<tensor_source> tensors,
                                   named<save_state_dict_options> options = {});

  struct file {
    std::string name{};
    std::vector<tensor_source> tensors{};
    std::map<std::string, std::string> metadata{};
  };
  /// The small files that go with them: an index.
  struct text_file {
    std::string name{};
    std::string text{};
  };
  /// What was handed over; nothing afterwards.
  std::vector<file> take_files() noexcept { return std::exchange(files_, {}); }
  std::vector<text_file> take_texts() noexcept { return std::exchange(texts_, {}); }
  /// All names that were handed over, also of what was taken since.
  const std::set<std::string>& names() const noexcept { return names_; }
  /// False if weights were saved with `save_state_dict_options::is_main_process` false.
  bool is_main_process() const noexcept { return is_main_process_; }

 private:
  std::filesystem::path folder_;
  std::vector<file> files_{};
  std::vector<text_file> texts_{};
  std::set<std::string> names_{};
  bool is_main_process_ = true;
};

}  // namespace cohub
