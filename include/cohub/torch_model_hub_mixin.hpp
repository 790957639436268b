#pragma once

#include "cohub/detail/on_pool.hpp"
#include "cohub/download_safetensors.hpp"
#include "cohub/model_hub_mixin.hpp"
#include "cohub/torch.hpp"

#include <filesystem>
#include <memory>
#include <type_traits>
#include <utility>

namespace cohub {

/// `load_torch_model_options` as told by `from_pretrained_options::extra`: the members "strict" and
/// "map_location", which default to true and "cpu".
/// @throws error  errc::invalid_argument: one of another type
load_torch_model_options torch_options_of(const from_pretrained_options& options);

/// Gives a `torch::nn::Module` `save_pretrained`, `push_to_hub` and `from_pretrained`:
/// @code
/// struct net_impl : torch::nn::Module, cohub::torch_model_hub_mixin<net_impl> {
///   explicit net_impl(net_config config = {});
///   const net_config& config() const;  // leave out both if there is nothing to configure
/// };
/// TORCH_MODULE_IMPL(net, net_impl);
///
/// net model(co_await net_impl::from_pretrained(hub, "me/net"));
/// co_await model->push_to_hub(hub, "me/net");
/// @endcode
///
/// Weights are written to `model.safetensors`, above 5 GB to shards with an index, both read back
/// from folders and from the Hub. Loading makes the module from its config, copies the weights in
/// and switches to evaluation. `from_pretrained_options::extra` takes "strict" (default true;
/// Python has false) and "map_location" (default "cpu"). Pickled weights are refused.
///
/// What a class may shadow: `hub_module`, `hub_save_options`, and what the mixin allows.
/// @par Mirrors  PyTorchModelHubMixin
template <class Derived>
class torch_model_hub_mixin : public model_hub_mixin<Derived, std::shared_ptr<Derived>> {
 public:
  /// A tag that all models of the framework get, as their weights can be exchanged with Python's.
  static constexpr const char* framework_tag = "pytorch_model_hub_mixin";

  no_config config() const { return {}; }

  /// The module whose weights are saved and loaded: the class itself, unless it wraps another one.
  const torch::nn::Module& hub_module() const { return static_cast<const Derived&>(*this); }

  /// How the weights are saved.
  save_state_dict_options hub_save_options() const { return {}; }

  void hub_save(const std::filesystem::path& folder) const {
    const auto& self = static_cast<const Derived&>(*this);
    const auto options = self.hub_save_options();
    save_torch_model(self.hub_module(), folder, options);
  }

  static awaitable<std::shared_ptr<Derived>> hub_load(load_context context) {
    const auto pool = context.hub().blocking_executor();
    auto fetching = download_safetensors(context);
    auto path = co_await std::move(fetching);
    auto work = [context = std::move(context), path = std::move(path)] {
      return load(context, path);
    };
    auto loading = detail::on_pool(pool, std::move(work));
    co_return co_await std::move(loading);
  }

 private:
  static std::shared_ptr<Derived> load(const load_context& context,
                                       const std::filesystem::path& path) {
    const auto options = torch_options_of(context.options());
    const auto model = make(context);
    // The object was made here, and is no constant.
    auto& module = const_cast<torch::nn::Module&>(std::as_const(*model).hub_module());
    load_torch_model(module, path, options);
    model->eval();
    return model;
  }

  static std::shared_ptr<Derived> make(const load_context& context) {
    using config_type = std::remove_cvref_t<decltype(std::declval<const Derived&>().config())>;
    if constexpr (std::is_constructible_v<Derived, config_type>) {
      return std::make_shared<Derived>(context.config<config_type>());
    } else {
      static_assert(std::is_default_constructible_v<Derived>,
                    "the module must be constructible from what its config() returns, or from "
                    "nothing");
      return std::make_shared<Derived>();
    }
  }
};

}  // namespace cohub
