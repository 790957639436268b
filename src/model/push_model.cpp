#include "cohub/detail/model_steps.hpp"
#include "cohub/error.hpp"
#include "cohub/model_config.hpp"
#include "cohub/safetensors_source.hpp"

#include "client/operation.hpp"
#include "core/glob.hpp"
#include "io/file.hpp"
#include "io/on_pool.hpp"
#include "model/staging_folder.hpp"

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

/// Who wrote the card of a staged model.
enum class card_origin { none, hook, generated };

// The coroutines here that take a reference are awaited in the scope that owns what it refers to.

/// Fills the staging folder: the hook first, then what it left out.
awaitable<card_origin> write_parts(asio::any_io_executor pool, const detail::model_parts& parts,
                                   std::shared_ptr<save_sink> sink,
                                   std::optional<boost::json::value> config,
                                   template_variables variables) {
  auto saving = parts.save(pool, sink);
  co_await std::move(saving);
  const auto& folder = sink->folder();
  auto work = [&] {
    if (!fs::exists(folder / "config.json")) {
      if (!config && parts.config) config = parts.config();
      if (config) io::write_file_atomically(folder / "config.json", config_text(*config));
    }
    if (fs::exists(folder / "README.md")) return card_origin::hook;
    if (!parts.card) return card_origin::none;
    parts.card(std::move(variables)).save(folder / "README.md");
    return card_origin::generated;
  };
  auto writing = io::on_pool(pool, std::move(work));
  const auto origin = co_await std::move(writing);
  co_return origin;
}

/// Writes what was handed over to the folder.
awaitable<void> write_files(asio::any_io_executor pool, std::shared_ptr<save_sink> sink) {
  auto work = [sink] {
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

awaitable<commit_info> upload_staged(client hub, std::string repo_id, fs::path folder,
                                     std::vector<commit_operation> streamed,
                                     const push_to_hub_options& options) {
  upload_folder_options upload;
  upload.additional = std::move(streamed);
  upload.revision = options.branch.empty() ? "main" : options.branch;
  upload.commit_message = options.commit_message;
  upload.commit_description = options.commit_description;
  upload.create_pr = options.create_pr;
  upload.parent_commit = options.parent_commit;
  upload.allow_patterns = options.allow_patterns;
  upload.ignore_patterns = options.ignore_patterns;
  upload.delete_patterns = options.delete_patterns;
  upload.token = options.token;
  upload.observer = options.observer;
  if (options.keep_remote_card) {
    file_exists_options question;
    question.revision = upload.revision;
    question.token = options.token;
    auto asking = hub.file_exists(repo_id, "README.md", question);
    const bool has_card = co_await std::move(asking);
    if (has_card) upload.ignore_patterns.push_back("README.md");
  }
  auto uploading = hub.upload_folder(std::move(folder), std::move(repo_id), upload);
  auto commit = co_await std::move(uploading);
  co_return commit;
}

awaitable<commit_info> push(client hub, std::string repo_id, detail::model_parts parts,
                            push_to_hub_options options) {
  check_options(options);
  auto making = make_repo(hub, std::move(repo_id), options);
  auto full_id = co_await std::move(making);
  const auto pool = hub.blocking_executor();
  auto staging_made = model::staging_folder::make(pool);
  auto staging = co_await std::move(staging_made);
  const auto sink = std::make_shared<save_sink>(staging.path());
  auto writing = write_parts(pool, parts, sink, options.config, options.model_card_variables);
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
  auto config = options.config ? options.config : options.push.config;
  auto variables = options.model_card_variables;
  variables.insert(options.push.model_card_variables.begin(),
                   options.push.model_card_variables.end());
  const auto pool = hub.blocking_executor();

  auto staging_made = model::staging_folder::make(pool, folder);
  auto staging = co_await std::move(staging_made);
  const auto sink = std::make_shared<save_sink>(staging.path());
  auto writing = write_parts(pool, parts, sink, std::move(config), std::move(variables));
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
