#pragma once

#include "cohub/client.hpp"
#include "cohub/detail/model_steps.hpp"
#include "cohub/detail/on_pool.hpp"
#include "cohub/detail/operation.hpp"
#include "cohub/load_context.hpp"
#include "cohub/model_card.hpp"
#include "cohub/model_config.hpp"
#include "cohub/model_info.hpp"
#include "cohub/named.hpp"
#include "cohub/pretrained.hpp"
#include "cohub/save_sink.hpp"
#include "cohub/tensor_list.hpp"

#include <concepts>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

namespace cohub {

namespace detail {

template <class Model>
concept has_config = requires(const Model& model) {
  model.config();
};

template <class Config, class Coders>
concept encodable_config = described_struct<Config> || json_type<Config> || config_coded<Config> ||
    locally_coded<Config, Coders>;

template <class Config, class Coders>
inline constexpr bool may_be_config = encodable_config<Config, Coders>;
template <class Config, class Coders>
inline constexpr bool may_be_config<std::optional<Config>, Coders> =
    encodable_config<Config, Coders>;

template <class Model>
concept has_encodable_config =
    has_config<Model> && may_be_config<model_config_type<Model>, model_coders<Model>>;

template <class Model>
concept has_plain_save = requires(const Model& model, const std::filesystem::path& folder) {
  { model.hub_save(folder) } -> std::same_as<void>;
};

template <class Model>
concept has_sink_save = requires(const Model& model, save_sink& sink) {
  { model.hub_save(sink) } -> std::same_as<void>;
};

template <class Model>
concept has_awaitable_save = requires(const Model& model, std::filesystem::path folder) {
  { model.hub_save(folder) } -> std::same_as<awaitable<void>>;
};

template <class Model>
concept has_awaitable_sink_save = requires(const Model& model, std::shared_ptr<save_sink> sink) {
  { model.hub_save(sink) } -> std::same_as<awaitable<void>>;
};

template <class Model>
concept lists_tensors = requires(const Model& model) {
  { Model::hub_tensors(model) } -> std::same_as<tensor_list>;
};

template <class Model>
concept has_save = has_plain_save<Model> || has_sink_save<Model> || has_awaitable_save<Model> ||
    has_awaitable_sink_save<Model> || lists_tensors<Model>;

/// A model that knows who owns it.
template <class Model>
concept has_owner = requires(const Model& model) {
  { model.weak_from_this().lock() } -> std::convertible_to<std::shared_ptr<const void>>;
};

template <class Model, class Handle>
concept has_plain_load = requires(load_context context) {
  { Model::hub_load(context) } -> std::convertible_to<Handle>;
};

template <class Model, class Handle>
concept has_awaitable_load = requires(load_context context) {
  { Model::hub_load(context) } -> std::same_as<awaitable<Handle>>;
};

/// A model that is made of its config, and whose tensors are filled in afterwards.
template <class Model, class Handle>
concept has_listed_load = has_config<Model> &&
    requires(Model& model, model_config_type<Model> config) {
  { Model::hub_tensors(model) } -> std::same_as<tensor_list>;
  Model(std::move(config));
} &&(std::same_as<Handle, Model> || std::constructible_from<Handle, std::unique_ptr<Model>>);

template <class Model, class Handle>
concept has_load = has_plain_load<Model, Handle> || has_awaitable_load<Model, Handle> ||
    has_listed_load<Model, Handle>;

/// Where listed tensors are saved: in one file or in shards.
inline constexpr const char* listed_weights = "model{suffix}.safetensors";

template <class Model, class Handle>
Handle load_listed(const load_context& context) {
  const safetensors_model saved(context.file(listed_weights));
  if constexpr (std::same_as<Handle, Model>) {
    Model model(context.config_of<Model>());
    Model::hub_tensors(model).load(saved);
    return model;
  } else {
    auto model = std::make_unique<Model>(context.config_of<Model>());
    Model::hub_tensors(*model).load(saved);
    return Handle(std::move(model));
  }
}

}  // namespace detail

/// Gives a model class `save_pretrained`, `push_to_hub` and `from_pretrained`.
///
/// The class inherits `model_hub_mixin<itself>` publicly and has, publicly:
/// @code
/// explicit my_model(my_config config);
/// const my_config& config() const;  // a described struct, an optional one, no_config
/// static cohub::tensor_list hub_tensors(auto& self);  // its members by name, see `tensor_list`
/// static cohub::model_info hub_info();          // optional: for the card
/// using hub_coders = cohub::coders<day_coder>;  // optional: for the config, see `coders`
/// @endcode
/// Weights that are not members, or lie in files of another kind, are for hooks, which come before
/// `hub_tensors`:
/// @code
/// void hub_save(const std::filesystem::path& folder) const;  // writes the weights
/// void hub_save(cohub::save_sink& sink) const;  // or so: streams them as they are made
/// static my_model hub_load(cohub::load_context context);  // reads them
/// @endcode
/// The hooks may be awaitables (`awaitable<void>`, `awaitable<my_model>`, parameters by value; the
/// sink as a `std::shared_ptr<cohub::save_sink>`): those run on the caller's executor; plain ones
/// run on the client's blocking pool and may block.
///
/// `generate_model_card` can be shadowed: call the mixin's, then change the card.
///
/// @tparam Derived  the class itself. Mixins do not follow a second level of inheritance: make the
///                  base of a family a template that passes its own `Derived` on.
/// @tparam Handle   what loading yields: `Derived`, or a smart pointer to it for classes that
///                  cannot be moved
/// @tparam Base     the class that inherits the mixin, where that is not `Derived` itself but such
///                  a template: `template <class D> class family : public model_hub_mixin<D, D,
///                  family<D>>`
///
/// The object must outlive the operation, unchanged; one with a public `weak_from_this()` that is
/// owned by a `std::shared_ptr` is kept alive. The client gives executor, pool, endpoint, token and
/// cache.
template <class Derived, class Handle = Derived, class Base = Derived>
class model_hub_mixin {
 public:
  /// Saves the model and pushes it in one commit: weights, `config.json`, a generated `README.md`.
  ///
  /// The repository is created if it is missing; a bare name is put under the token's owner. The
  /// remote card is replaced, unless `keep_remote_card`; a remote `config.json` stays where the
  /// model has no config any more, unless `delete_patterns` name it. Weights of an earlier push
  /// that those of this one stand for (shards where there is one file now, or the other way round)
  /// are deleted; those that the patterns leave out, and other shards of a set that several
  /// processes push, stay.
  ///
  /// @throws error  errc::invalid_argument: `create_pr` with another branch than "main", a `config`
  ///                that is no object; errc::invalid_config; what the hook and
  ///                `client::upload_folder` throw
  /// @par Cancellation  as `client::create_commit`; may leave the repository, too
  /// @par Mirrors  ModelHubMixin.push_to_hub()
  awaitable<commit_info> push_to_hub(client hub, std::string repo_id,
                                     named<push_to_hub_options> options = {}) const {
    auto how = *std::move(options);
    name_library(how);
    return detail::push_model(std::move(hub), std::move(repo_id), parts(), std::move(how));
  }

