#include "cohub/safetensors_model.hpp"
#include "cohub/torch.hpp"
#include "cohub/torch_model_hub_mixin.hpp"

#include <torch/nn/module.h>
#include <torch/utils.h>
#include <torch/version.h>

#include <algorithm>
#include <array>
#include <map>

namespace cohub {

namespace {

namespace json = boost::json;

constexpr std::array all_types {
  torch::kBool, torch::kUInt8, torch::kInt8, torch::kInt16, torch::kFloat16, torch::kBFloat16,
      torch::kInt32, torch::kFloat32, torch::kFloat64, torch::kComplexFloat, torch::kInt64,
#if TORCH_VERSION_MAJOR > 2 || (TORCH_VERSION_MAJOR == 2 && TORCH_VERSION_MINOR >= 3)
      torch::kUInt16, torch::kUInt32, torch::kUInt64, torch::kFloat8_e5m2, torch::kFloat8_e4m3fn,
      torch::kFloat8_e5m2fnuz, torch::kFloat8_e4m3fnuz,
#endif
};

torch::ScalarType torch_type_of(const tensor_view& tensor) {
  // Any byte but 0 is true; a bool in memory may be 0 and 1 only.
  if (tensor.dtype() == tensor_dtype::boolean) return torch::kUInt8;
  for (const auto type : all_types)
    if (dtype_of_torch(type) == tensor.dtype()) return type;
  throw error(errc::invalid_argument, "loading the tensor \"" + tensor.name() +
                                          "\": this LibTorch " + "has no dtype for " +
                                          std::string(to_string(tensor.dtype())));
}

std::vector<std::int64_t> shape_of(const tensor_view& tensor) {
  return {tensor.shape().begin(), tensor.shape().end()};
}

/// Whether the bytes of a tensor of that type and shape can be read right into the memory of
/// `into`.
bool takes_bytes(const torch::Tensor& into, torch::ScalarType type,
                 const std::vector<std::int64_t>& shape) {
  return into.device().is_cpu() && into.scalar_type() == type && into.sizes() == shape &&
         into.is_contiguous() && !into.is_conj() && !into.is_neg() && !into.is_inference();
}

void copy_in(torch::Tensor into, const tensor_view& from) {
  if (from.bytes().empty()) return;
  const auto type = torch_type_of(from);
  const auto shape = shape_of(from);
  if (takes_bytes(into, type, shape)) {
    from.copy_to({static_cast<std::byte*>(into.data_ptr()), into.nbytes()});
    into.unsafeGetTensorImpl()->bump_version();  // as copy_ would, for graphs that saved the values
    return;
  }
  // The mapping is read-only, and so is all that copy_ does with its source.
  auto* const data = const_cast<std::byte*>(from.bytes().data());
  const auto alignment = static_cast<std::uintptr_t>(torch::elementSize(type));
  if (reinterpret_cast<std::uintptr_t>(data) % alignment == 0) {
    into.copy_(torch::from_blob(data, shape, torch::TensorOptions(type)));
  } else {
    const auto aligned = torch::empty(shape, torch::TensorOptions(type));
    from.copy_to({static_cast<std::byte*>(aligned.data_ptr()), aligned.nbytes()});
    into.copy_(aligned);
  }
}

tensor_storage storage_of(const torch::Tensor& tensor) { return *source_of({}, tensor).storage; }

/// Whether the memory of `inner` is a part of `outer`'s.
bool lies_in(const tensor_storage& inner, const tensor_storage& outer) {
  return inner.address == outer.address && inner.size == outer.size && outer.begin <= inner.begin &&
         inner.end <= outer.end;
}

/// Names of tensors that are no part of one that is copied in.
std::vector<std::string> missing_of(
    const torch_state_dict& absent,
    const std::vector<std::pair<torch::Tensor, tensor_view>>& copies) {
  if (absent.empty()) return {};
  std::multimap<const void*, tensor_storage> written;
  for (const auto& copy : copies) {
    const auto storage = storage_of(copy.first);
    written.emplace(storage.address, storage);
  }
  std::vector<std::string> missing;
  for (const auto& [name, tensor] : absent) {
    const auto storage = storage_of(tensor);
    const auto [first, last] = written.equal_range(storage.address);
    if (std::none_of(first, last,
                     [&](const auto& outer) { return lies_in(storage, outer.second); }))
      missing.push_back(name);
  }
  return missing;
}

void check_format(const safetensors_model& model, const std::filesystem::path& path) {
  for (const auto& file : model.files()) {
    const auto format = file.metadata().find("format");
    if (format != file.metadata().end() && format->second != "pt" && format->second != "mlx")
      throw error(errc::invalid_safetensors, "loading " + path.string() +
                                                 " into a torch module: its format is \"" +
                                                 format->second.substr(0, 40) + "\", not \"pt\"");
  }
}

void move_to(torch::nn::Module& module, const std::string& device) {
  if (device.empty()) return;
  try {
    module.to(torch::Device(device));
  } catch (const c10::Error& failure) {
    throw error(errc::invalid_argument,
                "moving a module to \"" + device + "\": " + failure.what_without_backtrace());
  }
}

std::string list_of(const char* title, const std::vector<std::string>& names) {
  if (names.empty()) return {};
  constexpr std::size_t most = 20;
  std::string text = std::string("; ") + title + ": ";
  for (std::size_t i = 0; i < std::min(most, names.size()); ++i)
    text += (i > 0 ? ", " : "") + names[i].substr(0, 200);
  if (names.size() > most) text += ", and " + std::to_string(names.size() - most) + " more";
  return text;
}

std::string describe(const std::string& doing, const incompatible_keys& keys) {
  return doing + list_of("missing", keys.missing) + list_of("unexpected", keys.unexpected) +
         list_of("of another shape", keys.mismatched);
}

}  // namespace

incompatible_weights::incompatible_weights(const std::string& doing, incompatible_keys keys)
    : error(errc::incompatible_weights, describe(doing, keys)),
      keys_(std::make_shared<const incompatible_keys>(std::move(keys))) {}

incompatible_keys load_torch_model(torch::nn::Module& module, const std::filesystem::path& path,
                                   named<load_torch_model_options> options) {
  const safetensors_model_options opening{.filename_pattern = options->filename_pattern};
  const safetensors_model model(path, opening);
  check_format(model, path);
  move_to(module, options->map_location);

  const auto tensors = state_dict_of(module);
  std::vector<std::pair<torch::Tensor, tensor_view>> copies;
  torch_state_dict absent;
  std::vector<std::string> known;
  incompatible_keys keys;
  for (const auto& [name, tensor] : tensors) {
    known.push_back(name);
    const auto found = model.find(name);
    if (!found) {
      absent.emplace_back(name, tensor);
      continue;
    }
    torch_type_of(*found);
    if (tensor.sizes() != torch::IntArrayRef(shape_of(*found))) keys.mismatched.push_back(name);
    copies.emplace_back(tensor, *found);
  }
  keys.missing = missing_of(absent, copies);
  std::sort(known.begin(), known.end());
  for (std::size_t i = 0; i < model.size(); ++i)
    if (!std::binary_search(known.begin(), known.end(), model[i].name()))
      keys.unexpected.push_back(model[i].name());
  for (auto* names : {&keys.missing, &keys.unexpected, &keys.mismatched})
    std::sort(names->begin(), names->end());
  const bool differs = !keys.missing.empty() || !keys.unexpected.empty();
  if (!keys.mismatched.empty() || (options->strict && differs))
    throw incompatible_weights("loading " + path.string(), std::move(keys));

  const torch::NoGradGuard no_gradients;
  for (const auto& [into, from] : copies) copy_in(into, from);
  return keys;
}

load_torch_model_options torch_options_of(const from_pretrained_options& options) {
  load_torch_model_options result;
  result.map_location = "cpu";
  const auto refuse = [](const std::string& what) {
    throw error(errc::invalid_argument, "loading a torch model: the extra option " + what);
  };
  for (const auto& item : options.extra)
    if (item.key() != "strict" && item.key() != "map_location")
      refuse('"' + std::string(item.key().substr(0, 80)) +
             "\" is neither \"strict\" nor \"map_location\"");
  if (const auto* strict = options.extra.if_contains("strict")) {
    if (!strict->is_bool()) refuse("\"strict\" must be true or false");
    result.strict = strict->get_bool();
  }
  if (const auto* device = options.extra.if_contains("map_location")) {
    if (!device->is_string()) refuse("\"map_location\" must be text");
    result.map_location = std::string(device->get_string());
  }
  return result;
}

}  // namespace cohub
