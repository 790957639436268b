#include "server/handlers/repo_measures.hpp"

#include "server/handlers/weights_summary.hpp"

#include <algorithm>
#include <utility>

namespace cohub::server {

namespace {

boost::json::object to_json(const weights_summary& weights) {
  boost::json::object parameters;
  for (const auto& [type, count] : weights.parameters) parameters[type] = count;
  boost::json::object safetensors;
  safetensors["parameters"] = std::move(parameters);
  safetensors["total"] = weights.total;
  return safetensors;
}

}  // namespace

std::uint64_t storage_of(const hub_store& store, repo_type type, const std::string& id) {
  std::uint64_t total = 0;
  for (const auto& sha256 : store.repos.objects_of(type, id))
    total += store.objects.size_of(sha256).value_or(0);
  return total;
}

void add_measures(boost::json::object& description, hub_store& store, const repo_record& record,
                  const git_repository& repository, const std::string& commit,
                  const std::vector<std::string>& expand) {
  const auto asked = [&](const char* name) {
    return std::find(expand.begin(), expand.end(), name) != expand.end();
  };
  if (asked("usedStorage")) description["usedStorage"] = storage_of(store, record.type, record.id);
  const bool whole_model = expand.empty() && record.type == repo_type::model;
  if (!whole_model && !asked("safetensors")) return;
  if (const auto weights = summarize_weights(store, record, repository, commit))
    description["safetensors"] = to_json(*weights);
}

}  // namespace cohub::server
