#include "hub/api_url.hpp"

#include "hub/repo_id.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace cohub::hub {

namespace {

/// What may follow a repository in an address: after a name without an owner, these are not names.
bool is_action(std::string_view word) noexcept {
  constexpr std::array<std::string_view, 20> actions{
      "auth-check",     "branch",         "commit",
      "commits",        "compare",        "discussions",
      "duplicate",      "lfs-files",      "paths-info",
      "preupload",      "refs",           "revision",
      "settings",       "super-squash",   "tag",
      "tree",           "treesize",       "user-access-request",
      "xet-read-token", "xet-write-token"};
  return std::find(actions.begin(), actions.end(), word) != actions.end();
}

std::string_view take_segment(std::string_view& path) noexcept {
  const auto end = std::min(path.find('/'), path.size());
  const auto segment = path.substr(0, end);
  path.remove_prefix(std::min(end + 1, path.size()));
  return segment;
}

}  // namespace

std::optional<named_repository> repository_of_api_url(std::string_view url) {
  const auto path = url.substr(0, url.find_first_of("?#"));
  constexpr std::array<std::pair<std::string_view, const char*>, 3> kinds{
      {{"/api/models/", "model"}, {"/api/datasets/", "dataset"}, {"/api/spaces/", "space"}}};
  for (const auto& [prefix, type] : kinds) {
    const auto at = path.find(prefix);
    if (at == path.npos) continue;
    auto rest = path.substr(at + prefix.size());
    named_repository found;
    found.type = type;
    found.id = take_segment(rest);
    const auto second = take_segment(rest);
    if (!second.empty() && !is_action(second)) found.id += '/' + std::string(second);
    if (!check_repo_id(found.id)) return {};
    return found;
  }
  return {};
}

}  // namespace cohub::hub
