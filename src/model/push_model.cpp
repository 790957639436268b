#include "cohub/detail/model_steps.hpp"
#include "cohub/error.hpp"
#include "cohub/model_config.hpp"
#include "cohub/safetensors_source.hpp"

#include "client/operation.hpp"
#include "core/glob.hpp"
#include "io/file.hpp"
#include "io/on_pool.hpp"
#include "model/filename_pattern.hpp"
#include "model/staging_folder.hpp"
#include "transfer/folder_listing.hpp"

#include <iterator>
#include <set>
#include <utility>

namespace cohub {

namespace {

namespace fs = std::filesystem;

void check_options(const push_to_hub_options& options) {
  if (options.create_pr && !options.branch.empty() && options.branch != "main")
    throw error(
        errc::invalid_argument,
        "pushing a model: a pull request is always opened against \"main\", so create_pr and "
        "branch \"" +
            options.branch + "\" exclude each other");
}

client identified(client hub, const push_to_hub_options& options) {
  if (options.library_name.empty()) return hub;
  return hub.identified_as(options.library_name, options.library_version);
}

/// Who wrote the card of a staged model.
enum class card_origin { none, hook, generated };

// The coroutines here that take a reference are awaited in the scope that owns what it refers to.

/// Fills the staging folder: the hook first, then what it left out.
awaitable<card_origin> write_parts(asio::any_io_executor pool, const detail::model_parts& parts,
                                   std::shared_ptr<save_sink> sink,
                                   std::optional<boost::json::value> config,
                                   template_variables variables,
                                   std::function<void(model_card&)> edit_card) {
  auto saving = parts.save(pool, sink);
  co_await std::move(saving);
  const auto& folder = sink->folder();
  auto work = [&] {
    if (!fs::exists(folder / "config.json")) {
      if (!config && parts.config) config = parts.config();
      if (config) io::write_file_atomically(folder / "config.json", config_text(*config));
    }
    if (fs::exists(folder / "README.md")) return card_origin::hook;
    if (!parts.card && !edit_card) return card_origin::none;
    auto card = parts.card ? parts.card(std::move(variables)) : model_card();
    if (edit_card) edit_card(card);
    card.save(folder / "README.md");
    return card_origin::generated;
  };
  auto writing = io::on_pool(pool, std::move(work));
  const auto origin = co_await std::move(writing);
  co_return origin;
}

/// Writes what was handed over to the folder.
awaitable<void> write_files(asio::any_io_executor pool, std::shared_ptr<save_sink> sink) {
  auto work = [sink] {
    for (const auto& file : sink->take_texts()) {
      const auto path = sink->folder() / file.name;
      io::create_directories(path.parent_path());
      io::write_file_atomically(path, file.text);
    }
    for (auto& file : sink->take_files()) {
      const auto path = sink->folder() / file.name;
      io::create_directories(path.parent_path());
      const save_safetensors_options options{.metadata = std::move(file.metadata)};
      save_safetensors(path, std::move(file.tensors), options);
    }
  };
  auto writing = io::on_pool(std::move(pool), std::move(work));
  co_await std::move(writing);
}

/// Has it streamed into the commit, as far as the patterns keep it.
std::vector<commit_operation> stream_files(asio::any_io_executor pool, save_sink& sink,
                                           const push_to_hub_options& options) {
  const core::path_filter filter(options.allow_patterns, options.ignore_patterns);
  std::vector<commit_operation> operations;
  for (auto& file : sink.take_texts()) {
    if (!filter.keeps(file.name)) continue;
    commit_operation_add add;
    add.path_in_repo = std::move(file.name);
    add.content = commit_operation_add::bytes{std::move(file.text)};
    operations.emplace_back(std::move(add));
  }
  for (auto& file : sink.take_files()) {
    if (!filter.keeps(file.name)) continue;
    const save_safetensors_options writing{.metadata = std::move(file.metadata)};
    commit_operation_add add;
    add.path_in_repo = std::move(file.name);
    add.content = safetensors_source(pool, std::move(file.tensors), writing);
    operations.emplace_back(std::move(add));
  }
  return operations;
}

/// The repository's full id, after it was created if it was missing.
awaitable<std::string> make_repo(client hub, std::string repo_id,
                                 const push_to_hub_options& options) {
  create_repo_options creation;
  creation.is_private = options.is_private;
  creation.exist_ok = true;
  creation.token = options.token;
  auto creating = hub.create_repo(std::move(repo_id), creation);
  auto created = co_await std::move(creating);
  co_return std::move(created.repo_id);
}

/// Where the files of a commit go in the repository.
awaitable<std::set<std::string>> added_names(asio::any_io_executor pool, fs::path folder,
                                             const std::vector<commit_operation>& streamed,
                                             const push_to_hub_options& options) {
  auto work = [&folder, &options] {
    auto ignored = options.ignore_patterns;
    for (auto& pattern : core::always_ignored_patterns()) ignored.push_back(std::move(pattern));
    const core::path_filter filter(options.allow_patterns, std::move(ignored));
    std::set<std::string> names;
    for (auto& file : transfer::list_folder(folder, filter)) names.insert(std::move(file.relative));
    return names;
  };
  auto listing = io::on_pool(std::move(pool), std::move(work));
  auto names = co_await std::move(listing);
  for (const auto& operation : streamed)
    if (const auto* add = std::get_if<commit_operation_add>(&operation))
      names.insert(add->path_in_repo);
  co_return names;
}

/// What the repository has that must go or stay.
struct remote_state {
  bool has_card = false;
  std::vector<commit_operation> removals{};
};

/// Removes what `delete_patterns` name, and the weights that those of this push stand for.
awaitable<remote_state> look_at_remote(client hub, std::string repo_id,
                                       const std::set<std::string>& added,
                                       const push_to_hub_options& options) {
  std::set<std::string> families;
  for (const auto& name : added)
    if (auto family = model::weight_family(name); !family.empty())
      families.insert(std::move(family));
  remote_state found;
  if (families.empty() && options.delete_patterns.empty() && !options.keep_remote_card)
    co_return found;
  const core::path_filter unwanted(options.delete_patterns, {});
  const auto removes = [&](const std::string& path) {
    if (added.contains(path) || path == ".gitattributes") return false;
    if (path == "README.md" && options.keep_remote_card) return false;
    if (families.contains(model::weight_family(path))) return true;
    return !options.delete_patterns.empty() && unwanted.keeps(path);
  };
  list_repo_tree_options whole;
  whole.revision = options.branch.empty() ? "main" : options.branch;
  whole.recursive = true;
  whole.token = options.token;
  auto remote = hub.list_repo_tree(std::move(repo_id), whole);
  for (;;) {
    const auto entry = co_await remote.next();
    if (!entry) break;
    if (entry->type != tree_entry::kind::file) continue;
    if (entry->path == "README.md") found.has_card = true;
    if (!removes(entry->path)) continue;
    commit_operation_delete removal;
    removal.path_in_repo = entry->path;
    found.removals.emplace_back(std::move(removal));
  }
  co_return found;
}

awaitable<commit_info> upload_staged(client hub, std::string repo_id, fs::path folder,
                                     std::vector<commit_operation> streamed,
                                     const push_to_hub_options& options) {
  upload_folder_options upload;
  upload.revision = options.branch.empty() ? "main" : options.branch;
  upload.commit_message = options.commit_message;
  upload.commit_description = options.commit_description;
  upload.create_pr = options.create_pr;
  upload.parent_commit = options.parent_commit;
  upload.allow_patterns = options.allow_patterns;
  upload.ignore_patterns = options.ignore_patterns;
  upload.token = options.token;
  upload.observer = options.observer;
  auto naming = added_names(hub.blocking_executor(), folder, streamed, options);
  const auto added = co_await std::move(naming);
  auto looking = look_at_remote(hub, repo_id, added, options);
  auto remote = co_await std::move(looking);
  if (options.keep_remote_card && remote.has_card) upload.ignore_patterns.push_back("README.md");
  upload.additional = std::move(streamed);
  std::move(remote.removals.begin(), remote.removals.end(), std::back_inserter(upload.additional));
  auto uploading = hub.upload_folder(std::move(folder), std::move(repo_id), upload);
  auto commit = co_await std::move(uploading);
  co_return commit;
}

awaitable<commit_info> push(client hub, std::string repo_id, detail::model_parts parts,
                            push_to_hub_options options) {
  check_options(options);
  hub = identified(std::move(hub), options);
  auto making = make_repo(hub, std::move(repo_id), options);
  auto full_id = co_await std::move(making);
  const auto pool = hub.blocking_executor();
  auto staging_made = model::staging_folder::make(pool);
  auto staging = co_await std::move(staging_made);
  const auto sink = std::make_shared<save_sink>(staging.path());
  auto writing = write_parts(pool, parts, sink, options.config, options.model_card_variables,
                             options.edit_card);
  co_await std::move(writing);
  auto uploading = upload_staged(hub, std::move(full_id), staging.path(),
                                 stream_files(pool, *sink, options), options);
  auto commit = co_await std::move(uploading);
  auto removing = staging.remove();
  co_await std::move(removing);
  co_return commit;
}

/// The name that a folder gives to a repository.
std::string name_of(const fs::path& folder) {
  auto path = fs::absolute(folder).lexically_normal();
  if (!path.has_filename()) path = path.parent_path();
  return path.filename().string();
}

awaitable<std::optional<commit_info>> save(client hub, fs::path folder, detail::model_parts parts,
                                           save_pretrained_options options) {
  if (options.push_to_hub) check_options(options.push);
  hub = identified(std::move(hub), options.push);
  auto config = options.config ? options.config : options.push.config;
  auto variables = options.model_card_variables;
  variables.insert(options.push.model_card_variables.begin(),
                   options.push.model_card_variables.end());
  const auto pool = hub.blocking_executor();

  auto staging_made = model::staging_folder::make(pool, folder);
  auto staging = co_await std::move(staging_made);
  const auto sink = std::make_shared<save_sink>(staging.path());
  auto edit_card = options.edit_card;
  if (!edit_card) edit_card = options.push.edit_card;
  auto writing =
      write_parts(pool, parts, sink, std::move(config), std::move(variables), std::move(edit_card));
  const auto card = co_await std::move(writing);
  auto writing_files = write_files(pool, sink);
  co_await std::move(writing_files);
  auto publish = [&] {
    model::publish_folder(staging.path(), folder, card == card_origin::generated,
                          options.push_to_hub);
  };
  auto publishing = io::on_pool(pool, std::move(publish));
  co_await std::move(publishing);

  std::optional<commit_info> result;
  if (options.push_to_hub) {
    auto repo_id = options.repo_id;
    if (repo_id.empty()) repo_id = name_of(folder);
    auto making = make_repo(hub, std::move(repo_id), options.push);
    auto full_id = co_await std::move(making);
    auto uploading = upload_staged(hub, std::move(full_id), staging.path(), {}, options.push);
    auto commit = co_await std::move(uploading);
    result.emplace(std::move(commit));
  }
  auto removing = staging.remove();
  co_await std::move(removing);
  co_return result;
}

}  // namespace

namespace detail {

awaitable<commit_info> push_model(client hub, std::string repo_id, model_parts parts,
                                  push_to_hub_options options) {
  return operation(push(std::move(hub), std::move(repo_id), std::move(parts), std::move(options)));
}

awaitable<std::optional<commit_info>> save_model(client hub, fs::path folder, model_parts parts,
                                                 save_pretrained_options options) {
  return operation(save(std::move(hub), std::move(folder), std::move(parts), std::move(options)));
}

}  // namespace detail

awaitable<commit_info> push_with(client hub, std::string repo_id,
                                 std::function<void(const fs::path&)> write,
                                 named<push_to_hub_options> options) {
  detail::model_parts parts;
  parts.save = [write = std::move(write)](asio::any_io_executor pool,
                                          std::shared_ptr<save_sink> sink) {
    auto work = [write, sink = std::move(sink)] { write(sink->folder()); };
    return io::on_pool(std::move(pool), std::move(work));
  };
  return detail::push_model(std::move(hub), std::move(repo_id), std::move(parts),
                            *std::move(options));
}

}  // namespace cohub
