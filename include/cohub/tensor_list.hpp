#pragma once

#include "cohub/safetensors.hpp"
#include "cohub/safetensors_model.hpp"
#include "cohub/tensor_dtype.hpp"

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

namespace cohub {

/// The tensors of a model, each a member of it by a name: told once, for saving and for loading.
/// @code
/// static cohub::tensor_list hub_tensors(auto& self) {
///   return cohub::tensor_list()
///       .add("linear.weight", {self.classes(), self.features()}, self.weight_)
///       .add("linear.bias", self.bias_);
/// }
/// @endcode
/// It refers to the members, which must outlive it and keep their sizes meanwhile.
class tensor_list {
 public:
  /// Adds a member: a contiguous range of numbers (a vector, an array, a named span), in row-major
  /// order. The elements' type is the tensor's (`dtype_of`), when it is saved and in what is
  /// loaded.
  /// @param shape  as many elements as the member has
  template <class Range>
  tensor_list& add(std::string name, std::vector<std::uint64_t> shape, Range& values) {
    const std::span view(values);
    using element = std::remove_cv_t<typename decltype(view)::element_type>;
    static_assert(dtype_of<element>.has_value(), "no tensor element is of this C++ type");
    return add(std::move(name), *dtype_of<element>, std::move(shape), values);
  }
  /// Adds a member of one dimension.
  template <class Range>
  tensor_list& add(std::string name, Range& values) {
    const std::uint64_t count = std::span(values).size();
    return add(std::move(name), {count}, values);
  }
  /// Adds a member that holds the bits of elements that no C++ type stands for: BF16 and F16 as
  /// `std::uint16_t`, BOOL and 8-bit floats as `std::uint8_t`.
  /// @code
  /// list.add("embed.weight", cohub::tensor_dtype::bf16, {rows, columns}, self.embedding_bits_)
  /// @endcode
  /// @param dtype  of the tensor that is saved, and of the one that is loaded
  /// @throws error  errc::invalid_argument: the member cannot hold such elements (`holds`)
  template <class Range>
  tensor_list& add(std::string name, tensor_dtype dtype, std::vector<std::uint64_t> shape,
                   Range& values) {
    const std::span view(values);
    using element = typename decltype(view)::element_type;
    member made;
    made.source = tensor_of(std::move(name), std::move(shape), view);
    made.source.dtype = dtype;
    made.could_hold = &holds<std::remove_cv_t<element>>;
    if (!made.could_hold(dtype)) refuse_dtype(made.source);
    if constexpr (std::is_const_v<element>)
      made.is_const = true;
    else
      made.room = std::as_writable_bytes(view);
    members_.push_back(std::move(made));
    return *this;
  }
  /// Adds a member of one dimension. `{}` in its place is no dtype: it is the shape of a scalar.
  template <class Range, std::same_as<tensor_dtype> Dtype>
  tensor_list& add(std::string name, Dtype dtype, Range& values) {
    const std::uint64_t count = std::span(values).size();
    return add(std::move(name), dtype, {count}, values);
  }

  /// For `save_state_dict` and `save_sink::save_state_dict`: nothing is copied.
  std::vector<tensor_source> sources() const;

  /// Copies the saved values into the members, after all names, dtypes and shapes have been
  /// compared: where one does not fit, no member is changed.
  /// @throws error  errc::incompatible_weights, naming the file and what is missing, unexpected, or
  ///                of another dtype or shape, also where the member could hold the bits of the
  ///                saved dtype: saving them again would call them something else, so that dtype
  ///                must be told with `add`; errc::invalid_argument: the list is of a const model;
  ///                and those of `tensor_view::copy_to`, after which some members are changed
  void load(const safetensors_model& saved) const;

 private:
  struct member {
    tensor_source source{};
    std::span<std::byte> room{};
    bool (*could_hold)(tensor_dtype) noexcept = nullptr;
    bool is_const = false;
  };

  [[noreturn]] static void refuse_dtype(const tensor_source& told);

  std::vector<member> members_{};
};

}  // namespace cohub
