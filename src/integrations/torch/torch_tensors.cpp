#include "cohub/torch.hpp"

#include <c10/util/complex.h>
#include <torch/nn/module.h>
#include <torch/version.h>

#include <span>

namespace cohub {

namespace {

void add_tensors(const torch::nn::Module& module, const std::string& prefix,
                 torch_state_dict& into) {
  for (const auto& item : module.named_parameters(false))
    if (item.value().defined()) into.emplace_back(prefix + item.key(), item.value());
  for (const auto& item : module.named_buffers(false))
    if (item.value().defined()) into.emplace_back(prefix + item.key(), item.value());
  for (const auto& child : module.named_children())
    add_tensors(*child.value(), prefix + child.key() + '.', into);
}

[[noreturn]] void refuse(const std::string& name, const std::string& reason) {
  throw error(errc::invalid_argument, "saving the tensor \"" + name + "\": " + reason);
}

std::span<const std::byte> bytes_of(const torch::Tensor& tensor) {
  return {static_cast<const std::byte*>(tensor.data_ptr()), tensor.nbytes()};
}

tensor_storage storage_of(const torch::Tensor& tensor) {
  tensor_storage place;
  place.address = tensor.storage().data_ptr().get();
  place.size = tensor.storage().nbytes();
  const auto element = static_cast<std::uint64_t>(tensor.element_size());
  place.begin = static_cast<std::uint64_t>(tensor.storage_offset()) * element;
  place.end = place.begin;
  if (tensor.numel() == 0) return place;
  std::uint64_t last = 0;
  for (std::int64_t i = 0; i < tensor.dim(); ++i)
    last += static_cast<std::uint64_t>((tensor.size(i) - 1) * tensor.stride(i));
  place.end += (last + 1) * element;
  return place;
}

}  // namespace

torch_state_dict state_dict_of(const torch::nn::Module& module) {
  torch_state_dict result;
  add_tensors(module, {}, result);
  return result;
}

std::optional<tensor_dtype> dtype_of_torch(torch::ScalarType type) noexcept {
  switch (type) {
    case torch::kBool:
      return tensor_dtype::boolean;
    case torch::kUInt8:
      return tensor_dtype::u8;
    case torch::kInt8:
      return tensor_dtype::i8;
    case torch::kInt16:
      return tensor_dtype::i16;
    case torch::kFloat16:
      return tensor_dtype::f16;
    case torch::kBFloat16:
      return tensor_dtype::bf16;
    case torch::kInt32:
      return tensor_dtype::i32;
    case torch::kFloat32:
      return tensor_dtype::f32;
    case torch::kComplexFloat:
      return tensor_dtype::c64;
    case torch::kFloat64:
      return tensor_dtype::f64;
    case torch::kInt64:
      return tensor_dtype::i64;
#if TORCH_VERSION_MAJOR > 2 || (TORCH_VERSION_MAJOR == 2 && TORCH_VERSION_MINOR >= 3)
    case torch::kUInt16:
      return tensor_dtype::u16;
    case torch::kUInt32:
      return tensor_dtype::u32;
    case torch::kUInt64:
      return tensor_dtype::u64;
    case torch::kFloat8_e5m2:
      return tensor_dtype::f8_e5m2;
    case torch::kFloat8_e4m3fn:
      return tensor_dtype::f8_e4m3;
    case torch::kFloat8_e5m2fnuz:
      return tensor_dtype::f8_e5m2fnuz;
    case torch::kFloat8_e4m3fnuz:
      return tensor_dtype::f8_e4m3fnuz;
#endif
    default:
      return {};
  }
}

tensor_source source_of(std::string name, const torch::Tensor& tensor) {
  if (!tensor.defined()) refuse(name, "it is undefined");
  if (tensor.layout() != torch::kStrided) refuse(name, "it is sparse");
  const auto dtype = dtype_of_torch(tensor.scalar_type());
  if (!dtype)
    refuse(name,
           std::string("safetensors has no dtype for ") + torch::toString(tensor.scalar_type()));
  tensor_source source;
  source.name = std::move(name);
  source.dtype = *dtype;
  for (const auto extent : tensor.sizes())
    source.shape.push_back(static_cast<std::uint64_t>(extent));
  source.storage = storage_of(tensor);
  if (tensor.is_cpu() && tensor.is_contiguous() && !tensor.is_conj() && !tensor.is_neg()) {
    source.content = bytes_of(tensor);
  } else {
    source.content = [tensor](const tensor_sink& sink) {
      sink(bytes_of(tensor.detach().resolve_conj().resolve_neg().to(torch::kCPU).contiguous()));
    };
  }
  return source;
}

state_dict_split save_torch_state_dict(const std::filesystem::path& folder,
                                       const torch_state_dict& tensors,
                                       named<save_state_dict_options> options) {
  std::vector<tensor_source> sources;
  sources.reserve(tensors.size());
  for (const auto& [name, tensor] : tensors) sources.push_back(source_of(name, tensor));
  return save_state_dict(folder, std::move(sources), std::move(options));
}

state_dict_split save_torch_model(const torch::nn::Module& module,
                                  const std::filesystem::path& folder,
                                  named<save_state_dict_options> options) {
  return save_torch_state_dict(folder, state_dict_of(module), std::move(options));
}

}  // namespace cohub
