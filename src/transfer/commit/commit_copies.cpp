#include "transfer/commit/commit_copies.hpp"

#include "cohub/download.hpp"
#include "cohub/error.hpp"

#include "hub/json_reader.hpp"
#include "hub/repo_id.hpp"
#include "hub/routes.hpp"
#include "io/for_each_bounded.hpp"
#include "io/on_pool.hpp"
#include "transfer/api_call.hpp"
#include "transfer/download/download_file.hpp"
#include "transfer/paths_info.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include <algorithm>
#include <iterator>
#include <map>
#include <string>
#include <tuple>
#include <unordered_map>
#include <utility>

namespace cohub::transfer {

namespace {

constexpr std::size_t files_a_duplication = 500;
constexpr std::size_t copies_at_once = 8;

/// A revision of a repository that is copied from.
struct copy_source {
  repo_type type = repo_type::model;
  std::string repo_id{};
  std::string revision{};
  friend bool operator<(const copy_source& a, const copy_source& b) {
    return std::tie(a.type, a.repo_id, a.revision) < std::tie(b.type, b.repo_id, b.revision);
  }
};

copy_source source_of(const commit_in_progress& commit, const commit_operation_copy& copy) {
  copy_source source;
  source.type = copy.src_repo_type.value_or(commit.options.type);
  source.repo_id = copy.src_repo_id.empty() ? commit.repo_id : copy.src_repo_id;
  const bool same = source.repo_id == commit.repo_id && source.type == commit.options.type;
  source.revision = copy.src_revision;
  if (source.revision.empty()) source.revision = same ? commit.options.revision : "main";
  return source;
}

bool is_elsewhere(const commit_in_progress& commit, const copy_source& source) {
  return source.repo_id != commit.repo_id || source.type != commit.options.type;
}

/// Gives large files of another repository to the one that is committed to.
awaitable<void> duplicate(context_ptr shared, commit_ptr commit, copy_source source,
                          std::vector<tree_entry> files) {
  for (std::size_t begin = 0; begin < files.size(); begin += files_a_duplication) {
    boost::json::array list;
    for (std::size_t i = begin; i < std::min(begin + files_a_duplication, files.size()); ++i) {
      boost::json::object item;
      if (!files[i].xet_hash.empty()) item["xetHash"] = files[i].xet_hash;
      item["sha256"] = files[i].lfs->sha256;
      item["filename"] = files[i].path;
      list.emplace_back(std::move(item));
    }
    boost::json::object target;
    target["type"] = std::string(hub::singular(commit->options.type));
    target["name"] = commit->repo_id;
    boost::json::object body;
    body["target"] = std::move(target);
    body["files"] = std::move(list);
    const std::string doing = "copying large files of " + source.repo_id;
    const auto url =
        hub::routes::duplicate_lfs_files(shared->endpoint, source.type, source.repo_id);
    auto what =
        hub_request(*shared, http::method::post, url, commit->token, boost::json::serialize(body));
    what.idempotent = true;
    const auto text = co_await call_for_text(shared, std::move(what), doing);
    const auto reply = hub::parse_json(text);
    if (!reply || !reply->is_object()) throw error(errc::invalid_response, doing);
    const auto* failed = reply->get_object().if_contains("failed");
    if (failed != nullptr && failed->is_array() && !failed->get_array().empty())
      throw error(errc::bad_request, doing + " (the Hub could not copy all of them)");
  }
}

/// What one copy stands for.
awaitable<planned_add> addition_of(context_ptr shared, commit_ptr commit, copy_source source,
                                   tree_entry entry, planned_copy copy) {
  planned_add add;
  add.path = std::move(copy.path);
  add.operation = copy.operation;
  if (entry.lfs) {
    add.mode = hub::upload_mode::lfs;
    add.sha256 = entry.lfs->sha256;
    add.size = entry.lfs->size;
    add.uploaded = true;
  } else {
    download_options options;
    options.type = source.type;
    options.revision = source.revision;
    options.token = commit->token;
    const auto file =
        co_await download_file(shared, source.repo_id, entry.path, std::move(options));
    auto open = [file] { return open_file_content(file); };
    add.content = co_await io::on_pool(shared->pool, std::move(open));
    add.size = add.content->size();
  }
  co_return add;
}

}  // namespace

awaitable<void> resolve_copies(context_ptr shared, commit_ptr commit,
                               std::shared_ptr<const std::vector<commit_operation>> operations) {
  std::map<copy_source, std::vector<planned_copy>> by_source;
  for (auto& copy : commit->plan->copies) {
    const auto& operation = std::get<commit_operation_copy>((*operations)[copy.operation]);
    by_source[source_of(*commit, operation)].push_back(std::move(copy));
  }
  commit->plan->copies.clear();
  for (const auto& each : by_source) {
    const auto& source = each.first;
    const auto& copies = each.second;
    std::vector<std::string> paths;
    for (const auto& copy : copies) paths.push_back(copy.source);
    get_paths_info_options options;
    options.type = source.type;
    options.revision = source.revision;
    options.token = commit->token;
    const auto entries =
        co_await get_paths_info(shared, source.repo_id, std::move(paths), std::move(options));
    std::unordered_map<std::string_view, const tree_entry*> by_path;
    std::vector<tree_entry> large;
    for (const auto& entry : entries) {
      if (entry.type != tree_entry::kind::file) continue;
      by_path.emplace(entry.path, &entry);
      if (entry.lfs) large.push_back(entry);
    }
    for (const auto& copy : copies)
      if (!by_path.contains(copy.source))
        throw error(errc::entry_not_found, "copying " + copy.source + " of " + source.repo_id);
    if (is_elsewhere(*commit, source) && !large.empty()) {
      co_await duplicate(shared, commit, source, std::move(large));
    }
    std::vector<planned_add> added(copies.size());
    // Lends references to this frame, which awaits all of it.
    auto resolve = [&](std::size_t i) -> awaitable<void> {
      auto resolving =
          addition_of(shared, commit, source, *by_path.at(copies[i].source), copies[i]);
      auto addition = co_await std::move(resolving);
      added[i] = std::move(addition);
    };
    co_await io::for_each_bounded(copies.size(), copies_at_once, resolve);
    std::move(added.begin(), added.end(), std::back_inserter(commit->plan->adds));
  }
  commit->plan->mark_refilled();
}

awaitable<void> drop_unchanged_copies(context_ptr shared, commit_ptr commit) {
  std::vector<std::string> paths;
  std::unordered_map<std::string, planned_add*> copied;
  for (auto& add : commit->plan->adds) {
    if (add.content || add.refilled) continue;
    add.unchanged = false;
    paths.push_back(add.path);
    copied.emplace(add.path, &add);
  }
  if (paths.empty()) co_return;
  get_paths_info_options options;
  options.type = commit->options.type;
  options.revision = commit->options.revision;
  options.token = commit->token;
  const auto entries =
      co_await get_paths_info(shared, commit->repo_id, std::move(paths), std::move(options));
  for (const auto& entry : entries) {
    const auto found = copied.find(entry.path);
    if (found != copied.end() && entry.lfs)
      found->second->unchanged = entry.lfs->sha256 == found->second->sha256;
  }
}

}  // namespace cohub::transfer
