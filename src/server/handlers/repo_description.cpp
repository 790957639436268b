#include "server/handlers/repo_description.hpp"

#include "cohub/card_value.hpp"
#include "cohub/error.hpp"

#include "core/ascii.hpp"
#include "hub/front_matter.hpp"
#include "hub/json_reader.hpp"
#include "hub/repo_replies.hpp"
#include "hub/yaml.hpp"
#include "server/failure.hpp"
#include "server/git/git_repository.hpp"

#include <boost/json/array.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <string_view>
#include <unordered_set>
#include <utility>

namespace cohub::server {

namespace {

constexpr std::uint64_t config_limit = 1u << 20;
constexpr std::size_t tags_limit = 1000;

/// What may be asked for by name, of whichever type.
constexpr auto expandable = std::to_array<std::string_view>({"author",
                                                             "baseModels",
                                                             "cardData",
                                                             "childrenModelCount",
                                                             "citation",
                                                             "config",
                                                             "createdAt",
                                                             "datasets",
                                                             "description",
                                                             "disabled",
                                                             "downloads",
                                                             "downloadsAllTime",
                                                             "evalResults",
                                                             "gated",
                                                             "gguf",
                                                             "inference",
                                                             "inferenceProviderMapping",
                                                             "lastModified",
                                                             "library_name",
                                                             "likes",
                                                             "mainSize",
                                                             "mask_token",
                                                             "model-index",
                                                             "models",
                                                             "paperswithcode_id",
                                                             "pipeline_tag",
                                                             "private",
                                                             "region",
                                                             "resourceGroup",
                                                             "runtime",
                                                             "safetensors",
                                                             "sdk",
                                                             "sha",
                                                             "siblings",
                                                             "spaces",
                                                             "subdomain",
                                                             "tags",
                                                             "transformersInfo",
                                                             "trendingScore",
                                                             "usedStorage",
                                                             "visibility",
                                                             "widgetData",
                                                             "xetEnabled"});

boost::json::value to_json(const card_value& value) {
  switch (value.type()) {
    case card_value::kind::null:
      return nullptr;
    case card_value::kind::boolean:
      return value.as_bool();
    case card_value::kind::integer:
      return value.as_integer();
    case card_value::kind::real:
      if (std::isfinite(value.as_real())) return value.as_real();
      return nullptr;  // JSON has no such number
    case card_value::kind::text:
      return boost::json::value(value.as_text());
    case card_value::kind::list: {
      boost::json::array list;
      for (const auto& item : value.as_list()) list.push_back(to_json(item));
      return list;
    }
    case card_value::kind::map: {
      boost::json::object object;
      for (const auto& member : value.as_map()) object[member.key] = to_json(member.value);
      return object;
    }
  }
  return nullptr;
}

/// The metadata of the card; empty where there is none that can be read.
card_map card_of(const git_repository& repository, const std::string& commit) {
  const auto text = repository.read_small(commit, "README.md", card_limit);
  const auto header = text ? hub::find_front_matter(*text) : std::nullopt;
  if (!header) return {};
  try {
    auto value = hub::read_yaml(header->block, "README.md", header->first_line);
    return value.is_map() ? std::move(value.as_map()) : card_map();
  } catch (const error&) {
    return {};
  }
}

void add_texts(const card_map& card, std::string_view key, const std::string& prefix,
               std::vector<std::string>& tags) {
  const auto* value = card.find(key);
  if (value == nullptr) return;
  if (value->is_text()) tags.push_back(prefix + value->as_text());
  if (value->is_list())
    for (const auto& item : value->as_list())
      if (item.is_text()) tags.push_back(prefix + item.as_text());
}

/// What a model's `config.json` says of its kind. Empty where it says nothing.
boost::json::object config_of(const git_repository& repository, const std::string& commit) {
  boost::json::object told;
  const auto text = repository.read_small(commit, "config.json", config_limit);
  const auto config = text ? hub::parse_json(*text) : hub::parse_json({});
  if (!config || !config->is_object()) return told;
  for (const char* key : {"architectures", "model_type"})
    if (const auto* value = config->as_object().if_contains(key)) told[key] = *value;
  return told;
}

/// The host name of a space, without the domain: "owner-name".
std::string subdomain_of(const std::string& id) {
  auto name = core::lower(id);
  for (char& c : name)
    if (c == '/' || c == '.' || c == '_') c = '-';
  return name;
}

/// What a repository is tagged with whatever its card says.
struct own_tags {
  std::string sdk{};  ///< of a space
  bool safetensors = false;
  std::string model_type{};
};

/// The tags that the Hub makes of a card, each once: the first of them, if there are very many.
std::vector<std::string> tags_of(const card_map& card, repo_type type, const own_tags& own) {
  std::vector<std::string> tags;
  if (type == repo_type::model) {
    add_texts(card, "library_name", {}, tags);
    if (own.safetensors) tags.emplace_back("safetensors");
    if (!own.model_type.empty()) tags.push_back(own.model_type);
    add_texts(card, "pipeline_tag", {}, tags);
  }
  if (type == repo_type::space && !own.sdk.empty()) tags.push_back(own.sdk);
  add_texts(card, "tags", {}, tags);
  add_texts(card, "language", type == repo_type::model ? "" : "language:", tags);
  // Those of datasets are called as the keys they come from.
  for (const char* key :
       {"task_categories", "task_ids", "size_categories", "multilinguality", "annotations_creators",
        "language_creators", "source_datasets", "benchmark"})
    add_texts(card, key, std::string(key) + ':', tags);
  add_texts(card, "datasets", "dataset:", tags);
  add_texts(card, "base_model", "base_model:", tags);
  add_texts(card, "license", "license:", tags);
  std::vector<std::string> once;
  std::unordered_set<std::string> seen;
  for (auto& tag : tags) {
    if (once.size() == tags_limit) break;
    if (seen.insert(tag).second) once.push_back(std::move(tag));
  }
  return once;
}

}  // namespace

boost::json::object describe_repo(const repo_record& record, const git_repository& repository,
                                  const std::string& commit, const description_options& options) {
  const auto card = card_of(repository, commit);
  repo_info info;
  info.id = record.id;
  info.author = record.owner();
  info.sha = commit;
  info.is_private = record.is_private;
  info.gated = record.gated;
  info.disabled = record.disabled;
  info.created_at = record.created_at;
  info.sdk = record.sdk;
  own_tags own;
  own.sdk = record.sdk;
  boost::json::object config;
  if (record.type == repo_type::model) {
    config = config_of(repository, commit);
    own.model_type = hub::text_or(config, "model_type");
    own.safetensors = repository.has_file_ending(commit, ".safetensors");
  }
  info.tags = tags_of(card, record.type, own);
  info.library_name = card.text_or("library_name");
  info.pipeline_tag = card.text_or("pipeline_tag");
  if (const auto head = repository.commit_info(commit))
    info.last_modified = timestamp_of(head->time);
  if (options.files && !options.files_metadata)
    for (auto& path : repository.file_names(commit)) {
      repo_sibling sibling;
      sibling.rfilename = std::move(path);
      info.siblings.push_back(std::move(sibling));
    }
  if (options.files && options.files_metadata)
    repository.list(commit, {}, true, {}, [&](tree_entry entry) {
      if (entry.type != tree_entry::kind::file) return true;
      repo_sibling sibling;
      sibling.rfilename = std::move(entry.path);
      sibling.size = entry.size;
      sibling.blob_id = std::move(entry.oid);
      sibling.lfs = std::move(entry.lfs);
      info.siblings.push_back(std::move(sibling));
      return true;
    });
  auto described = hub::write_repo_info(info, options.files_metadata);
  auto& object = described.as_object();
  if (!options.files) object.erase("siblings");
  object["_id"] = record.key;
  object["downloads"] = 0;
  object["likes"] = 0;
  object["xetEnabled"] = false;
  object["visibility"] = record.visibility();
  if (record.type == repo_type::model) object["modelId"] = record.id;
  if (record.type == repo_type::space) {
    object["subdomain"] = subdomain_of(record.id);
    for (const char* named : {"models", "datasets"})
      if (const auto* ids = card.find(named)) object[named] = to_json(*ids);
  }
  if (options.config && !config.empty()) object["config"] = std::move(config);
  if (const auto* results = card.find("model-index")) object["model-index"] = to_json(*results);
  if (!card.empty()) object["cardData"] = to_json(card_value(card));
  return std::move(object);
}

void check_expand(const std::vector<std::string>& expand) {
  for (const auto& name : expand) {
    if (std::find(expandable.begin(), expandable.end(), name) != expandable.end()) continue;
    std::string list;
    for (const auto known : expandable) list += (list.empty() ? "" : ", ") + std::string(known);
    throw bad_request("\"expand\" must be one of [" + list + ']');
  }
}

void keep_expanded(boost::json::object& description, const std::vector<std::string>& expand) {
  if (expand.empty()) return;
  // Nothing counts here.
  description["downloadsAllTime"] = 0;
  description["trendingScore"] = 0;
  std::vector<std::string> dropped;
  for (const auto& [key, value] : description) {
    const std::string name(key);
    const bool kept = name == "_id" || name == "id" || name == "modelId" ||
                      std::find(expand.begin(), expand.end(), name) != expand.end();
    if (!kept) dropped.push_back(name);
  }
  for (const auto& name : dropped) description.erase(name);
}

}  // namespace cohub::server
