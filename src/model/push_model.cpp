#include "cohub/detail/model_steps.hpp"
#include "cohub/error.hpp"
#include "cohub/model_config.hpp"
#include "cohub/safetensors_source.hpp"

#include "client/operation.hpp"
#include "core/glob.hpp"
#include "io/file.hpp"
#include "io/on_pool.hpp"
#include "model/filename_pattern.hpp"
#include "model/replaced_weights.hpp"
#include "model/safetensors_writer.hpp"
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

/// What describes a model.
struct descriptions {
  std::optional<std::string> config{};  ///< the text of `config.json`
  std::optional<model_card> card{};
};

// The coroutines here that take a reference are awaited in the scope that owns what it refers to.

/// Made before the weights are, so that what is wrong with them costs nothing.
awaitable<descriptions> describe(asio::any_io_executor pool, const detail::model_parts& parts,
                                 std::optional<boost::json::value> config,
                                 template_variables variables) {
  auto work = [&] {
    descriptions result;
    if (!config && parts.config) config = parts.config();
    if (config) result.config = config_text(*config);
    if (parts.card) result.card = parts.card(std::move(variables));
    return result;
  };
  auto describing = io::on_pool(std::move(pool), std::move(work));
  auto result = co_await std::move(describing);
  co_return result;
}

/// Who wrote the card of a staged model.
enum class card_origin { none, hook, generated };

/// Fills the staging folder: the hook first, then what it left out.
awaitable<card_origin> write_parts(asio::any_io_executor pool, const detail::model_parts& parts,
                                   std::shared_ptr<save_sink> sink, descriptions described,
                                   std::function<void(model_card&)> edit_card) {
  auto saving = parts.save(pool, sink);
  co_await std::move(saving);
  const auto& folder = sink->folder();
  auto work = [&] {
    if (described.config && !fs::exists(folder / "config.json"))
      io::write_file_atomically(folder / "config.json", *described.config);
    if (fs::exists(folder / "README.md")) return card_origin::hook;
    auto& card = described.card;
    if (edit_card) {
      if (!card) card.emplace();
      edit_card(*card);
    }
    if (!card) return card_origin::none;
    card->save(folder / "README.md");
    return card_origin::generated;
  };
  auto writing = io::on_pool(pool, std::move(work));
  const auto origin = co_await std::move(writing);
  co_return origin;
}

/// A file of weights that is written to a folder nobody sees yet.
class written_weights {
 public:
  written_weights(fs::path path, save_sink::file file)
      : path_(std::move(path)), file_(std::move(file)) {}

  /// Makes one tensor, or copies a few MiB; false if there is nothing left to do.
  bool next() {
    if (!steps_) {
      io::create_directories(path_.parent_path());
      output_ = io::file(path_, io::file::mode::read_write);
      output_.truncate(0);
      const save_safetensors_options options{.metadata = std::move(file_.metadata)};
      steps_.emplace(std::move(file_.tensors), options);
    }
    const auto append = [this](std::span<const std::byte> bytes) {
      output_.write_at(position_, bytes);
      position_ += bytes.size();
    };
    if (steps_->next(append)) return true;
    output_.close();
    return false;
  }

 private:
  fs::path path_;
  save_sink::file file_;
  io::file output_{};
  std::optional<model::safetensors_steps> steps_{};
  std::uint64_t position_ = 0;
};

/// Writes what was handed over to the folder. A job of the pool is one step: in between others have
/// their turn, and a cancellation is heeded.
awaitable<void> write_files(asio::any_io_executor pool, std::shared_ptr<save_sink> sink) {
  auto write_texts = [sink] {
    for (const auto& file : sink->take_texts())
      io::write_file_atomically(sink->folder() / file.name, file.text);
  };
  auto writing_texts = io::on_pool(pool, std::move(write_texts));
  co_await std::move(writing_texts);
  auto files = sink->take_files();
  for (auto& file : files) {
    auto path = sink->folder() / file.name;
    const auto weights = std::make_shared<written_weights>(std::move(path), std::move(file));
    for (bool more = true; more;) {
      auto step = [weights] { return weights->next(); };
      auto stepping = io::on_pool(pool, std::move(step));
      more = co_await std::move(stepping);
    }
  }
}

/// What goes into a commit, and what it is a part of.
struct staged_model {
  fs::path folder{};
  std::vector<commit_operation> streamed{};  ///< beside the folder, as far as the patterns keep it
  std::set<std::string> streamed_names{};    ///< of all that could have been
  bool removes_old = true;                   ///< no other process sees to it
};

/// Has what was handed over streamed into the commit.
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

/// Where the files of a model go in the repository.
struct file_names {
  std::set<std::string> saved{};   ///< all of them
  std::set<std::string> pushed{};  ///< those that the patterns keep
};

