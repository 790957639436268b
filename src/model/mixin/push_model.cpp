#include "cohub/detail/model_steps.hpp"
#include "cohub/detail/operation.hpp"
#include "cohub/error.hpp"

#include "io/on_pool.hpp"
#include "model/mixin/staged_parts.hpp"
#include "model/mixin/staged_upload.hpp"
#include "model/mixin/staging_folder.hpp"

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

/// The repository's full id, after it was created if it was missing.
awaitable<std::string> make_repo(client hub, std::string repo_id,
                                 const push_to_hub_options& options) {
  create_repo_options creation;
  creation.is_private = options.is_private;
  creation.exist_ok = true;
  creation.token = options.token;
  auto created = co_await hub.create_repo(std::move(repo_id), creation);
  co_return std::move(created.repo_id);
}

awaitable<commit_info> push(client hub, std::string repo_id, detail::model_parts parts,
                            push_to_hub_options options) {
  check_options(options);
  hub = identified(std::move(hub), options);
  const auto pool = hub.blocking_executor();
  auto described =
      co_await model::describe(pool, parts, options.config, options.model_card_variables);
  auto full_id = co_await make_repo(hub, std::move(repo_id), options);
  auto staging = co_await model::staging_folder::make(pool);
  const auto sink = std::make_shared<save_sink>(staging.path());
  co_await model::write_parts(pool, parts, sink, std::move(described), options.edit_card);
  auto commit = co_await model::upload_staged(hub, std::move(full_id),
                                              model::stream_files(pool, *sink, options), options);
  co_await staging.remove();
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
  if (folder.empty()) folder = ".";
  hub = identified(std::move(hub), options.push);
  auto config = options.config;
  if (!config || config->is_null()) config = options.push.config;
  auto variables = options.model_card_variables;
  variables.insert(options.push.model_card_variables.begin(),
                   options.push.model_card_variables.end());
  const auto pool = hub.blocking_executor();
  auto described = co_await model::describe(pool, parts, std::move(config), std::move(variables));

  auto staging = co_await model::staging_folder::make(pool, folder);
  const auto sink = std::make_shared<save_sink>(staging.path());
  auto edit_card = options.edit_card;
  if (!edit_card) edit_card = options.push.edit_card;
  const auto card =
      co_await model::write_parts(pool, parts, sink, std::move(described), std::move(edit_card));
  co_await model::write_files(pool, sink);
  const model::publish_rules rules{.keeps_card = card == model::card_origin::generated,
                                   .keeps_staged = options.push_to_hub,
                                   .removes_old = sink->is_main_process()};
  auto publish = [&] { model::publish_folder(staging.path(), folder, rules); };
  co_await io::on_pool(pool, std::move(publish));

  std::optional<commit_info> result;
  if (options.push_to_hub) {
    auto repo_id = options.repo_id;
    if (repo_id.empty()) repo_id = name_of(folder);
    auto full_id = co_await make_repo(hub, std::move(repo_id), options.push);
    model::staged_model staged;
    staged.folder = staging.path();
    staged.removes_old = sink->is_main_process();
    auto commit =
        co_await model::upload_staged(hub, std::move(full_id), std::move(staged), options.push);
    result.emplace(std::move(commit));
  }
  co_await staging.remove();
  co_return result;
}

}  // namespace

namespace detail {

awaitable<commit_info> push_model(client hub, std::string repo_id, model_parts parts,
                                  push_to_hub_options options) {
  return detail::operation(
      push(std::move(hub), std::move(repo_id), std::move(parts), std::move(options)));
}

awaitable<std::optional<commit_info>> save_model(client hub, fs::path folder, model_parts parts,
                                                 save_pretrained_options options) {
  return detail::operation(
      save(std::move(hub), std::move(folder), std::move(parts), std::move(options)));
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
