#include "cohub/version.hpp"

#include "bracketed_words.hpp"
#include "commands.hpp"
#include "run_operation.hpp"

#include <CLI/CLI.hpp>

#include <algorithm>
#include <array>
#include <iostream>
#include <string>
#include <string_view>

namespace {

namespace tool = cohub::tool;

struct command_group {
  std::string_view names{};  ///< of its commands, each between spaces
  void (*add)(CLI::App&, int&) = nullptr;
};

constexpr std::array groups{
    command_group{" download ", tool::add_download_command},
    command_group{" upload ", tool::add_upload_command},
    command_group{" upload-large-folder ", tool::add_upload_large_folder_command},
    command_group{" repo repos ", tool::add_repo_command},
    command_group{" models datasets spaces ", tool::add_repo_list_commands},
    command_group{" discussions ", tool::add_discussions_command},
    command_group{" cache ", tool::add_cache_command},
    command_group{" auth ", tool::add_auth_command},
    command_group{" whoami ", tool::add_whoami_command},
    command_group{" serve ", tool::add_serve_command},
    command_group{" env ", tool::add_env_command},
    command_group{" version ", tool::add_version_command},
};

/// Adds the commands that the first word may mean. Hundreds of flags take longer to be made than a
/// small file to be downloaded, and all but those of one command would be made for nothing.
void add_commands(CLI::App& app, const std::string& first, int& status) {
  const auto named = std::find_if(groups.begin(), groups.end(), [&](const command_group& each) {
    return each.names.find(' ' + first + ' ') != std::string_view::npos;
  });
  if (named != groups.end()) return named->add(app, status);
  for (const auto& each : groups) each.add(app, status);
}

/// What is wrong with the words of a command, and which help is about it.
std::string misuse(const CLI::App& app, const CLI::ParseError& error) {
  const auto* command = &app;
  std::string words = app.get_name();
  for (auto below = app.get_subcommands(); !below.empty(); below = command->get_subcommands()) {
    command = below.back();
    words += ' ' + command->get_name();
  }
  std::string wrong = error.what();
  if (dynamic_cast<const CLI::RequiredError*>(&error) != nullptr &&
      command->get_require_subcommand_min() > 0) {
    const auto unknown = command->remaining();
    wrong = unknown.empty() ? "which command of " + words + "?"
                            : '"' + unknown.front() + "\" is no command of " + words;
  }
  return cohub::tool::without_marks(wrong) + " (see " + words + " --help)";
}

}  // namespace

int main(int argc, char** argv) {
  using namespace cohub::tool;
  CLI::App app("Download from and upload to the Hugging Face Hub, or serve one.");
  app.name("cohub");
  app.set_version_flag("-v,--version", cohub::version);
  app.require_subcommand(1);
  app.footer(
      "HF_ENDPOINT, HF_TOKEN, HF_HOME and the other variables of the hf command are obeyed.\n"
      "\"cohub COMMAND --help\" shows the flags and examples of a command.\n\n"
      "Examples:\n"
      "  cohub download org/model --include '*.safetensors'\n"
      "  cohub upload me/model out --commit-message 'Epoch 3'\n"
      "  cohub serve --root ~/hub --port 8080");
  int status = success;
  add_commands(app, argc > 1 ? argv[1] : "", status);
  take_marks_off(app);
  try {
    app.parse(words_to_parse(argc, argv));  // runs the command
  } catch (const CLI::ParseError& e) {
    if (e.get_exit_code() == 0) return app.exit(e);  // --help, --version
    print_error(misuse(app, e));
    return usage;
  } catch (const std::exception& e) {
    print_error(e.what());
    return failure;
  }
  if (status == success && !std::cout.flush()) {
    print_error("not all that there is to say could be written");
    return failure;
  }
  return status;
}
