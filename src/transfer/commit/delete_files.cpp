#include "transfer/commit/delete_files.hpp"

#include "core/glob.hpp"
#include "transfer/commit/commit_options.hpp"
#include "transfer/commit/create_commit.hpp"
#include "transfer/tree_listing.hpp"

#include <utility>

namespace cohub::transfer {

namespace {

awaitable<commit_info> commit_deletions(context_ptr shared, std::string repo_id,
                                        std::vector<commit_operation> operations,
                                        std::string message, delete_file_options options,
                                        deletions which) {
  auto commit = commit_options_of(options);
  if (!options.commit_message.empty()) message = std::move(options.commit_message);
  co_return co_await create_commit(std::move(shared), std::move(repo_id), std::move(operations),
                                   std::move(message), std::move(commit), which);
}

}  // namespace

awaitable<commit_info> delete_path(context_ptr shared, std::string path, bool is_folder,
                                   std::string repo_id, delete_file_options options) {
  auto message = (is_folder ? "Delete folder " : "Delete ") + path + " with cohub";
  commit_operation_delete removal;
  removal.path_in_repo = std::move(path);
  removal.is_folder = is_folder;
  std::vector<commit_operation> operations;
  operations.emplace_back(std::move(removal));
  co_return co_await commit_deletions(std::move(shared), std::move(repo_id), std::move(operations),
                                      std::move(message), std::move(options), deletions::named);
}

awaitable<commit_info> delete_files(context_ptr shared, std::string repo_id,
                                    std::vector<std::string> patterns,
                                    delete_file_options options) {
  std::string message = "Delete files";
  for (const auto& pattern : patterns) message += ' ' + pattern;
  message += " with cohub";
  const core::path_filter wanted(std::move(patterns), {});
  list_repo_tree_options of;
  of.type = options.type;
  of.revision = options.revision;
  of.recursive = true;
  of.token = options.token;
  auto remote = list_repo_tree(shared, repo_id, std::move(of));
  std::vector<commit_operation> operations;
  for (;;) {
    const auto entry = co_await remote.next();
    if (!entry) break;
    if (entry->type != tree_entry::kind::file || !wanted.keeps(entry->path)) continue;
    commit_operation_delete removal;
    removal.path_in_repo = entry->path;
    operations.push_back(std::move(removal));
  }
  co_return co_await commit_deletions(std::move(shared), std::move(repo_id), std::move(operations),
                                      std::move(message), std::move(options), deletions::listed);
}

}  // namespace cohub::transfer
