#include "cohub/eval_result.hpp"

#include "cohub/error.hpp"

#include "hub/card_comparison.hpp"
#include "model/card/eval_results.hpp"

#include <utility>

namespace cohub {

namespace {

[[noreturn]] void refuse(const std::string& path, const std::string& why) {
  throw error(errc::invalid_card, "reading evaluation results: " + path + ' ' + why);
}

void require(bool given, const char* member) {
  if (!given)
    throw error(errc::invalid_card,
                std::string("writing evaluation results: ") + member + " is missing");
}

void put(card_map& map, const char* key, const std::string& text) {
  if (!text.empty()) map[key] = text;
}

/// Without the nulls in it, at any depth; what has become empty stays.
card_value without_nulls(const card_value& value) {
  if (value.is_list()) {
    card_list kept;
    for (const auto& item : value.as_list())
      if (!item.is_null()) kept.push_back(without_nulls(item));
    return kept;
  }
  if (value.is_map()) {
    card_map kept;
    for (const auto& [key, item] : value.as_map())
      if (!item.is_null()) kept.append(key, without_nulls(item));
    return kept;
  }
  return value;
}

void put(card_map& map, const char* key, const card_value& value) {
  if (!value.is_null()) map[key] = without_nulls(value);
}

bool is_same_group(const eval_result& a, const eval_result& b) {
  return a.task_type == b.task_type && a.dataset_type == b.dataset_type &&
         a.dataset_config == b.dataset_config && a.dataset_split == b.dataset_split &&
         a.dataset_revision == b.dataset_revision;
}

card_map write_metric(const eval_result& result) {
  card_map metric;
  metric["type"] = result.metric_type;
  // Also where it is null: without the key it could not be read again.
  metric["value"] = without_nulls(result.metric_value);
  put(metric, "name", result.metric_name);
  put(metric, "config", result.metric_config);
  put(metric, "args", result.metric_args);
  if (result.verified) metric["verified"] = *result.verified;
  put(metric, "verifyToken", result.verify_token);
  return metric;
}

card_map write_group(const eval_result& first, card_list metrics) {
  card_map task;
  task["type"] = first.task_type;
  put(task, "name", first.task_name);
  card_map dataset;
  dataset["name"] = first.dataset_name;
  dataset["type"] = first.dataset_type;
  put(dataset, "config", first.dataset_config);
  put(dataset, "split", first.dataset_split);
  put(dataset, "revision", first.dataset_revision);
  put(dataset, "args", first.dataset_args);
  card_map group;
  group["task"] = std::move(task);
  group["dataset"] = std::move(dataset);
  group["metrics"] = std::move(metrics);
  if (!first.source_url.empty()) {
    card_map source;
    source["url"] = first.source_url;
    put(source, "name", first.source_name);
    group["source"] = std::move(source);
  }
  return group;
}

card_map write_element(const model_index& index) {
  card_list groups;
  std::vector<bool> written(index.results.size());
  for (std::size_t i = 0; i < index.results.size(); ++i) {
    if (written[i]) continue;
    card_list metrics;
    for (std::size_t j = i; j < index.results.size(); ++j) {
      if (!is_same_group(index.results[i], index.results[j])) continue;
      written[j] = true;
      metrics.emplace_back(write_metric(index.results[j]));
    }
    groups.emplace_back(write_group(index.results[i], std::move(metrics)));
  }
  card_map entry;
  put(entry, "name", index.name);
  entry["results"] = std::move(groups);
  return entry;
}

/// A member that must be there, with the path to it for errors.
struct located {
  const card_value& value;
  std::string path;

