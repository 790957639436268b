#include "cohub/card_data.hpp"

#include "cohub/error.hpp"

#include <algorithm>
#include <array>
#include <set>

namespace cohub {

namespace {

constexpr const char* index_key = "model-index";
constexpr const char* train_eval_key = "train-eval-index";

// In the order of the Hub's cards (mixin-and-cards, section 4.3).
constexpr std::array<std::string_view, 11> model_fields{
    "base_model",   "datasets", "language",   "library_name", "license", "license_name",
    "license_link", "metrics",  "model_name", "pipeline_tag", "tags"};
constexpr std::array<std::string_view, 12> dataset_fields{
    "annotations_creators", "language_creators", "language",        "license",  "multilinguality",
    "size_categories",      "source_datasets",   "task_categories", "task_ids", "paperswithcode_id",
    "pretty_name",          "config_names"};
constexpr std::array<std::string_view, 11> space_fields{
    "title",    "sdk",      "sdk_version", "python_version",
    "app_file", "app_port", "license",     "duplicated_from",
    "models",   "datasets", "tags"};

/// The value under another key, as Python names it in code.
void rename(card_map& members, std::string_view from, std::string_view to) {
  const auto* found = members.find(from);
  if (found == nullptr) return;
  auto value = *found;
  members.erase(from);
  if (!value.is_null()) members[to] = std::move(value);
}

/// Puts the model's name where it belongs, if there is an index that was read.
void rename_index(card_map& metadata) {
  auto* const index = metadata.find(index_key);
  if (index == nullptr || !index->is_list() || std::as_const(*index).as_list().empty() ||
      !std::as_const(*index).as_list().front().is_map())
    return;
  if (const auto name = metadata.text_or("model_name"); !name.empty()) {
    const auto& first = std::as_const(*index).as_list().front().as_map();
    if (first.text_or("name") != name) index->as_list().front().as_map()["name"] = name;
  }
  metadata.erase("model_name");
}

}  // namespace

std::vector<std::string> card_data::texts(std::string_view key) const {
  std::vector<std::string> all;
  const auto* value = members_.find(key);
  if (value == nullptr) return all;
  if (value->is_text()) all.push_back(value->as_text());
  if (value->is_list())
    for (const auto& item : value->as_list())
      if (item.is_text()) all.push_back(item.as_text());
  return all;
}

void card_data::unite_tags() {
  auto* tags = members_.find("tags");
  if (tags == nullptr || !tags->is_list()) return;
  std::set<std::string> seen;
  auto list = std::as_const(*tags).as_list();
  std::erase_if(list, [&seen](const card_value& tag) {
    return tag.is_text() && !seen.insert(tag.as_text()).second;
  });
  *tags = std::move(list);
}

card_map card_data::in_order(std::span<const std::string_view> known) const {
  card_map result;
  const auto add = [&result](const std::string& key, const card_value& value) {
    if (!value.is_null() || !value.source().empty()) result.append(key, value);
  };
  if (!keeps_order_)
    for (const auto key : known)
      if (const auto* value = members_.find(key)) add(std::string(key), *value);
  for (const auto& [key, value] : members_)
    if (keeps_order_ || std::find(known.begin(), known.end(), key) == known.end()) add(key, value);
  return result;
}

model_card_data::model_card_data(card_map metadata) : card_data(std::move(metadata)) {
  unite_tags();
}

std::string model_card_data::model_name() const {
  if (auto name = text("model_name"); !name.empty()) return name;
  const auto* index = members_.find(index_key);
  if (index == nullptr || !index->is_list() || index->as_list().empty()) return {};
  const auto& first = index->as_list().front();
  return first.is_map() ? first.as_map().text_or("name") : std::string();
}

std::vector<eval_result> model_card_data::eval_results() const {
  if (results_) return *results_;
  std::vector<eval_result> all;
  const auto* value = members_.find(index_key);
  if (value == nullptr || value->is_null()) return all;
  for (auto& index : read_model_index(*value))
    std::move(index.results.begin(), index.results.end(), std::back_inserter(all));
  return all;
}

model_card_data& model_card_data::tags(std::vector<std::string> values) {
  put("tags", values);
  unite_tags();
  return *this;
}

model_card_data& model_card_data::eval_results(std::vector<eval_result> results) {
  results_ = std::move(results);
  return *this;
}

card_map model_card_data::metadata() const {
  auto result = in_order(model_fields);
  if (!results_) {
    rename_index(result);
    return result;
  }
  model_index index;
  index.name = model_name();
  index.results = *results_;
  if (index.name.empty() && !ignore_errors_)
    throw error(errc::invalid_card, "writing evaluation results: model_name is missing");
  result.erase("model_name");
  result[index_key] = write_model_index(index);
  return result;
}

dataset_card_data::dataset_card_data(card_map metadata) : card_data(std::move(metadata)) {}

card_value dataset_card_data::train_eval_index() const {
  const auto* found = members_.find(train_eval_key);
  return found != nullptr ? *found : card_value();
}

dataset_card_data& dataset_card_data::train_eval_index(card_value value) {
  return set(train_eval_key, std::move(value));
}

card_map dataset_card_data::metadata() const {
  auto result = in_order(dataset_fields);
  rename(result, "train_eval_index", train_eval_key);
  if (!keeps_order_) rename(result, train_eval_key, train_eval_key);  // to the end
  return result;
}

space_card_data::space_card_data(card_map metadata) : card_data(std::move(metadata)) {
  unite_tags();
}

std::string space_card_data::spelling(std::string_view key) const {
  const auto* found = members_.find(key);
  if (found == nullptr) return {};
  return found->is_text() ? found->as_text() : found->source();
}

std::optional<std::int64_t> space_card_data::app_port() const {
  const auto* found = members_.find("app_port");
  if (found == nullptr || found->type() != card_value::kind::integer) return {};
  return found->as_integer();
}

space_card_data& space_card_data::tags(std::vector<std::string> values) {
  put("tags", values);
  unite_tags();
  return *this;
}

card_map space_card_data::metadata() const { return in_order(space_fields); }

}  // namespace cohub
