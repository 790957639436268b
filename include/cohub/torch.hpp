#pragma once

#include "cohub/error.hpp"
#include "cohub/named.hpp"
#include "cohub/safetensors.hpp"
#include "cohub/state_dict.hpp"

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

/// The weights of LibTorch modules in safetensors files that Python's torch reads and writes
/// (mixin-and-cards, sections 3 and 7.7). Target `cohub::torch`.
///
/// LibTorch's types are declared, not included: whoever has a module has its headers, which take
/// longer to compile than all of this.
///
/// @par Threads  These functions block; LibTorch copies on threads of its own.

namespace torch::nn {
class Module;
}
namespace at {
class Tensor;
}
namespace c10 {
enum class ScalarType : std::int8_t;
}

namespace cohub {

/// A state dict: names and tensors in order. The tensors are those of the module, not copies.
using torch_state_dict = std::vector<std::pair<std::string, at::Tensor>>;

/// The parameters and buffers of a module by the names and in the order of Python's `state_dict()`:
/// a module's own parameters, its own buffers, then its children. Undefined tensors (the bias of a
/// layer without one) are left out. A module that is registered twice appears under both names.
/// C++ knows no buffers that are not persistent, so every buffer is there.
torch_state_dict state_dict_of(const torch::nn::Module& module);

/// The element type in a file; nothing for those that safetensors has no name for (quantised ones,
/// 128-bit complex numbers).
std::optional<tensor_dtype> dtype_of_torch(c10::ScalarType type) noexcept;

/// A tensor as `save_state_dict` wants it. One that lies in memory as it will in the file is not
/// copied; one on another device, or with strides, is when its turn comes.
/// @throws error  errc::invalid_argument: sparse, or of a dtype that safetensors does not have
tensor_source source_of(std::string name, const at::Tensor& tensor);

/// Saves tensors to a folder: `model.safetensors`, or shards with an index.
/// @throws error  what `source_of` and `save_state_dict` throw
/// @par Mirrors  save_torch_state_dict()
state_dict_split save_torch_state_dict(const std::filesystem::path& folder,
                                       const torch_state_dict& tensors,
                                       named<save_state_dict_options> options = {});

/// Saves the weights of a module.
/// @par Mirrors  save_torch_model()
state_dict_split save_torch_model(const torch::nn::Module& module,
                                  const std::filesystem::path& folder,
                                  named<save_state_dict_options> options = {});

/// Where the names of a module and of a file differ. All sorted.
struct incompatible_keys {
  std::vector<std::string> missing{};     ///< of the module, that the file lacks
  std::vector<std::string> unexpected{};  ///< of the file, that the module lacks
  std::vector<std::string> mismatched{};  ///< of both, with another shape
};

/// Weights that do not fit the module: errc::incompatible_weights, and the text lists the names.
class incompatible_weights : public error {
 public:
  incompatible_weights(const std::string& doing, incompatible_keys keys);
  const incompatible_keys& keys() const noexcept { return *keys_; }

 private:
  std::shared_ptr<const incompatible_keys> keys_;  // copying an exception must not throw
};

struct load_torch_model_options {
  /// Missing and unexpected names are errors. Python's mixin has false, which hides that a model
  /// was loaded with random weights.
  bool strict = true;
  /// "cpu", "cuda:0": where the module is moved to first; empty: it stays where it is.
  std::string map_location{};
  std::string filename_pattern = "model{suffix}.safetensors";
};

/// Copies weights into the tensors of a module, which goes on sharing what it shares: a name that
/// is missing in the file is none if its memory is that of one that is there. All names and shapes
/// are compared before anything is copied. Values are converted where the dtypes differ.
///
/// @param path  what `safetensors_model` opens: a file, an index, a folder
/// @return  what was missing and unexpected; empty if `strict`
/// @throws incompatible_weights  another shape; with `strict`, other names
/// @throws error  errc::invalid_argument: a `map_location` that is none, a dtype that this LibTorch
///                does not have; errc::invalid_safetensors: also a file whose metadata says that it
///                is of another framework; what `safetensors_model` throws
/// @par Mirrors  load_torch_model()
incompatible_keys load_torch_model(torch::nn::Module& module, const std::filesystem::path& path,
                                   named<load_torch_model_options> options = {});

}  // namespace cohub
