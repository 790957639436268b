#include "cohub/version.hpp"

#include "bracketed_words.hpp"
#include "commands.hpp"
#include "run_operation.hpp"

#include <CLI/CLI.hpp>

#include <iostream>
#include <string>

namespace {

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
  add_download_command(app, status);
  add_upload_command(app, status);
  add_upload_large_folder_command(app, status);
  add_repo_command(app, status);
  add_repo_list_commands(app, status);
  add_discussions_command(app, status);
  add_cache_command(app, status);
  add_auth_command(app, status);
  add_whoami_command(app, status);
  add_serve_command(app, status);
  add_env_command(app, status);
  add_version_command(app, status);
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
