#include "model/mixin/staged_upload.hpp"

#include "cohub/error.hpp"
#include "cohub/safetensors_source.hpp"

#include "core/glob.hpp"
#include "hub/repo_id.hpp"
#include "io/on_pool.hpp"
#include "model/mixin/replaced_weights.hpp"
#include "model/safetensors/filename_pattern.hpp"
#include "transfer/folder/folder_listing.hpp"

#include <functional>
#include <utility>

namespace cohub::model {

namespace {

/// Where the files of a model go in the repository.
struct file_names {
  std::set<std::string> saved{};   ///< all of them
  std::set<std::string> pushed{};  ///< those that the patterns keep
};

awaitable<file_names> names_of(asio::any_io_executor pool, const staged_model& model,
                               const push_to_hub_options& options) {
  auto work = [&model, &options](const std::stop_token& stop) {
    file_names names{.saved = model.streamed_names, .pushed = {}};
    const auto committable = core::upload_filter({}, {});
    for (auto& file : transfer::list_folder(model.folder, committable, stop))
      names.saved.insert(std::move(file.relative));
    const core::path_filter filter(options.allow_patterns, options.ignore_patterns);
    for (const auto& name : names.saved)
      if (filter.keeps(name)) names.pushed.insert(name);
    return names;
  };
  co_return co_await io::on_pool(std::move(pool), std::move(work));
}

std::string branch_of(const push_to_hub_options& options) {
  return options.branch.empty() ? "main" : options.branch;
}

/// The files of the repository, or of one folder of it, that `wanted` wants.
awaitable<std::vector<std::string>> list_remote(client hub, std::string repo_id,
                                                list_repo_tree_options where,
                                                std::function<bool(const std::string&)> wanted) {
  std::vector<std::string> files;
  auto remote = hub.list_repo_tree(std::move(repo_id), where);
  try {
    for (;;) {
      const auto entry = co_await remote.next();
      if (!entry) break;
      if (entry->type == tree_entry::kind::file && wanted(entry->path))
        files.push_back(entry->path);
    }
  } catch (const error& failure) {
    // A folder that this push is the first to fill.
    if (failure.code() != errc::entry_not_found || where.path_in_repo.empty()) throw;
  }
  co_return files;
}

/// What the push changes: a pull request may start from an older commit.
std::string base_of(const push_to_hub_options& options) {
  return hub::is_commit_id(options.parent_commit) ? options.parent_commit : branch_of(options);
}

/// What the repository has that goes with this push: what `delete_patterns` name, and the weights
/// that those of this push stand for.
awaitable<std::set<std::string>> find_removals(client hub, std::string repo_id,
                                               const file_names& names, bool removes_old,
                                               const push_to_hub_options& options) {
  list_repo_tree_options where;
  where.revision = base_of(options);
  where.token = options.token;
  const core::path_filter unwanted(options.delete_patterns, {});
  std::set<std::string> removals;
  if (!options.delete_patterns.empty()) {
    where.recursive = true;
    auto listing = list_remote(hub, repo_id, where, [&](const std::string& path) {
      return path != ".gitattributes" && unwanted.keeps(path);
    });
    auto found = co_await std::move(listing);
    removals.insert(found.begin(), found.end());
    where.recursive = false;
  }
  if (removes_old) {
    std::vector<std::string> there;
    for (const auto& folder : weight_folders(names.pushed)) {
      where.path_in_repo = folder;
      auto listing = list_remote(hub, repo_id, where, [](const std::string& path) {
        return !weight_family(path).empty();
      });
      auto found = co_await std::move(listing);
      there.insert(there.end(), found.begin(), found.end());
    }
    for (auto& name : replaced_weights(names.pushed, names.saved, there))
      removals.insert(std::move(name));
  }
  for (const auto& name : names.pushed) removals.erase(name);
  co_return removals;
}

/// Whether a card is there that shall stay.
awaitable<bool> keeps_remote_card(client hub, std::string repo_id,
                                  const push_to_hub_options& options) {
  if (!options.keep_remote_card) co_return false;
  file_exists_options where;
  where.revision = base_of(options);
  where.token = options.token;
  const bool there = co_await hub.file_exists(std::move(repo_id), "README.md", where);
  co_return there;
}

}  // namespace

staged_model stream_files(asio::any_io_executor pool, save_sink& sink,
                          const push_to_hub_options& options) {
  const core::path_filter filter(options.allow_patterns, options.ignore_patterns);
  staged_model result{.folder = sink.folder(), .removes_old = sink.is_main_process()};
  const auto keeps = [&](const std::string& name) {
    result.streamed_names.insert(name);
    return filter.keeps(name);
  };
  for (auto& file : sink.take_texts()) {
    if (!keeps(file.name)) continue;
    commit_operation_add add;
    add.path_in_repo = std::move(file.name);
    add.content = commit_operation_add::bytes{std::move(file.text)};
    result.streamed.emplace_back(std::move(add));
  }
  for (auto& file : sink.take_files()) {
    if (!keeps(file.name)) continue;
    const save_safetensors_options writing{.metadata = std::move(file.metadata)};
    commit_operation_add add;
    add.path_in_repo = std::move(file.name);
    add.content = safetensors_source(pool, std::move(file.tensors), writing);
    result.streamed.emplace_back(std::move(add));
  }
  return result;
}

awaitable<commit_info> upload_staged(client hub, std::string repo_id, staged_model model,
                                     push_to_hub_options options) {
  upload_folder_options upload;
  upload.revision = branch_of(options);
  upload.commit_message = options.commit_message;
  upload.commit_description = options.commit_description;
  upload.create_pr = options.create_pr;
  upload.parent_commit = options.parent_commit;
  upload.allow_patterns = options.allow_patterns;
  upload.ignore_patterns = options.ignore_patterns;
  upload.token = options.token;
  upload.observer = options.observer;
  const auto names = co_await names_of(hub.blocking_executor(), model, options);
  auto removals = co_await find_removals(hub, repo_id, names, model.removes_old, options);
  const bool keeps_card = co_await keeps_remote_card(hub, repo_id, options);
  if (keeps_card) {
    upload.ignore_patterns.push_back("README.md");
    removals.erase("README.md");
  }
  upload.additional = std::move(model.streamed);
  for (const auto& path : removals) {
    commit_operation_delete removal;
    removal.path_in_repo = path;
    upload.additional.emplace_back(std::move(removal));
  }
  co_return co_await hub.upload_folder(std::move(model.folder), std::move(repo_id), upload);
}

}  // namespace cohub::model
