#pragma once

#include "cohub/model_config.hpp"
#include "cohub/pretrained.hpp"

#include <boost/json/object.hpp>

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace cohub {

namespace detail {
struct load_state;
}

/// What a load hook is given: the config, the files, and every parameter of `from_pretrained`.
/// Cheap to copy. All files come from the one commit that `config.json` came from.
class load_context {
 public:
  explicit load_context(std::shared_ptr<const detail::load_state> state);

  /// The repository id or folder that was asked for.
  const std::string& model_id() const noexcept;
  /// Whether that is a local folder.
  bool is_local() const noexcept;
  /// What files are fetched from: the commit, where it is known, else the revision asked for.
  const std::string& revision() const noexcept;
  const from_pretrained_options& options() const noexcept;
  client hub() const;

  /// `config.json` as it is; nothing if the model has none.
  const std::optional<boost::json::object>& config_object() const noexcept;

  /// The config, with the overrides applied; the defaults where the model has none, and an empty
  /// optional if that is what is asked for.
  /// @tparam Coders  as of `config_from_json`
  /// @throws error  errc::invalid_config, naming file and member; an override that no member takes
  template <class Config, class Coders = coders<>>
  Config config() const {
    check_overrides<Config, Coders>();
    // What need not be made of an object has its own idea of defaults.
    if constexpr (!detail::described_struct<Config> && !detail::json_type<Config>)
      if (!config_object() && options().config_overrides.empty()) return Config{};
    return config_from_json<Config, Coders>(merged_config(), config_origin());
  }

  /// The config of a model class: of the type that its `config()` returns, by its `hub_coders`.
  /// @throws error  as `config`
  template <class Model>
  detail::model_config_type<Model> config_of() const {
    return config<detail::model_config_type<Model>, detail::model_coders<Model>>();
  }

  /// Refuses overrides that no member of the config takes. The mixin has done so for the type that
  /// the class's `config()` returns, before weights are fetched.
  /// @throws error  errc::invalid_config
  template <class Config, class Coders = coders<>>
  void check_overrides() const {
    for (const auto& item : options().config_overrides)
      if (!detail::takes_config_key<Coders, Config>(std::string_view(item.key())))
        refuse_override(item.key());
  }

  /// The local path of a file that is there already: any of a local folder, and those that the
  /// class names (`model_info::weight_files`). For plain hooks. A pattern with "{suffix}" yields
  /// what `safetensors_model` opens, the single file or the index.
  /// @throws error  errc::entry_not_found: the local folder lacks it;
  ///                errc::invalid_argument: it was not named
  std::filesystem::path file(std::string_view name) const;

  /// Fetches a file and yields its local path. For awaitable hooks.
  /// @throws error  what `client::download_file` throws; errc::entry_not_found for a local folder
  awaitable<std::filesystem::path> download(std::string name) const;

 private:
  boost::json::value merged_config() const;
  std::string config_origin() const;
  [[noreturn]] void refuse_override(std::string_view key) const;

  std::shared_ptr<const detail::load_state> state_;
};

/// What the mixin loads by, for frameworks that have no class to put it on: asks for `config.json`,
/// by which the Hub counts downloads, then fetches `files`, all of one commit. A pattern with
/// "{suffix}" stands for weights in one file or in shards.
/// @throws error  errc::repository_not_found, errc::revision_not_found, errc::entry_not_found (one
///                of the files), errc::invalid_config
/// @par Cancellation  terminal or partial; partial files stay and can be continued
awaitable<load_context> open_pretrained(client hub, std::string id_or_path,
                                        std::vector<std::string> files,
                                        named<from_pretrained_options> options = {});

}  // namespace cohub