awaitable<file_names> names_of(asio::any_io_executor pool, const staged_model& model,
                               const push_to_hub_options& options) {
  auto work = [&model, &options] {
    file_names names{.saved = model.streamed_names, .pushed = {}};
    const core::path_filter committable({}, core::always_ignored_patterns());
    for (auto& file : transfer::list_folder(model.folder, committable))
      names.saved.insert(std::move(file.relative));
    const core::path_filter filter(options.allow_patterns, options.ignore_patterns);
    for (const auto& name : names.saved)
      if (filter.keeps(name)) names.pushed.insert(name);
    return names;
  };
  auto listing = io::on_pool(std::move(pool), std::move(work));
  auto names = co_await std::move(listing);
  co_return names;
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

/// What the repository has that goes with this push: what `delete_patterns` name, and the weights
/// that those of this push stand for.
awaitable<std::set<std::string>> find_removals(client hub, std::string repo_id,
                                               const file_names& names, bool removes_old,
                                               const push_to_hub_options& options) {
  list_repo_tree_options where;
  where.revision = branch_of(options);
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
    for (const auto& folder : model::weight_folders(names.pushed)) {
      where.path_in_repo = folder;
      auto listing = list_remote(hub, repo_id, where, [](const std::string& path) {
        return !model::weight_family(path).empty();
      });
      auto found = co_await std::move(listing);
      there.insert(there.end(), found.begin(), found.end());
    }
    for (auto& name : model::replaced_weights(names.pushed, names.saved, there))
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
  where.revision = branch_of(options);
  where.token = options.token;
  auto asking = hub.file_exists(std::move(repo_id), "README.md", where);
  const bool there = co_await std::move(asking);
  co_return there;
}

awaitable<commit_info> upload_staged(client hub, std::string repo_id, staged_model model,
                                     const push_to_hub_options& options) {
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
  auto naming = names_of(hub.blocking_executor(), model, options);
  const auto names = co_await std::move(naming);
  auto looking = find_removals(hub, repo_id, names, model.removes_old, options);
  auto removals = co_await std::move(looking);
  auto asking = keeps_remote_card(hub, repo_id, options);
  const bool keeps_card = co_await std::move(asking);
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
  auto uploading = hub.upload_folder(std::move(model.folder), std::move(repo_id), upload);
  auto commit = co_await std::move(uploading);
  co_return commit;
}

awaitable<commit_info> push(client hub, std::string repo_id, detail::model_parts parts,
                            push_to_hub_options options) {
  check_options(options);
  hub = identified(std::move(hub), options);
  const auto pool = hub.blocking_executor();
  auto describing = describe(pool, parts, options.config, options.model_card_variables);
  auto described = co_await std::move(describing);
  auto making = make_repo(hub, std::move(repo_id), options);
  auto full_id = co_await std::move(making);
  auto staging_made = model::staging_folder::make(pool);
  auto staging = co_await std::move(staging_made);
  const auto sink = std::make_shared<save_sink>(staging.path());
  auto writing = write_parts(pool, parts, sink, std::move(described), options.edit_card);
  co_await std::move(writing);
  auto uploading =
      upload_staged(hub, std::move(full_id), stream_files(pool, *sink, options), options);
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
  auto describing = describe(pool, parts, std::move(config), std::move(variables));
  auto described = co_await std::move(describing);

  auto staging_made = model::staging_folder::make(pool, folder);
  auto staging = co_await std::move(staging_made);
  const auto sink = std::make_shared<save_sink>(staging.path());
  auto edit_card = options.edit_card;
  if (!edit_card) edit_card = options.push.edit_card;
  auto writing = write_parts(pool, parts, sink, std::move(described), std::move(edit_card));
  const auto card = co_await std::move(writing);
  auto writing_files = write_files(pool, sink);
  co_await std::move(writing_files);
  const model::publish_rules rules{.keeps_card = card == card_origin::generated,
                                   .keeps_staged = options.push_to_hub,
                                   .removes_old = sink->is_main_process()};
  auto publish = [&] { model::publish_folder(staging.path(), folder, rules); };
  auto publishing = io::on_pool(pool, std::move(publish));
  co_await std::move(publishing);

  std::optional<commit_info> result;
  if (options.push_to_hub) {
    auto repo_id = options.repo_id;
    if (repo_id.empty()) repo_id = name_of(folder);
    auto making = make_repo(hub, std::move(repo_id), options.push);
    auto full_id = co_await std::move(making);
    staged_model staged;
    staged.folder = staging.path();
    staged.removes_old = sink->is_main_process();
    auto uploading = upload_staged(hub, std::move(full_id), std::move(staged), options.push);
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
