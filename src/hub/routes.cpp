#include "hub/routes.hpp"

#include "core/url.hpp"
#include "hub/repo_id.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace cohub::hub::routes {

namespace {

std::string api(std::string_view endpoint, repo_type type, std::string_view repo_id) {
  std::string url(endpoint);
  url += "/api/";
  url += plural(type);
  url += '/';
  url += repo_id;
  return url;
}

/// A revision keeps no '/' of its own in a path.
std::string operation(std::string_view endpoint, repo_type type, std::string_view repo_id,
                      std::string_view name, std::string_view revision) {
  auto url = api(endpoint, type, repo_id);
  url += '/';
  url += name;
  url += '/';
  url += core::percent_encode(revision);
  return url;
}

/// Names of sort orders that are written otherwise in the API.
std::string sort_key(const std::string& name) {
  if (name == "last_modified") return "lastModified";
  if (name == "created_at") return "createdAt";
  if (name == "trending_score") return "trendingScore";
  return name;
}

/// Texts that an API has as tags of their own prefix; one that has it already stays as it is.
std::vector<std::string> prefixed(const std::string& prefix, std::vector<std::string> texts) {
  for (auto& text : texts)
    if (!text.starts_with(prefix)) text = prefix + text;
  return texts;
}

/// A url to which parameters are added; empty ones are left out, lists repeat their key.
class query_writer {
 public:
  explicit query_writer(std::string url) : url_(std::move(url)) {}

  void add(std::string_view key, std::string_view value) {
    if (value.empty()) return;
    url_ += std::exchange(before_, '&');
    url_ += core::percent_encode(key);
    url_ += '=';
    url_ += core::percent_encode(value);
  }
  void add(std::string_view key, const std::vector<std::string>& values) {
    for (const auto& value : values) add(key, value);
  }
  std::string text() { return std::move(url_); }

 private:
  std::string url_;
  char before_ = '?';
};

/// The filters of one kind of repository alone.
void add_special_filters(query_writer& url, repo_type type, const list_repos_options& options) {
  if (type == repo_type::model) {
    url.add("filter", prefixed("dataset:", options.trained_dataset));
    url.add("pipeline_tag", options.pipeline_tag);
    url.add("apps", options.apps);
    url.add("inference", options.inference);
    url.add("inference_provider", options.inference_provider);
    url.add("num_parameters", options.num_parameters);
  } else if (type == repo_type::dataset) {
    if (!options.benchmark.empty()) url.add("filter", "benchmark:" + options.benchmark);
    url.add("filter", prefixed("language_creators:", options.language_creators));
    url.add("filter", prefixed("language:", options.language));
    url.add("filter", prefixed("multilinguality:", options.multilinguality));
    url.add("filter", prefixed("size_categories:", options.size_categories));
    url.add("filter", prefixed("task_categories:", options.task_categories));
    url.add("filter", prefixed("task_ids:", options.task_ids));
  } else if (type == repo_type::space) {
    url.add("datasets", options.datasets);
    url.add("models", options.models);
    if (options.linked) url.add("linked", "true");
  }
}

}  // namespace

std::string repo_page(std::string_view endpoint, repo_type type, std::string_view repo_id) {
  std::string url(endpoint);
  url += '/';
  url += url_prefix(type);
  url += repo_id;
  return url;
}

std::string resolve(std::string_view endpoint, repo_type type, std::string_view repo_id,
                    std::string_view revision, std::string_view path) {
  return repo_page(endpoint, type, repo_id) + "/resolve/" + core::percent_encode(revision) + '/' +
         core::percent_encode(path, "/");
}

std::string whoami(std::string_view endpoint) { return std::string(endpoint) + "/api/whoami-v2"; }

std::string create_repo(std::string_view endpoint) {
  return std::string(endpoint) + "/api/repos/create";
}

std::string space_templates(std::string_view endpoint) {
  return std::string(endpoint) + "/api/spaces/templates";
}

std::string delete_repo(std::string_view endpoint) {
  return std::string(endpoint) + "/api/repos/delete";
}

std::string move_repo(std::string_view endpoint) {
  return std::string(endpoint) + "/api/repos/move";
}

std::string validate_yaml(std::string_view endpoint) {
  return std::string(endpoint) + "/api/validate-yaml";
}

std::string repo_info(std::string_view endpoint, repo_type type, std::string_view repo_id,
                      std::string_view revision, bool files_metadata,
                      const std::vector<std::string>& expand, bool security_status) {
  query_writer url(revision.empty() ? api(endpoint, type, repo_id)
                                    : operation(endpoint, type, repo_id, "revision", revision));
  if (security_status) url.add("securityStatus", "true");
  if (files_metadata) url.add("blobs", "true");
  url.add("expand", expand);
  return url.text();
}

std::string duplicate_repo(std::string_view endpoint, repo_type type, std::string_view repo_id) {
  return api(endpoint, type, repo_id) + "/duplicate";
}

std::string auth_check(std::string_view endpoint, repo_type type, std::string_view repo_id,
                       bool write) {
  return api(endpoint, type, repo_id) + (write ? "/auth-check/write" : "/auth-check");
}

std::string user_repos(std::string_view endpoint, std::string_view organization) {
  std::string url = std::string(endpoint) + "/api/";
  if (!organization.empty()) url += "organizations/" + core::percent_encode(organization) + '/';
  return url + "settings/repositories";
}

