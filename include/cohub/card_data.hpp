#pragma once

#include "cohub/card_value.hpp"
#include "cohub/eval_result.hpp"

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

/// What the Hub knows in the metadata of cards, by name (mixin-and-cards, section 4.3): over an
/// ordered map, so that anything else can be set beside it.
/// @code
/// cohub::model_card_data data;
/// data.license("mit").tags("nlp", "tiny").set("my_own", 1);
/// auto card = cohub::model_card::from_template(data.metadata(), template_text);
/// for (const auto& tag : cohub::model_card_data(card.data()).tags()) ...
/// @endcode
/// Made from nothing, members come in the order of the Hub's cards, whatever order they were set
/// in; made from metadata, they stay where they are and new ones follow. A getter yields an empty
/// text or list for what is absent, null or of another type. Where the Hub takes one text or a
/// list, one is written as text and read as a list of one; where it takes lists alone (`datasets`,
/// `metrics`, `models`, `size_categories`, `task_categories`), as a list.
namespace cohub {

/// What the three have in common.
class card_data {
 public:
  const card_map& members() const noexcept { return members_; }
  std::string text(std::string_view key) const { return members_.text_or(key); }
  std::vector<std::string> texts(std::string_view key) const;

 protected:
  card_data() = default;
  explicit card_data(card_map members) : members_(std::move(members)), keeps_order_(true) {}

  void put(std::string_view key, card_value value) { members_[key] = std::move(value); }
  template <class... Text>
  void put_texts(std::string_view key, std::string first, Text... more) {
    if constexpr (sizeof...(Text) == 0)
      put(key, std::move(first));
    else
      put(key, std::vector<std::string>{std::move(first), std::string(std::move(more))...});
  }
  /// Where the Hub takes nothing but a list.
  template <class... Text>
  void put_list(std::string_view key, Text... texts) {
    put(key, std::vector<std::string>{std::string(std::move(texts))...});
  }
  /// Leaves the first of equal tags. A single text is left alone.
  void unite_tags();
  /// Without nulls; in this order, others after them, unless it was made from metadata.
  card_map in_order(std::span<const std::string_view> known) const;

  card_map members_{};
  bool keeps_order_ = false;
};

class model_card_data : public card_data {
 public:
  model_card_data() = default;
  explicit model_card_data(card_map metadata);

  std::vector<std::string> base_model() const { return texts("base_model"); }
  std::vector<std::string> datasets() const { return texts("datasets"); }
  std::vector<std::string> language() const { return texts("language"); }
  std::string library_name() const { return text("library_name"); }
  std::string license() const { return text("license"); }
  std::string license_name() const { return text("license_name"); }
  std::string license_link() const { return text("license_link"); }
  std::vector<std::string> metrics() const { return texts("metrics"); }
  std::string pipeline_tag() const { return text("pipeline_tag"); }
  std::vector<std::string> tags() const { return texts("tags"); }
  /// Also the name that the results stand under.
  std::string model_name() const;
  /// Of all elements of the index.
  /// @throws error  errc::invalid_card, with the path of what does not fit
  std::vector<eval_result> eval_results() const;

  template <class... Text>
  model_card_data& base_model(std::string first, Text... more) {
    return put_texts("base_model", std::move(first), std::move(more)...), *this;
  }
  template <class... Text>
  model_card_data& datasets(std::string first, Text... more) {
    return put_list("datasets", std::move(first), std::move(more)...), *this;
  }
  template <class... Text>
  model_card_data& language(std::string first, Text... more) {
    return put_texts("language", std::move(first), std::move(more)...), *this;
  }
  model_card_data& library_name(std::string value) { return set("library_name", std::move(value)); }
  model_card_data& license(std::string value) { return set("license", std::move(value)); }
  model_card_data& license_name(std::string value) { return set("license_name", std::move(value)); }
  model_card_data& license_link(std::string value) { return set("license_link", std::move(value)); }
  template <class... Text>
  model_card_data& metrics(std::string first, Text... more) {
    return put_list("metrics", std::move(first), std::move(more)...), *this;
  }
  model_card_data& model_name(std::string value) { return set("model_name", std::move(value)); }
  model_card_data& pipeline_tag(std::string value) { return set("pipeline_tag", std::move(value)); }
  template <class... Text>
  model_card_data& tags(std::string first, Text... more) {
    return tags(std::vector<std::string>{std::move(first), std::string(std::move(more))...});
  }
  model_card_data& tags(std::vector<std::string> values);
  /// Written as `model-index`, under `model_name`, which is required.
  model_card_data& eval_results(std::vector<eval_result> results);
  /// Any other member.
  model_card_data& set(std::string_view key, card_value value) {
    return put(key, std::move(value)), *this;
  }
  /// Results without a `model_name` are no error, but have no name.
  model_card_data& ignore_metadata_errors(bool ignore = true) {
    return ignore_errors_ = ignore, *this;
  }

  /// As it is written: `model_name` is within `model-index` if there is one, which stays where it
  /// was read, else comes last.
  /// @throws error  errc::invalid_card: results without `model_name`, or without what they need
  card_map metadata() const;

 private:
  std::optional<std::vector<eval_result>> results_{};  // that were set
  bool ignore_errors_ = false;
};

class dataset_card_data : public card_data {
 public:
  dataset_card_data() = default;
  explicit dataset_card_data(card_map metadata);

