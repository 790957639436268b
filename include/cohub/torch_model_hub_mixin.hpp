#pragma once

#include "cohub/detail/on_pool.hpp"
#include "cohub/download_safetensors.hpp"
#include "cohub/model_hub_mixin.hpp"
#include "cohub/torch.hpp"

#include <torch/version.h>

#include <filesystem>
#include <memory>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

namespace cohub {

/// `load_torch_model_options` as told by `from_pretrained_options::extra`: the members "strict" and
/// "map_location", which default to true and "cpu".
/// @throws error  errc::invalid_argument: one of another type or name
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
/// from folders and from the Hub; a push streams them out of the module's tensors. Python's
/// PyTorchModelHubMixin reads the single file alone: where it is to load a larger model, have
/// `hub_save_options()` return a `max_shard_size` that it fits in. Loading makes
/// the module from its config, copies the weights in and switches to evaluation.
/// `from_pretrained_options::extra` takes "strict" (default true; Python has false) and
/// "map_location" (default "cpu"). Pickled weights are refused.
///
/// A class that forgets `config()` has the mixin's, `no_config`: no `config.json` is written, and
/// loading makes the module with its defaults.
///
/// What a class may shadow: `hub_module`, `hub_save_options`, and what the mixin allows.
/// @tparam Base  as of `model_hub_mixin`
/// @par Mirrors  PyTorchModelHubMixin
template <class Derived, class Base = Derived>
class torch_model_hub_mixin : public model_hub_mixin<Derived, std::shared_ptr<Derived>,
                                                     torch_model_hub_mixin<Derived, Base>> {
 public:
  /// A tag that all models of the framework get, as their weights can be exchanged with Python's.
  static constexpr const char* framework_tag = "pytorch_model_hub_mixin";
  /// What the Hub is told of who loads and pushes: name and version.
  static std::pair<std::string, std::string> hub_library() { return {"torch", TORCH_VERSION}; }

  no_config config() const { return {}; }

  /// The module whose weights are saved and loaded: the class itself, unless it wraps another one.
  const torch::nn::Module& hub_module() const { return static_cast<const Derived&>(*this); }

  /// How the weights are saved, and by which names they are loaded.
  save_state_dict_options hub_save_options() const { return {}; }

  /// Where the names of the file and of the module differed when this model was loaded with
  /// "strict" false; empty if they did not, and for models made otherwise.
  const incompatible_keys& hub_incompatible_keys() const noexcept { return incompatible_keys_; }

  void hub_save(save_sink& sink) const {
    const auto& self = static_cast<const Derived&>(*this);
    const auto options = self.hub_save_options();
    std::vector<tensor_source> sources;
    for (const auto& [name, tensor] : state_dict_of(self.hub_module()))
      sources.push_back(source_of(name, tensor));  // of memory that is the module's
    sink.save_state_dict(std::move(sources), options);
  }

  static awaitable<std::shared_ptr<Derived>> hub_load(load_context context) {
    const auto pool = context.hub().blocking_executor();
    const auto options = torch_options_of(context.options());
    auto make_model = [&context] { return make(context); };
    const auto model = co_await detail::on_pool(pool, std::move(make_model));
    const auto path =
        co_await download_safetensors(context, model->hub_save_options().filename_pattern);
    auto work = [&model, &path, &options] { load(*model, path, options); };
    co_await detail::on_pool(pool, std::move(work));
    co_return model;
  }

 private:
  friend Base;
  torch_model_hub_mixin() = default;

  static void load(Derived& model, const std::filesystem::path& path,
                   load_torch_model_options options) {
    // The object was made here, and is no constant.
    auto& module = const_cast<torch::nn::Module&>(std::as_const(model).hub_module());
    torch_model_hub_mixin& mixin = model;
    mixin.incompatible_keys_ = load_torch_model(module, path, options);
    model.eval();
  }

  static std::shared_ptr<Derived> make(const load_context& context) {
    if constexpr (std::is_constructible_v<Derived, detail::model_config_type<Derived>>) {
      return std::make_shared<Derived>(context.config_of<Derived>());
    } else {
      static_assert(std::is_default_constructible_v<Derived>,
                    "the module must be constructible from what its config() returns, or from "
                    "nothing");
      return std::make_shared<Derived>();
    }
  }

  incompatible_keys incompatible_keys_{};
};

}  // namespace cohub
