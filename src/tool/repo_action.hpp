#pragma once

#include "cohub/client.hpp"

#include "common_flags.hpp"
#include "output.hpp"
#include "run_operation.hpp"

#include <CLI/CLI.hpp>

#include <memory>
#include <optional>
#include <string>
#include <utility>

namespace cohub::tool {

/// What the commands on one repository are told.
struct repo_arguments {
  std::string repo_id;
  repo_type type = repo_type::model;
  std::optional<std::string> token;
  output out;
};

/// Runs the operation with the client that the arguments ask for. Exit status.
template <class Arguments>
int run_with(std::shared_ptr<Arguments> args,
             awaitable<void> (*operation)(client, std::shared_ptr<Arguments>)) {
  client_config config;
  config.token = args->token;
  return run_operation(std::move(config), [args = std::move(args), operation](client hub) {
    return operation(std::move(hub), args);
  });
}

/// Adds a command on one repository, which runs the operation.
template <class Arguments>  // derived from repo_arguments
CLI::App& add_repo_action(CLI::App& group, const char* name, const char* what,
                          const std::shared_ptr<Arguments>& args, int& status,
                          awaitable<void> (*operation)(client, std::shared_ptr<Arguments>)) {
  auto& command = *group.add_subcommand(name, what);
  command.add_option("repo_id", args->repo_id, "Repository: owner/name")
      ->required()
      ->option_text("REPO_ID");
  add_type_flag(command, args->type);
  add_token_flag(command, args->token);
  args->out.add_flags(command);
  command.callback([args, &status, operation] { status = run_with(args, operation); });
  return command;
}

/// Says that the name alone will do: the repository is then one of whoever asks.
inline void allow_own_name(CLI::App& command) {
  command.get_option("repo_id")->description("Repository: owner/name, or a name of your own");
}

/// Adds --private, --public and --protected, at most one of which may be given.
inline void add_visibility_flags(CLI::App& command, std::string& visibility) {
  const auto add = [&](const char* flag, const char* word, const char* what) {
    return command.add_flag_function(
        flag, [&visibility, word](std::int64_t) { visibility = word; }, what);
  };
  auto* hidden = add("--private", "private", "Visible to you and your organisation alone");
  auto* open = add("--public", "public", "Visible to all");
  auto* half = add("--protected", "protected", "A space that runs for all, its files private");
  hidden->excludes(open)->excludes(half);
  open->excludes(half);
}

}  // namespace cohub::tool