  std::vector<std::string> annotations_creators() const { return texts("annotations_creators"); }
  std::vector<std::string> language_creators() const { return texts("language_creators"); }
  std::vector<std::string> language() const { return texts("language"); }
  std::vector<std::string> license() const { return texts("license"); }
  std::vector<std::string> multilinguality() const { return texts("multilinguality"); }
  std::vector<std::string> size_categories() const { return texts("size_categories"); }
  std::vector<std::string> source_datasets() const { return texts("source_datasets"); }
  std::vector<std::string> task_categories() const { return texts("task_categories"); }
  std::vector<std::string> task_ids() const { return texts("task_ids"); }
  std::string paperswithcode_id() const { return text("paperswithcode_id"); }
  std::string pretty_name() const { return text("pretty_name"); }
  std::vector<std::string> config_names() const { return texts("config_names"); }
  /// Null if there is none.
  card_value train_eval_index() const;

  template <class... Text>
  dataset_card_data& annotations_creators(std::string first, Text... more) {
    return put_texts("annotations_creators", std::move(first), std::move(more)...), *this;
  }
  template <class... Text>
  dataset_card_data& language_creators(std::string first, Text... more) {
    return put_texts("language_creators", std::move(first), std::move(more)...), *this;
  }
  template <class... Text>
  dataset_card_data& language(std::string first, Text... more) {
    return put_texts("language", std::move(first), std::move(more)...), *this;
  }
  template <class... Text>
  dataset_card_data& license(std::string first, Text... more) {
    return put_texts("license", std::move(first), std::move(more)...), *this;
  }
  template <class... Text>
  dataset_card_data& multilinguality(std::string first, Text... more) {
    return put_texts("multilinguality", std::move(first), std::move(more)...), *this;
  }
  template <class... Text>
  dataset_card_data& size_categories(std::string first, Text... more) {
    return put_list("size_categories", std::move(first), std::move(more)...), *this;
  }
  template <class... Text>
  dataset_card_data& source_datasets(std::string first, Text... more) {
    return put_texts("source_datasets", std::move(first), std::move(more)...), *this;
  }
  template <class... Text>
  dataset_card_data& task_categories(std::string first, Text... more) {
    return put_list("task_categories", std::move(first), std::move(more)...), *this;
  }
  template <class... Text>
  dataset_card_data& task_ids(std::string first, Text... more) {
    return put_texts("task_ids", std::move(first), std::move(more)...), *this;
  }
  dataset_card_data& paperswithcode_id(std::string value) {
    return set("paperswithcode_id", std::move(value));
  }
  dataset_card_data& pretty_name(std::string value) { return set("pretty_name", std::move(value)); }
  template <class... Text>
  dataset_card_data& config_names(std::string first, Text... more) {
    return put_texts("config_names", std::move(first), std::move(more)...), *this;
  }
  dataset_card_data& train_eval_index(card_value value);
  /// Any other member.
  dataset_card_data& set(std::string_view key, card_value value) {
    return put(key, std::move(value)), *this;
  }

  /// As it is written: `train-eval-index`, spelled so, last.
  card_map metadata() const;
};

class space_card_data : public card_data {
 public:
  space_card_data() = default;
  explicit space_card_data(card_map metadata);

  std::string title() const { return text("title"); }
  std::string sdk() const { return text("sdk"); }
  /// As it is spelled, `4.40` also where no quotes make it text.
  std::string sdk_version() const { return spelling("sdk_version"); }
  std::string python_version() const { return spelling("python_version"); }
  std::string app_file() const { return text("app_file"); }
  std::optional<std::int64_t> app_port() const;
  std::string license() const { return text("license"); }
  std::string duplicated_from() const { return text("duplicated_from"); }
  std::vector<std::string> models() const { return texts("models"); }
  std::vector<std::string> datasets() const { return texts("datasets"); }
  std::vector<std::string> tags() const { return texts("tags"); }

  space_card_data& title(std::string value) { return set("title", std::move(value)); }
  space_card_data& sdk(std::string value) { return set("sdk", std::move(value)); }
  space_card_data& sdk_version(std::string value) { return set("sdk_version", std::move(value)); }
  space_card_data& python_version(std::string value) {
    return set("python_version", std::move(value));
  }
  space_card_data& app_file(std::string value) { return set("app_file", std::move(value)); }
  space_card_data& app_port(std::int64_t value) { return set("app_port", value); }
  space_card_data& license(std::string value) { return set("license", std::move(value)); }
  space_card_data& duplicated_from(std::string value) {
    return set("duplicated_from", std::move(value));
  }
  template <class... Text>
  space_card_data& models(std::string first, Text... more) {
    return put_list("models", std::move(first), std::move(more)...), *this;
  }
  template <class... Text>
  space_card_data& datasets(std::string first, Text... more) {
    return put_list("datasets", std::move(first), std::move(more)...), *this;
  }
  template <class... Text>
  space_card_data& tags(std::string first, Text... more) {
    return tags(std::vector<std::string>{std::move(first), std::string(std::move(more))...});
  }
  space_card_data& tags(std::vector<std::string> values);
  /// Any other member.
  space_card_data& set(std::string_view key, card_value value) {
    return put(key, std::move(value)), *this;
  }

  card_map metadata() const;

 private:
  std::string spelling(std::string_view key) const;
};

}  // namespace cohub
