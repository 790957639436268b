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
                      const std::vector<std::string>& expand) {
  auto url = revision.empty() ? api(endpoint, type, repo_id)
                              : operation(endpoint, type, repo_id, "revision", revision);
  if (files_metadata) url += "?blobs=true";
  char before = '?';
  for (const auto& field : expand)
    url += std::exchange(before, '&') + std::string("expand=") + core::percent_encode(field);
  return url;
}

std::string settings(std::string_view endpoint, repo_type type, std::string_view repo_id) {
  return api(endpoint, type, repo_id) + "/settings";
}

std::string discussions(std::string_view endpoint, repo_type type, std::string_view repo_id) {
  return api(endpoint, type, repo_id) + "/discussions";
}

std::string discussion_query(std::uint64_t page, const get_repo_discussions_options& options) {
  std::string query = "?p=" + std::to_string(page);
  const auto add = [&query](const char* key, const std::string& value) {
    if (!value.empty()) query += '&' + std::string(key) + '=' + core::percent_encode(value);
  };
  add("type", options.discussion_type);
  add("status", options.discussion_status);
  add("author", options.author);
  return query;
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
  std::string url = std::string(endpoint) + "/api/" + std::string(plural(type));
  char before = '?';
  const auto add = [&](const char* key, const std::string& value) {
    if (value.empty()) return;
    url += std::exchange(before, '&') + std::string(key) + '=' + core::percent_encode(value);
  };
  for (const auto& words : options.search) add("search", words);
  add("author", options.author);
  for (const auto& tag : options.filter) add("filter", tag);
  add("pipeline_tag", options.pipeline_tag);
  if (options.gated) add("gated", *options.gated ? "true" : "false");
  add("sort", sort_key(options.sort));
  if (options.limit > 0) add("limit", std::to_string(std::min<std::uint64_t>(options.limit, 1000)));
  if (options.full && options.expand.empty()) add("full", "true");
  if (options.card_data && options.expand.empty()) add("cardData", "true");
  for (const auto& field : options.expand) add("expand", field);
  return url;
}

std::string refs(std::string_view endpoint, repo_type type, std::string_view repo_id,
                 bool include_pull_requests) {
  return api(endpoint, type, repo_id) + "/refs" + (include_pull_requests ? "?include_prs=1" : "");
}

std::string commits(std::string_view endpoint, repo_type type, std::string_view repo_id,
                    std::string_view revision) {
  return operation(endpoint, type, repo_id, "commits", revision);
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
                 std::string_view revision, std::string_view path, bool recursive) {
  auto url = operation(endpoint, type, repo_id, "tree", revision);
  if (!path.empty()) url += '/' + core::percent_encode(path);
  url += recursive ? "?recursive=true&expand=false" : "?recursive=false&expand=false";
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
  return api(endpoint, type, repo_id) + "/lfs-files/duplicate";
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