  located member(const char* key) const {
    auto found = null_or_member(key);
    if (found.value.is_null()) refuse(found.path, "is missing");
    return found;
  }
  /// Of what older cards have left empty, too.
  located null_or_member(const char* key) const {
    if (!value.is_map()) refuse(path, "is not a map");
    const auto* found = value.as_map().find(key);
    if (found == nullptr) refuse(path + '.' + key, "is missing");
    return {*found, path + '.' + key};
  }
  std::vector<located> items() const {
    if (!value.is_list()) refuse(path, "is not a list");
    std::vector<located> all;
    for (std::size_t i = 0; i < value.as_list().size(); ++i)
      all.push_back({value.as_list()[i], path + '[' + std::to_string(i) + ']'});
    return all;
  }
  std::string text() const {
    if (value.is_text()) return value.as_text();
    if (value.is_null()) return {};
    // A number or a true/false that was meant as text, as it was spelled.
    if (!value.source().empty()) return value.source();
    refuse(path, "is not a text");
  }
  const card_value* find(const char* key) const {
    const auto* found = value.is_map() ? value.as_map().find(key) : nullptr;
    return found != nullptr && !found->is_null() ? found : nullptr;
  }
  std::string text_or_empty(const char* key) const {
    const auto* found = find(key);
    return found != nullptr ? located{*found, path + '.' + key}.text() : std::string();
  }
  card_value value_or_null(const char* key) const {
    const auto* found = find(key);
    return found != nullptr ? *found : card_value();
  }
};

void read_group(const located& group, std::vector<eval_result>& results) {
  eval_result common;
  const auto task = group.member("task");
  common.task_type = task.null_or_member("type").text();
  common.task_name = task.text_or_empty("name");
  const auto dataset = group.member("dataset");
  common.dataset_type = dataset.null_or_member("type").text();
  common.dataset_name = dataset.null_or_member("name").text();
  common.dataset_config = dataset.text_or_empty("config");
  common.dataset_split = dataset.text_or_empty("split");
  common.dataset_revision = dataset.text_or_empty("revision");
  common.dataset_args = dataset.value_or_null("args");
  if (const auto* source = group.find("source")) {
    const located from{*source, group.path + ".source"};
    common.source_name = from.text_or_empty("name");
    common.source_url = from.text_or_empty("url");
    if (!common.source_name.empty() && common.source_url.empty())
      refuse(from.path + ".url", "is missing");
  }
  for (const auto& metric : group.member("metrics").items()) {
    eval_result result = common;
    result.metric_type = metric.null_or_member("type").text();
    result.metric_value = metric.null_or_member("value").value;
    result.metric_name = metric.text_or_empty("name");
    result.metric_config = metric.value_or_null("config");
    result.metric_args = metric.value_or_null("args");
    if (const auto* verified = metric.find("verified")) {
      if (verified->type() != card_value::kind::boolean)
        refuse(metric.path + ".verified", "is neither true nor false");
      result.verified = verified->as_bool();
    }
    result.verify_token = metric.text_or_empty("verifyToken");
    results.push_back(std::move(result));
  }
}

}  // namespace

bool is_same_metric(const eval_result& a, const eval_result& b) {
  eval_result alike = a;
  alike.metric_value = b.metric_value;
  alike.verify_token = b.verify_token;
  for (const auto value :
       {&eval_result::dataset_args, &eval_result::metric_config, &eval_result::metric_args}) {
    if (!hub::are_same(a.*value, b.*value, hub::comparison::measured)) return false;
    alike.*value = b.*value;
  }
  return alike == b;
}

card_value write_model_index(const model_index& index) {
  return write_model_index(std::vector<model_index>{index});
}

card_value write_model_index(const std::vector<model_index>& indexes) {
  for (const auto& index : indexes)
    for (const auto& result : index.results) model::check_result(result);
  return model::write_read_results(indexes);
}

void model::check_result(const eval_result& result) {
  require(!result.task_type.empty(), "task_type");
  require(!result.dataset_type.empty(), "dataset_type");
  require(!result.dataset_name.empty(), "dataset_name");
  require(!result.metric_type.empty(), "metric_type");
  require(result.source_name.empty() || !result.source_url.empty(), "source_url");
}

card_value model::write_read_results(const std::vector<model_index>& indexes) {
  card_list elements;
  for (const auto& index : indexes) elements.emplace_back(write_element(index));
  return elements;
}

std::vector<model_index> read_model_index(const card_value& value) {
  std::vector<model_index> indexes;
  for (const auto& entry : located{value, "model-index"}.items()) {
    auto& index = indexes.emplace_back();
    index.name = entry.member("name").text();
    for (const auto& group : entry.member("results").items()) read_group(group, index.results);
  }
  return indexes;
}

card_map metadata_eval_result(std::string model_name, named<eval_result> result) {
  model_index index;
  index.name = std::move(model_name);
  auto& one = index.results.emplace_back(*std::move(result));
  if (!one.verified) one.verified = false;
  card_map data;
  data["model-index"] = write_model_index(index);
  return data;
}

}  // namespace cohub