  /// Saves the model to a folder, which is made if it is missing; with `push_to_hub` pushes what
  /// was saved, too, and yields the commit. The card that is pushed is the one made now, also where
  /// the folder keeps its own.
  ///
  /// Files appear in the folder complete, one rename each: weights, index, `config.json`, card. A
  /// stale `config.json` goes, and so do weights of an earlier save that were replaced under other
  /// names; a `README.md` that is there stays, unless the hook writes one.
  ///
  /// @throws error  as `push_to_hub`; the system's code when the folder cannot be written
  /// @par Mirrors  ModelHubMixin.save_pretrained()
  awaitable<std::optional<commit_info>> save_pretrained(
      client hub, std::filesystem::path folder, named<save_pretrained_options> options = {}) const {
    auto how = *std::move(options);
    name_library(how.push);
    return detail::save_model(std::move(hub), std::move(folder), parts(), std::move(how));
  }

  /// Loads a model from the Hub, or from an existing local folder.
  ///
  /// `config.json` is always asked for, also by classes without config: the Hub counts downloads by
  /// it. A model without one is loaded with the config's defaults.
  ///
  /// An operation that is spawned by itself needs a `Handle` that is default-constructible; awaited
  /// in a coroutine it may be any.
  ///
  /// @throws error  errc::repository_not_found, errc::revision_not_found, errc::entry_not_found (a
  ///                weight file), errc::invalid_config; what the hook throws
  /// @par Mirrors  ModelHubMixin.from_pretrained()
  static awaitable<Handle> from_pretrained(client hub, std::string id_or_path,
                                           named<from_pretrained_options> options = {}) {
    check_class();
    if constexpr (class_fits()) {
      return detail::operation(load(std::move(hub), std::move(id_or_path), *std::move(options)));
    } else {
      return {};
    }
  }

  /// The card of a model of this class: metadata and template of its info, and `variables` for the
  /// template. Shadow it to change the card of every push.
  model_card generate_model_card(template_variables variables = {}) const {
    cohub::model_info info = model_info_of<Derived>();
    info.tags("model_hub_mixin");
    if constexpr (requires { Derived::framework_tag; }) info.tags(Derived::framework_tag);
    variables.emplace("repo_url", info.repo_url());
    variables.emplace("paper_url", info.paper_url());
    variables.emplace("docs_url", info.docs_url());
    return model_card::from_template(info.metadata(), info.model_card_template(),
                                     std::move(variables));
  }

 private:
  // Whoever inherits the mixin of another class by a slip cannot be made.
  friend Base;
  model_hub_mixin() = default;