std::string lfs_files(std::string_view endpoint, repo_type type, std::string_view repo_id) {
  return api(endpoint, type, repo_id) + "/lfs-files";
}

std::string lfs_deletions(std::string_view endpoint, repo_type type, std::string_view repo_id) {
  return lfs_files(endpoint, type, repo_id) + "/batch";
}

std::string compare(std::string_view endpoint, repo_type type, std::string_view repo_id,
                    std::string_view from, std::string_view to, bool raw) {
  const std::string both = std::string(from) + ".." + std::string(to);
  return operation(endpoint, type, repo_id, "compare", both) + (raw ? "?raw=true" : "");
}

std::string settings(std::string_view endpoint, repo_type type, std::string_view repo_id) {
  return api(endpoint, type, repo_id) + "/settings";
}

std::string discussions(std::string_view endpoint, repo_type type, std::string_view repo_id) {
  return api(endpoint, type, repo_id) + "/discussions";
}

std::string discussion_query(std::uint64_t page, const get_repo_discussions_options& options) {
  query_writer query({});
  query.add("p", std::to_string(page));
  query.add("type", options.discussion_type);
  query.add("status", options.discussion_status);
  query.add("author", options.author);
  return query.text();
}

std::string super_squash(std::string_view endpoint, repo_type type, std::string_view repo_id,
                         std::string_view branch) {
  return operation(endpoint, type, repo_id, "super-squash", branch);
}

std::string access_requests(std::string_view endpoint, repo_type type, std::string_view repo_id) {
  return api(endpoint, type, repo_id) + "/user-access-request";
}

std::string list_repos(std::string_view endpoint, repo_type type,
                       const list_repos_options& options) {
  constexpr std::uint64_t largest_page = 1000;
  query_writer url(std::string(endpoint) + "/api/" + std::string(plural(type)));
  url.add("search", options.search);
  url.add("author", options.author);
  url.add("filter", options.filter);
  add_special_filters(url, type, options);
  if (options.gated) url.add("gated", *options.gated ? "true" : "false");
  url.add("sort", sort_key(options.sort));
  if (options.limit > 0) url.add("limit", std::to_string(std::min(options.limit, largest_page)));
  if (options.expand.empty()) {
    if (options.full) url.add("full", "true");
    if (options.fetch_config && type == repo_type::model) url.add("config", "true");
    if (options.card_data) url.add("cardData", "true");
  }
  url.add("expand", options.expand);
  return url.text();
}

std::string refs(std::string_view endpoint, repo_type type, std::string_view repo_id,
                 bool include_pull_requests) {
  return api(endpoint, type, repo_id) + "/refs" + (include_pull_requests ? "?include_prs=1" : "");
}

std::string commits(std::string_view endpoint, repo_type type, std::string_view repo_id,
                    std::string_view revision, bool formatted) {
  return operation(endpoint, type, repo_id, "commits", revision) +
         (formatted ? "?expand%5B%5D=formatted" : "");
}

std::string branch(std::string_view endpoint, repo_type type, std::string_view repo_id,
                   std::string_view name) {
  return operation(endpoint, type, repo_id, "branch", name);
}

std::string tag(std::string_view endpoint, repo_type type, std::string_view repo_id,
                std::string_view name) {
  return operation(endpoint, type, repo_id, "tag", name);
}

std::string tree(std::string_view endpoint, repo_type type, std::string_view repo_id,
                 std::string_view revision, std::string_view path, bool recursive, bool expand) {
  auto url = operation(endpoint, type, repo_id, "tree", revision);
  if (!path.empty()) url += '/' + core::percent_encode(path);
  url += recursive ? "?recursive=true" : "?recursive=false";
  url += expand ? "&expand=true" : "&expand=false";
  return url;
}

std::string paths_info(std::string_view endpoint, repo_type type, std::string_view repo_id,
                       std::string_view revision) {
  return operation(endpoint, type, repo_id, "paths-info", revision);
}

std::string preupload(std::string_view endpoint, repo_type type, std::string_view repo_id,
                      std::string_view revision, bool create_pr) {
  return operation(endpoint, type, repo_id, "preupload", revision) +
         (create_pr ? "?create_pr=1" : "");
}

std::string commit(std::string_view endpoint, repo_type type, std::string_view repo_id,
                   std::string_view revision, bool create_pr) {
  return operation(endpoint, type, repo_id, "commit", revision) + (create_pr ? "?create_pr=1" : "");
}

std::string duplicate_lfs_files(std::string_view endpoint, repo_type type,
                                std::string_view repo_id) {
  return lfs_files(endpoint, type, repo_id) + "/duplicate";
}

std::string lfs_batch(std::string_view endpoint, repo_type type, std::string_view repo_id) {
  return repo_page(endpoint, type, repo_id) + ".git/info/lfs/objects/batch";
}

std::string rebase(std::string url, std::string_view endpoint) {
  constexpr std::array<std::string_view, 2> known{"https://huggingface.co",
                                                  "https://hub-ci.huggingface.co"};
  for (const auto host : known) {
    if (!url.starts_with(host) || endpoint == host) continue;
    const auto rest = url.substr(host.size());
    if (rest.empty() || rest.front() == '/' || rest.front() == '?')
      return std::string(endpoint) + rest;
  }
  return url;
}

}  // namespace cohub::hub::routes
