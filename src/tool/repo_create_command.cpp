#include "commands.hpp"
#include "repo_action.hpp"
#include "space_variables.hpp"

#include <boost/json/object.hpp>

#include <array>
#include <memory>
#include <string>
#include <vector>

/// Making repositories: `cohub repo create ...`, `cohub repo duplicate ...`.
namespace cohub::tool {

namespace {

struct arguments : repo_arguments {
  std::string to_id;
  std::string visibility;
  bool exist_ok = false;
  std::string resource_group_id;
  std::string region;
  std::string sdk;
  std::string space_template;
  std::string hardware;
  std::string storage;
  std::optional<std::int64_t> sleep_time;
  std::vector<std::string> secrets;
  std::string secrets_file;
  std::vector<std::string> variables;
  std::string variables_file;
};
using arguments_ptr = std::shared_ptr<arguments>;

template <class Options>
void fill(Options& options, const arguments& args) {
  options.type = args.type;
  options.visibility = args.visibility;
  options.exist_ok = args.exist_ok;
  options.space_hardware = args.hardware;
  options.space_storage = args.storage;
  options.space_sleep_time = args.sleep_time;
  options.space_secrets = read_space_variables(args.secrets, args.secrets_file);
  options.space_variables = read_space_variables(args.variables, args.variables_file);
}

awaitable<void> create(client hub, arguments_ptr args) {
  create_repo_options options;
  fill(options, *args);
  options.space_sdk = args->sdk;
  options.space_template = args->space_template;
  options.resource_group_id = args->resource_group_id;
  options.region = args->region;
  const auto made = co_await hub.create_repo(args->repo_id, options);
  boost::json::object facts;
  facts["repo_id"] = made.repo_id;
  facts["url"] = made.url;
  args->out.result(made.url, facts);
}

awaitable<void> duplicate(client hub, arguments_ptr args) {
  duplicate_repo_options options;
  fill(options, *args);
  const auto made = co_await hub.duplicate_repo(args->repo_id, args->to_id, options);
  boost::json::object facts;
  facts["from_id"] = args->repo_id;
  facts["to_id"] = made.repo_id;
  facts["url"] = made.url;
  args->out.result(made.url, facts);
}

/// Runs the operation, unless something is asked of a repository that only a space has.
int run(const CLI::App& command, const arguments_ptr& args,
        awaitable<void> (*operation)(client, arguments_ptr)) {
  constexpr std::array of_spaces{"--flavor",   "--storage",      "--sleep-time",
                                 "--secrets",  "--secrets-file", "--env",
                                 "--env-file", "--sdk",          "--template"};
  for (const char* const flag : of_spaces) {
    const auto* const option = command.get_option_no_throw(flag);
    if (args->type == repo_type::space || option == nullptr || option->empty()) continue;
    print_error(std::string(flag) + " is of a space: it goes with --type space");
    return usage;
  }
  return run_with(args, operation);
}

void add_common_flags(CLI::App& command, const arguments_ptr& args) {
  add_visibility_flags(command, args->visibility);
  command.add_flag("--exist-ok", args->exist_ok, "No error if it exists");
  command.add_option("--flavor", args->hardware, "Of a space: its hardware")
      ->option_text("HARDWARE");
  command.add_option("--storage", args->storage, "Of a space: small, medium or large")
      ->option_text("TIER");
  command
      .add_option("--sleep-time", args->sleep_time,
                  "Of a space: idle seconds before it sleeps; -1: never")
      ->option_text("SECONDS");
  add_repeated_flag(command, "-s,--secrets", args->secrets,
                    "Of a space: NAME=value, or NAME with the value that it has here",
                    "NAME[=VALUE]");
  command.add_option("--secrets-file", args->secrets_file, "The same from a file, a line each")
      ->option_text("FILE");
  add_repeated_flag(command, "-e,--env", args->variables, "Of a space: a variable, as --secrets",
                    "NAME[=VALUE]");
  command.add_option("--env-file", args->variables_file, "The same from a file, a line each")
      ->option_text("FILE");
}

}  // namespace

void add_repo_create_commands(CLI::App& repo, int& status) {
  auto args = std::make_shared<arguments>();
  auto& making = add_repo_action(repo, "create", "Create a repository", args, status, create);
  making.callback([&making, args, &status] { status = run(making, args, create); });
  allow_own_name(making);
  add_common_flags(making, args);
  making
      .add_option("--space-sdk,--space_sdk,--sdk", args->sdk,
                  "Of a space: gradio, streamlit, docker or static; with --template, its own")
      ->option_text("SDK");
  making
      .add_option(
          "--template", args->space_template,
          "Of a space: what it is a copy of at first, by its id or name among the templates "
          "of the Hub")
      ->option_text("TEMPLATE");
  making.add_option("--resource-group-id", args->resource_group_id, "Of an organisation's groups")
      ->option_text("ID");
  making.add_option("--region", args->region, "us or eu")
      ->check(CLI::IsMember({"us", "eu"}))
      ->option_text("REGION");
  making.footer(
      "Examples:\n"
      "  cohub repo create my-model --private\n"
      "  cohub repo create org/demo --type space --space-sdk static --exist-ok\n"
      "  cohub repo create my-lab --type space --template SpacesExamples/jupyterlab");

  auto copying = std::make_shared<arguments>();
  auto& copy = add_repo_action(repo, "duplicate", "Copy a repository on the Hub", copying, status,
                               duplicate);
  copy.add_option(
          "to_id", copying->to_id,
          "What the copy is called: owner/name, or a name of your own; none: the same, but yours")
      ->option_text("[TO_ID]");
  copy.callback([&copy, copying, &status] { status = run(copy, copying, duplicate); });
  add_common_flags(copy, copying);
  copy.footer("Example:\n  cohub repo duplicate org/data me/my-data --type dataset --private");
}

}  // namespace cohub::tool