  static constexpr void check_class() {
    static_assert(inherits_itself(),
                  "the class must inherit model_hub_mixin of itself, and publicly");
    static_assert(
        detail::has_save<Derived>,
        "the class needs a public hook `void hub_save(const std::filesystem::path&) const`, "
        "or `void hub_save(cohub::save_sink&) const`, or one that returns awaitable<void> and "
        "takes the path by value or a std::shared_ptr<cohub::save_sink>; or "
        "`static cohub::tensor_list hub_tensors(auto& self)`");
    static_assert(
        detail::has_load<Derived, Handle>,
        "the class needs a public hook `static Handle hub_load(cohub::load_context)`, or one that "
        "returns awaitable<Handle>; or `static cohub::tensor_list hub_tensors(auto& self)` and a "
        "constructor that takes what config() returns");
    static_assert(detail::has_config<Derived>,
                  "the class needs a public `const my_config& config() const`; return "
                  "cohub::no_config if there is nothing to configure");
    static_assert(
        !detail::has_config<Derived> || detail::has_encodable_config<Derived>,
        "the type that config() returns must be described with BOOST_DESCRIBE_STRUCT, have "
        "tag_invoke for Boost.JSON or a coder, be a boost::json::object, or a std::optional of "
        "one");
    static_assert(!detail::hides_hub_info<Derived>, "hub_info() must be public and static");
  }

  /// What `check_class` asserts: bodies that would not compile are left out, so that its message
  /// stands alone.
  static constexpr bool class_fits() {
    return inherits_itself() && detail::has_save<Derived> && detail::has_load<Derived, Handle> &&
           detail::has_encodable_config<Derived> && !detail::hides_hub_info<Derived>;
  }

  static constexpr bool inherits_itself() {
    return std::is_convertible_v<Derived*, model_hub_mixin*> && std::is_base_of_v<Base, Derived> &&
           std::is_base_of_v<model_hub_mixin, Base>;
  }

  const Derived& self() const noexcept { return static_cast<const Derived&>(*this); }

  detail::model_parts parts() const {
    check_class();
    detail::model_parts result;
    if constexpr (class_fits()) {
      const Derived* const model = &self();
      if constexpr (detail::has_owner<Derived>) result.owner = model->weak_from_this().lock();
      result.save = [model](asio::any_io_executor pool, std::shared_ptr<save_sink> sink) {
        return save(model, std::move(pool), std::move(sink));
      };
      result.config = [model]() -> std::optional<boost::json::value> {
        using config_type = detail::model_config_type<Derived>;
        auto value = config_to_json<config_type, detail::model_coders<Derived>>(model->config());
        if (value.is_null() || (value.is_object() && value.get_object().empty())) return {};
        return value;
      };
      result.card = [model](template_variables variables) {
        return model->generate_model_card(std::move(variables));
      };
    }
    return result;
  }

  static awaitable<void> save(const Derived* model, asio::any_io_executor pool,
                              std::shared_ptr<save_sink> sink) {
    if constexpr (detail::has_awaitable_sink_save<Derived>) {
      co_await model->hub_save(sink);
    } else if constexpr (detail::has_awaitable_save<Derived>) {
      co_await model->hub_save(sink->folder());
    } else {
      auto work = [model, sink = std::move(sink)] {
        if constexpr (detail::has_sink_save<Derived>)
          model->hub_save(*sink);
        else if constexpr (detail::has_plain_save<Derived>)
          model->hub_save(sink->folder());
        else
          sink->save_state_dict(Derived::hub_tensors(*model).sources());
      };
      co_await detail::on_pool(std::move(pool), std::move(work));
    }
  }

  /// Tells the Hub of the framework behind the mixin, unless the call names a library.
  template <class Options>
  static void name_library(Options& options) {
    if constexpr (requires { Derived::hub_library(); }) {
      if (!options.library_name.empty()) return;
      std::tie(options.library_name, options.library_version) = Derived::hub_library();
    }
  }

  static awaitable<Handle> load(client hub, std::string id_or_path,
                                from_pretrained_options options) {
    const auto pool = hub.blocking_executor();
    name_library(options);
    const auto check = [](const load_context& context) {
      context.check_overrides<detail::model_config_type<Derived>, detail::model_coders<Derived>>();
    };
    if constexpr (detail::has_awaitable_load<Derived, Handle>) {
      auto context =
          co_await detail::open_model(std::move(hub), std::move(id_or_path),
                                      std::vector<std::string>(), std::move(options), check);
      co_return co_await Derived::hub_load(std::move(context));
    } else {
      constexpr bool listed = !detail::has_plain_load<Derived, Handle>;
      std::vector<std::string> files;
      if constexpr (listed)
        files.emplace_back(detail::listed_weights);
      else
        files = model_info_of<Derived>().weight_files();
      auto context = co_await detail::open_model(std::move(hub), std::move(id_or_path),
                                                 std::move(files), std::move(options), check);
      auto work = [context] {
        if constexpr (listed)
          return std::optional<Handle>(detail::load_listed<Derived, Handle>(context));
        else
          return std::optional<Handle>(Derived::hub_load(context));
      };
      auto loaded = co_await detail::on_pool(pool, std::move(work));
      co_return *std::move(loaded);
    }
  }
};

}  // namespace cohub
