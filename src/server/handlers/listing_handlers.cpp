#include "core/ascii.hpp"
#include "core/byte_range.hpp"
#include "core/url.hpp"
#include "hub/json_reader.hpp"
#include "hub/repo_id.hpp"
#include "server/error_reply.hpp"
#include "server/failure.hpp"
#include "server/git/git_repository.hpp"
#include "server/handlers/handlers.hpp"
#include "server/handlers/permissions.hpp"
#include "server/handlers/repo_description.hpp"
#include "server/handlers/repo_measures.hpp"
#include "server/handlers/target.hpp"
#include "server/handlers/weights_summary.hpp"

#include <algorithm>
#include <exception>
#include <optional>
#include <string>
#include <vector>

namespace cohub::server {

namespace {

constexpr std::uint64_t largest_page = 1000;

bool has_tag(const boost::json::object& repo, const std::string& tag) {
  const auto* tags = repo.if_contains("tags");
  if (tags == nullptr || !tags->is_array()) return false;
  return std::any_of(
      tags->get_array().begin(), tags->get_array().end(),
      [&](const boost::json::value& each) { return each.is_string() && each.get_string() == tag; });
}

/// What the card names under a key.
std::vector<std::string> named_in(const boost::json::object& repo, std::string_view key) {
  std::vector<std::string> names;
  const auto* card = repo.if_contains("cardData");
  const auto* list = card && card->is_object() ? card->get_object().if_contains(key) : nullptr;
  if (list == nullptr || !list->is_array()) return names;
  for (const auto& each : list->get_array())
    if (each.is_string()) names.emplace_back(each.get_string());
  return names;
}

bool uses(const boost::json::object& repo, std::string_view key,
          const std::vector<std::string>& wanted) {
  const auto names = named_in(repo, key);
  return std::all_of(wanted.begin(), wanted.end(), [&](const std::string& each) {
    return std::find(names.begin(), names.end(), each) != names.end();
  });
}

/// What a listing asks for (hub-protocol, section 6.6).
struct wanted_repos {
  explicit wanted_repos(const call& what)
      : author(core::query_value(what.query, "author")),
        search(query_values(what.query, "search")),
        filter(query_values(what.query, "filter")),
        pipeline_tag(core::query_value(what.query, "pipeline_tag")),
        gated(core::query_value(what.query, "gated")),
        apps(query_values(what.query, "apps")),
        datasets(query_values(what.query, "datasets")),
        models(query_values(what.query, "models")),
        linked(query_flag(what.query, "linked")),
        num_parameters(core::query_value(what.query, "num_parameters")),
        inference(!core::query_value(what.query, "inference").empty() ||
                  !query_values(what.query, "inference_provider").empty()) {}

  bool by_record(const repo_record& record) const {
    if (!author.empty() && record.owner() != author) return false;
    if (!gated.empty() && record.gated.empty() == (gated == "true")) return false;
    return std::all_of(search.begin(), search.end(), [&](const std::string& words) {
      return core::lower(record.id).find(core::lower(words)) != std::string::npos;
    });
  }
  /// Whether `by_description` has to be asked.
  bool needs_description() const {
    return inference || linked || !pipeline_tag.empty() || !filter.empty() || !apps.empty() ||
           !datasets.empty() || !models.empty();
  }
  bool by_description(const boost::json::object& repo) const {
    if (inference) return false;  // nothing runs here
    if (!std::all_of(apps.begin(), apps.end(),
                     [&](const std::string& app) { return has_tag(repo, app); }))
      return false;
    if (!uses(repo, "datasets", datasets) || !uses(repo, "models", models)) return false;
    if (linked && named_in(repo, "datasets").empty() && named_in(repo, "models").empty())
      return false;
    if (!pipeline_tag.empty() && hub::text_or(repo, "pipeline_tag") != pipeline_tag) return false;
    return std::all_of(filter.begin(), filter.end(),
                       [&](const std::string& tag) { return has_tag(repo, tag); });
  }

