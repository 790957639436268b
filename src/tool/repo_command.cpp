#include "commands.hpp"
#include "common_flags.hpp"
#include "run_operation.hpp"

#include <unistd.h>

#include <iostream>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace cohub::tool {

namespace {

struct arguments {
  std::string repo_id;
  repo_type type = repo_type::model;
  bool is_private = false;
  std::string new_id;
  std::optional<bool> visibility;
  std::optional<std::string> gated;
  bool exist_ok = false;
  bool missing_ok = false;
  bool yes = false;
  std::string space_sdk;
  std::vector<std::string> patterns;
  delete_file_options deletion;
  std::optional<std::string> token;
};
using arguments_ptr = std::shared_ptr<const arguments>;

awaitable<void> create(client hub, arguments_ptr args) {
  create_repo_options options;
  options.type = args->type;
  options.exist_ok = args->exist_ok;
  options.space_sdk = args->space_sdk;
  if (args->is_private) options.is_private = true;
  const auto made = co_await hub.create_repo(args->repo_id, options);
  std::cout << made.url << std::endl;
}

awaitable<void> remove(client hub, arguments_ptr args) {
  delete_repo_options options;
  options.type = args->type;
  options.missing_ok = args->missing_ok;
  co_await hub.delete_repo(args->repo_id, options);
  std::cout << "Deleted " << args->repo_id << std::endl;
}

awaitable<void> move(client hub, arguments_ptr args) {
  const move_repo_options options{.type = args->type};
  co_await hub.move_repo(args->repo_id, args->new_id, options);
  std::cout << "Moved " << args->repo_id << " to " << args->new_id << std::endl;
}

awaitable<void> change_settings(client hub, arguments_ptr args) {
  update_repo_settings_options options;
  options.type = args->type;
  options.is_private = args->visibility;
  options.gated = args->gated;
  co_await hub.update_repo_settings(args->repo_id, options);
  std::cout << "Changed the settings of " << args->repo_id << std::endl;
}

awaitable<void> delete_files(client hub, arguments_ptr args) {
  auto options = args->deletion;
  options.type = args->type;
  const auto made = co_await hub.delete_files(args->repo_id, args->patterns, options);
  if (made.unchanged) std::cerr << "No file matches: no commit was made." << std::endl;
  std::cout << (made.pr_url.empty() ? made.commit_url : made.pr_url) << std::endl;
}

int run(const arguments& args, awaitable<void> (*operation)(client, arguments_ptr)) {
  client_config config;
  config.token = args.token;
  auto shared = std::make_shared<const arguments>(args);
  return run_operation(std::move(config), [shared, operation](client hub) {
    return operation(std::move(hub), shared);
  });
}

/// Asks before what cannot be undone, where somebody is there to answer.
bool confirmed(const arguments& args) {
  if (args.yes || ::isatty(STDIN_FILENO) == 0 || ::isatty(STDERR_FILENO) == 0) return true;
  std::cerr << "Delete " << args.repo_id << " and its history for good? [y/N] " << std::flush;
  std::string answer;
  std::getline(std::cin, answer);
  if (answer == "y" || answer == "Y" || answer == "yes") return true;
  print_error("nothing was deleted");
  return false;
}

CLI::App& add_action(CLI::App& repo, const char* name, const char* what, arguments& args) {
  auto& command = *repo.add_subcommand(name, what);
  command.add_option("repo_id", args.repo_id, "Repository: owner/name, or a name of your own")
      ->required()
      ->option_text("REPO_ID");
  add_type_flag(command, args.type);
  add_token_flag(command, args.token);
  return command;
}

}  // namespace

void add_repo_command(CLI::App& app, int& status) {
  auto args = std::make_shared<arguments>();
  auto& repo = *app.add_subcommand("repo", "Repositories, their branches and tags")->alias("repos");
  repo.require_subcommand(1);

  auto& making = add_action(repo, "create", "Create a repository", *args);
  making.add_flag("--private", args->is_private, "Visible to you and your organisation alone");
  making.add_flag("--exist-ok", args->exist_ok, "No error if it exists");
  making
      .add_option("--space-sdk,--space_sdk,--sdk", args->space_sdk,
                  "Of a space: gradio, streamlit, docker or static")
      ->option_text("SDK");
  making.footer(
      "Examples:\n"
      "  cohub repo create my-model --private\n"
      "  cohub repo create org/demo --type space --space-sdk static --exist-ok");
  making.callback([args, &status] { status = run(*args, create); });

  auto& dropping = add_action(repo, "delete-files", "Delete files of a repository", *args);
  dropping.add_option("patterns", args->patterns, "Files, folders/ or patterns")
      ->required()
      ->option_text("PATTERN...");
  dropping.add_option("--revision", args->deletion.revision, "Branch or refs/pr/N")
      ->option_text("REVISION [main]");
  dropping
      .add_option("--commit-message", args->deletion.commit_message,
                  "First line of the commit's message")
      ->option_text("TEXT");
  dropping
      .add_option("--commit-description", args->deletion.commit_description,
                  "Rest of the commit's message")
      ->option_text("TEXT");
  dropping.add_flag("--create-pr", args->deletion.create_pr, "Open a pull request instead");
  dropping.footer("Example:\n  cohub repo delete-files me/my-model 'checkpoint-*' logs/");
  dropping.callback([args, &status] { status = run(*args, delete_files); });

  auto& removing = add_action(repo, "delete", "Delete a repository and its history", *args);
  removing.add_flag("--missing-ok", args->missing_ok, "No error if it does not exist");
  removing.add_flag("-y,--yes", args->yes, "Do not ask");
  removing.footer(
      "There is no way back; on a terminal it asks first.\n\n"
      "Example:\n"
      "  cohub repo delete me/old-model");
  removing.callback([args, &status] { status = confirmed(*args) ? run(*args, remove) : failure; });

  auto& moving = add_action(repo, "move", "Rename a repository or give it to another owner", *args);
  moving.add_option("to_id", args->new_id, "Its new name: owner/name")
      ->required()
      ->option_text("TO_ID");
  moving.footer(
      "The old name redirects to the new one.\n\nExample:\n  cohub repo move me/old org/new");
  moving.callback([args, &status] { status = run(*args, move); });

  auto& settings = add_action(repo, "settings", "Change who may see or download", *args);
  settings.add_flag_function(
      "--private,!--public", [args](std::int64_t count) { args->visibility = count > 0; },
      "Visible to you and your organisation alone, or to all");
  settings
      .add_option_function<std::string>(
          "--gated",
          [args](const std::string& how) { args->gated = how == "false" ? std::string() : how; },
          "Who asks for access gets it at once (auto), when you say so (manual), or need not ask "
          "(false)")
      ->check(CLI::IsMember({"auto", "manual", "false"}))
      ->option_text("auto|manual|false");
  settings.footer("Example:\n  cohub repo settings me/my-model --private --gated manual");
  settings.callback([args, &status] { status = run(*args, change_settings); });

  add_repo_ref_commands(repo, status);
}

}  // namespace cohub::tool
