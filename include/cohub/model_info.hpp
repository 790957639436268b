#pragma once

#include "cohub/card_value.hpp"

#include <set>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace cohub {

/// What a class says of all its models: the metadata and the template of their cards, and the files
/// that a plain load hook opens. Built in one expression and inherited by starting from the base's:
/// @code
/// static cohub::model_info hub_info() {
///   return base::hub_info().library_name("depth").license("mit").tags("vision");
/// }
/// @endcode
/// A setter replaces what was there; tags are united, sorted and unique.
class model_info {
 public:
  model_info& library_name(std::string value) { return set("library_name", std::move(value)); }
  model_info& license(std::string value) { return set("license", std::move(value)); }
  model_info& license_name(std::string value) { return set("license_name", std::move(value)); }
  model_info& license_link(std::string value) { return set("license_link", std::move(value)); }
  model_info& pipeline_tag(std::string value) { return set("pipeline_tag", std::move(value)); }
  /// One language as text, several as a list.
  template <class... Text>
  model_info& language(std::string first, Text... more) {
    if constexpr (sizeof...(Text) == 0)
      return set("language", std::move(first));
    else
      return set("language", std::vector<std::string>{std::move(first), std::move(more)...});
  }
  template <class... Text>
  model_info& tags(Text... names) {
    (tags_.insert(std::string(std::move(names))), ...);
    return *this;
  }
  /// Any other member of the card's metadata. `tags`, a text or a list, are united with those
  /// there.
  model_info& set(std::string key, card_value value);

  model_info& repo_url(std::string value) { return repo_url_ = std::move(value), *this; }
  model_info& paper_url(std::string value) { return paper_url_ = std::move(value), *this; }
  model_info& docs_url(std::string value) { return docs_url_ = std::move(value), *this; }
  /// See `model_card::from_template`; empty: `default_mixin_card_template()`.
  model_info& model_card_template(std::string value) {
    return model_card_template_ = std::move(value), *this;
  }
  /// Files that are fetched before a plain `hub_load` runs; without it, `model.safetensors`. A
  /// pattern, "model{suffix}.safetensors", stands for weights in one file or in shards:
  /// `safetensors_model(context.file("model{suffix}.safetensors"))`.
  template <class... Text>
  model_info& weight_files(std::string first, Text... more) {
    return weight_files(std::vector<std::string>{std::move(first), std::move(more)...});
  }
  model_info& weight_files(std::vector<std::string> names) {
    return weight_files_ = std::move(names), *this;
  }

  const std::string& repo_url() const noexcept { return repo_url_; }
  const std::string& paper_url() const noexcept { return paper_url_; }
  const std::string& docs_url() const noexcept { return docs_url_; }
  std::string_view model_card_template() const noexcept;
  const std::vector<std::string>& weight_files() const noexcept { return weight_files_; }

  /// The metadata in the order of the Hub's cards: known members, `tags`, the others as they were
  /// set.
  card_map metadata() const;

 private:
  card_map members_{};
  std::set<std::string> tags_{};
  std::string repo_url_{}, paper_url_{}, docs_url_{}, model_card_template_{};
  std::vector<std::string> weight_files_{"model.safetensors"};
};

/// For classes that cannot be given a static `hub_info()`: specialise with a static `info()`.
template <class Model>
struct hub_traits {};

/// The info of a class: `Model::hub_info()`, else `hub_traits<Model>::info()`, else an empty one.
template <class Model>
cohub::model_info model_info_of() {
  if constexpr (requires { Model::hub_info(); }) {
    return Model::hub_info();
  } else if constexpr (requires { hub_traits<Model>::info(); }) {
    return hub_traits<Model>::info();
  } else {
    return {};
  }
}

namespace detail {

struct hub_info_of_another {
  void hub_info();
};
template <class Model>
struct hub_info_lookup : Model, hub_info_of_another {};

/// Whether a class has a member of that name, however it is declared: then the name is ambiguous.
template <class Model>
inline constexpr bool names_hub_info = !requires {
  &hub_info_lookup<Model>::hub_info;
};
template <class Model>
requires std::is_final_v<Model>
inline constexpr bool names_hub_info<Model> = false;

/// Whether it cannot be called: it would be passed over in silence.
template <class Model>
inline constexpr bool hides_hub_info = names_hub_info<Model> && !requires {
  Model::hub_info();
};

}  // namespace detail
}  // namespace cohub