  std::string author;
  std::vector<std::string> search;
  std::vector<std::string> filter;
  std::string pipeline_tag;
  std::string gated;
  std::vector<std::string> apps;
  std::vector<std::string> datasets;
  std::vector<std::string> models;
  bool linked;
  std::string num_parameters;
  bool inference;
};

/// A repository that a listing may show.
struct listed_repo {
  repo_record record{};
  std::string commit{};
  std::string key{};  ///< what it is sorted by
};

/// Nothing where it cannot be read: deleted in between, or damaged.
std::optional<boost::json::object> described(hub_store& store, const repo_record& record,
                                             const std::string& commit,
                                             const description_options& options,
                                             const std::vector<std::string>& expand) {
  try {
    const git_repository repository(store.repos.path_of(record.type, record.id));
    auto description = describe_repo(record, repository, commit, options);
    if (!expand.empty()) add_measures(description, store, record, repository, commit, expand);
    return description;
  } catch (const std::exception&) {
    return std::nullopt;
  }
}

/// As little as it takes to tell whether and where the repository is listed. Nothing if it is not:
/// also where it cannot be read, which must not hide the others.
std::optional<listed_repo> look_at(hub_store& store, repo_record record, const wanted_repos& wanted,
                                   const std::string& sort) {
  try {
    const git_repository repository(store.repos.path_of(record.type, record.id));
    const auto head = repository.resolve("main");
    if (!head) return std::nullopt;
    if (!wanted.num_parameters.empty()) {
      const auto weights = summarize_weights(store, record, repository, *head);
      if (!weights || !is_in_range(weights->total, wanted.num_parameters)) return std::nullopt;
    }
    if (wanted.needs_description()) {
      description_options options;
      options.files = false;
      if (!wanted.by_description(describe_repo(record, repository, *head, options)))
        return std::nullopt;
    }
    listed_repo found;
    found.commit = *head;
    if (sort == "createdAt") found.key = record.created_at;
    if (sort == "id") found.key = record.id;
    if (sort == "lastModified")
      if (const auto commit = repository.commit_info(*head)) found.key = timestamp_of(commit->time);
    found.record = std::move(record);
    return found;
  } catch (const std::exception&) {
    return std::nullopt;
  }
}

/// The same request for what comes after so many.
std::string next_page(const call& what, std::uint64_t skip) {
  std::string query;
  for (std::size_t begin = 0; begin < what.query.size();) {
    const auto end = std::min(what.query.find('&', begin), what.query.size());
    const auto part = what.query.substr(begin, end - begin);
    begin = end + 1;
    if (!part.empty() && !part.starts_with("cursor=")) query += part + '&';
  }
  return what.endpoint + "/api/" + std::string(hub::plural(what.type)) + '?' + query +
         "cursor=" + std::to_string(skip);
}

}  // namespace

reply list_repos(hub_store& store, const call& what) {
  const auto who = identify(store, what);
  const wanted_repos wanted(what);
  const auto expand = query_values(what.query, "expand");
  check_expand(expand);
  const bool full = query_flag(what.query, "full");
  auto sort = core::query_value(what.query, "sort");
  const bool by_trend = sort == "trendingScore";
  if (sort.empty() || by_trend) sort = "lastModified";
  std::vector<listed_repo> found;
  for (auto& record : store.repos.all(what.type)) {
    if (!is_visible(record, who) || !wanted.by_record(record)) continue;
    if (auto each = look_at(store, std::move(record), wanted, sort))
      found.push_back(std::move(*each));
  }
  const bool upwards = core::query_value(what.query, "direction") == "1";
  std::stable_sort(found.begin(), found.end(), [&](const listed_repo& a, const listed_repo& b) {
    return upwards ? a.key < b.key : b.key < a.key;
  });
  const auto limit = std::clamp<std::uint64_t>(
      core::parse_decimal(core::query_value(what.query, "limit")).value_or(largest_page), 1,
      largest_page);
  const auto skip = std::min<std::uint64_t>(
      core::parse_decimal(core::query_value(what.query, "cursor")).value_or(0), found.size());
  description_options options;
  options.files = full || std::find(expand.begin(), expand.end(), "siblings") != expand.end();
  options.config = full || query_flag(what.query, "config") ||
                   std::find(expand.begin(), expand.end(), "config") != expand.end();
  boost::json::array page;
  for (auto i = skip; i < found.size() && i - skip < limit; ++i) {
    const auto& [record, commit, key] = found[static_cast<std::size_t>(i)];
    auto repo = described(store, record, commit, options, expand);
    if (!repo) continue;
    if (expand.empty() && !full && !query_flag(what.query, "cardData")) repo->erase("cardData");
    keep_expanded(*repo, expand);
    if (by_trend) (*repo)["trendingScore"] = 0;
    page.push_back(std::move(*repo));
  }
  auto answer = json_reply(page);
  if (skip + limit < found.size())
    answer.headers.set("Link", '<' + next_page(what, skip + limit) + ">; rel=\"next\"");
  return answer;
}

}  // namespace cohub::server
