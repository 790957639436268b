#include "transfer/folder/upload_folder.hpp"

#include "cohub/error.hpp"

#include "core/glob.hpp"
#include "hub/repo_id.hpp"
#include "hub/repo_path.hpp"
#include "io/on_pool.hpp"
#include "transfer/commit/commit_options.hpp"
#include "transfer/commit/create_commit.hpp"
#include "transfer/folder/folder_listing.hpp"
#include "transfer/tree_listing.hpp"

#include <unordered_set>
#include <utility>

namespace cohub::transfer {

namespace {

awaitable<std::vector<commit_operation>> additions(context_ptr shared, std::filesystem::path folder,
                                                   std::string prefix,
                                                   upload_folder_options options) {
  auto filter =
      core::upload_filter(std::move(options.allow_patterns), std::move(options.ignore_patterns));
  auto work = [folder = std::move(folder), filter = std::move(filter), prefix = std::move(prefix),
               listener = shared->listener_for(options.observer)](const std::stop_token& stop) {
    auto files = list_committable(std::filesystem::absolute(folder), filter, listener, stop);
    std::vector<commit_operation> operations;
    operations.reserve(files.size());
    for (auto& file : files) {
      commit_operation_add add;
      add.path_in_repo = prefix + file.relative;
      add.content = std::move(file.path);
      operations.push_back(std::move(add));
    }
    return operations;
  };
  co_return co_await io::on_pool(shared->pool, std::move(work));
}

using path_set = std::unordered_set<std::string>;

/// The paths that operations fill, as the Hub tells them.
path_set paths_filled(const std::vector<commit_operation>& operations) {
  path_set filled;
  const auto add = [&](const std::string& path) {
    if (auto normalized = hub::check_path_in_repo(path)) filled.insert(std::move(*normalized));
  };
  for (const auto& operation : operations) {
    if (const auto* addition = std::get_if<commit_operation_add>(&operation))
      add(addition->path_in_repo);
    else if (const auto* copy = std::get_if<commit_operation_copy>(&operation))
      add(copy->path_in_repo);
  }
  return filled;
}

/// Deletions of the remote files that the patterns name and that are not filled anyway.
awaitable<std::vector<commit_operation>> list_deletions(context_ptr shared, std::string repo_id,
                                                        std::string prefix, path_set kept,
                                                        upload_folder_options options) {
  const core::path_filter wanted(options.delete_patterns, {});
  list_repo_tree_options of;
  of.type = options.type;
  // A pull request may start from an older commit.
  of.revision = hub::is_commit_id(options.parent_commit) ? options.parent_commit : options.revision;
  of.recursive = true;
  of.token = options.token;
  auto remote = list_repo_tree(shared, std::move(repo_id), std::move(of));
  std::vector<commit_operation> operations;
  for (;;) {
    const auto entry = co_await remote.next();
    if (!entry) break;
    if (entry->type != tree_entry::kind::file || !entry->path.starts_with(prefix)) continue;
    const auto relative = entry->path.substr(prefix.size());
    if (relative == ".gitattributes" || kept.contains(entry->path) || !wanted.keeps(relative))
      continue;
    commit_operation_delete removal;
    removal.path_in_repo = entry->path;
    operations.push_back(std::move(removal));
  }
  co_return operations;
}

}  // namespace

awaitable<commit_info> upload_folder(context_ptr shared, std::filesystem::path folder,
                                     std::string repo_id, upload_folder_options options) {
  const auto prefix = repo_prefix(options.path_in_repo);
  auto operations = co_await additions(shared, std::move(folder), prefix, options);
  std::move(options.additional.begin(), options.additional.end(), std::back_inserter(operations));
  // Of those that a caller has added none can be told from ours.
  const bool are_listed = options.additional.empty();
  options.additional.clear();
  const auto which = are_listed ? deletions::listed : deletions::named;
  if (!options.delete_patterns.empty()) {
    auto removals =
        co_await list_deletions(shared, repo_id, prefix, paths_filled(operations), options);
    std::move(removals.begin(), removals.end(), std::back_inserter(operations));
  }
  auto commit = commit_options_of(options);
  auto message = std::move(options.commit_message);
  if (message.empty()) message = "Upload folder using cohub";
  co_return co_await create_commit(std::move(shared), std::move(repo_id), std::move(operations),
                                   std::move(message), std::move(commit), which);
}

awaitable<commit_info> upload_file(context_ptr shared, decltype(commit_operation_add::content) file,
                                   std::string path_in_repo, std::string repo_id,
                                   upload_file_options options) {
  auto commit = commit_options_of(options);
  auto message = std::move(options.commit_message);
  if (message.empty()) message = "Upload " + path_in_repo + " with cohub";
  commit_operation_add add;
  add.path_in_repo = std::move(path_in_repo);
  add.content = std::move(file);
  std::vector<commit_operation> operations;
  operations.emplace_back(std::move(add));
  co_return co_await create_commit(std::move(shared), std::move(repo_id), std::move(operations),
                                   std::move(message), std::move(commit));
}

}  // namespace cohub::transfer
