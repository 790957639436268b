#include "commands.hpp"
#include "common_flags.hpp"
#include "output.hpp"
#include "progress_display.hpp"
#include "run_operation.hpp"

#include <boost/json/object.hpp>

#include <filesystem>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace cohub::tool {

namespace {

struct arguments {
  std::string repo_id;
  std::string folder;
  upload_large_folder_options options;
  bool is_private = false;
  bool no_bars = false;
  bool no_report = false;
  std::vector<std::string> include;
  output out;
};
using arguments_ptr = std::shared_ptr<const arguments>;

awaitable<void> upload(client hub, arguments_ptr args) {
  const auto info = co_await hub.upload_large_folder(args->folder, args->repo_id, args->options);
  boost::json::object result;
  result["oid"] = info.oid;
  result["files"] = info.files;
  result["committed"] = info.committed;
  result["unchanged"] = info.unchanged;
  result["ignored"] = info.ignored;
  result["left_out"] = info.left_out;
  result["commits"] = info.commits;
  auto text = std::to_string(info.committed) + " of " + std::to_string(info.files) +
              " files committed in " + std::to_string(info.commits) + " commits, " +
              std::to_string(info.unchanged) + " were there";
  if (info.ignored > 0)
    text += ", " + std::to_string(info.ignored) + " are ignored by the repository's .gitignore";
  if (info.left_out > 0) text += ", " + std::to_string(info.left_out) + " were left out";
  args->out.result(text, result);
}

int run(arguments args) {
  if (!std::filesystem::is_directory(args.folder)) {
    print_error("there is no folder " + args.folder);
    return failure;
  }
  if (args.is_private) args.options.is_private = true;
  if (!args.include.empty()) args.options.allow_patterns = args.include;
  client_config config;
  config.token = std::exchange(args.options.token, {});
  if (args.out.mode() == output::format::human)
    config.observer = make_progress_display(!args.no_bars && !args.no_report);
  auto shared = std::make_shared<const arguments>(std::move(args));
  return run_operation(
      std::move(config), [shared](client hub) { return upload(std::move(hub), shared); },
      when_interrupted::resumable);
}

}  // namespace

void add_upload_large_folder_command(CLI::App& app, int& status) {
  auto args = std::make_shared<arguments>();
  auto& command = *app.add_subcommand("upload-large-folder",
                                      "Upload a folder of any size in many commits, resumable");
  command.add_option("repo_id", args->repo_id, "Repository: owner/name; made if it is missing")
      ->required()
      ->option_text("REPO_ID");
  command.add_option("local_path", args->folder, "Folder to upload")
      ->required()
      ->option_text("LOCAL_PATH");
  add_type_flag(command, args->options.type);
  command.add_option("--revision", args->options.revision, "Branch or refs/pr/N")
      ->option_text("REVISION [main]");
  command.add_flag("--private", args->is_private, "Make the repository private if it is made");
  add_repeated_flag(command, "--include", args->include, "Pattern of files to upload", "PATTERN");
  add_repeated_flag(command, "--exclude", args->options.ignore_patterns,
                    "Pattern of files to leave out", "PATTERN");
  add_count(command, "--num-workers", args->options.num_workers,
            "Large files, or parts of them, sent at once", 1, 1024)
      ->option_text("NUM_WORKERS [16]");
  add_token_flag(command, args->options.token);
  command.add_flag("--no-bars", args->no_bars, "No progress");
  command.add_flag("--no-report", args->no_report, "No progress");
  args->out.add_flags(command);
  command.footer(
      "Stopped at any point and called again, it goes on where it stood.\n\n"
      "Example:\n"
      "  cohub upload-large-folder me/data ./data --type dataset");
  command.callback([args, &status] { status = run(*args); });
}

}  // namespace cohub::tool
