#include "cohub/commit_scheduler.hpp"
#include "cohub/error.hpp"

#include "address.hpp"
#include "commands.hpp"
#include "common_flags.hpp"
#include "output.hpp"
#include "progress_display.hpp"
#include "run_operation.hpp"
#include "text.hpp"

#include <boost/asio/cancellation_state.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/json/object.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <filesystem>
#include <iostream>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace cohub::tool {

namespace {

constexpr double a_year = 525'600;  // in minutes

struct arguments {
  std::string repo_id;
  std::string local_path;
  std::string path_in_repo;
  repo_type type = repo_type::model;
  bool typed = false;    // the kind was given
  std::string revision;  // empty: of the address, else main
  bool is_private = false;
  std::vector<std::string> include;
  std::vector<std::string> exclude;
  std::vector<std::string> remove;
  std::string message;
  std::string description;
  bool create_pr = false;
  std::optional<std::string> token;
  double every = 0;  // minutes; 0: once
  output out;
};
using arguments_ptr = std::shared_ptr<const arguments>;

awaitable<commit_info> upload_one(client hub, arguments_ptr args, std::string repo_id) {
  upload_file_options options;
  options.type = args->type;
  options.revision = args->revision;
  options.commit_message = args->message;
  options.commit_description = args->description;
  options.create_pr = args->create_pr;
  const std::filesystem::path file = args->local_path;
  const bool is_root = args->path_in_repo == "." || args->path_in_repo == "./";
  const auto folder = is_root ? std::string() : args->path_in_repo;
  const bool keeps_name = folder.empty() || folder.ends_with('/');
  const auto path_in_repo = folder + (keeps_name ? file.filename().string() : "");
  return hub.upload_file(file, path_in_repo, std::move(repo_id), options);
}

awaitable<commit_info> upload_many(client hub, arguments_ptr args, std::string repo_id) {
  upload_folder_options options;
  options.type = args->type;
  options.revision = args->revision;
  options.path_in_repo = args->path_in_repo;
  options.commit_message = args->message;
  options.commit_description = args->description;
  options.create_pr = args->create_pr;
  if (!args->include.empty()) options.allow_patterns = args->include;
  options.ignore_patterns = args->exclude;
  options.delete_patterns = args->remove;
  return hub.upload_folder(args->local_path, std::move(repo_id), options);
}

void tell_ignored(const std::vector<std::string>& paths) {
  constexpr std::size_t most = 5;
  for (std::size_t i = 0; i < std::min(paths.size(), most); ++i)
    print_warning(paths[i] + " is left out: the repository's .gitignore names it");
  if (paths.size() > most)
    print_warning("and so are " + std::to_string(paths.size() - most) + " more");
}

void tell(const arguments& args, const commit_info& commit) {
  tell_ignored(commit.ignored);
  if (commit.unchanged) std::cerr << "Nothing has changed: no commit was made." << std::endl;
  const auto& url = commit.pr_url.empty() ? commit.commit_url : commit.pr_url;
  boost::json::object facts;
  facts["url"] = url;
  facts["commit_url"] = commit.commit_url;
  facts["oid"] = commit.oid;
  facts["commit_message"] = commit.commit_message;
  facts["commit_description"] = commit.commit_description;
  if (!commit.pr_url.empty()) facts["pr_url"] = commit.pr_url;
  if (!commit.pr_revision.empty()) facts["pr_revision"] = commit.pr_revision;
  facts["unchanged"] = commit.unchanged;
  args.out.result(url, facts);
}

/// What is to be watched: of a file, the folder that it is in, and nothing else there.
commit_scheduler_options watch_options(const arguments& args, std::filesystem::path& folder) {
  commit_scheduler_options options;
  options.type = args.type;
  options.revision = args.revision;
  options.commit_message = args.message;
  options.commit_description = args.description;
  if (args.is_private) options.is_private = true;
  folder = args.local_path;
  if (std::filesystem::is_directory(folder)) {
    options.path_in_repo = args.path_in_repo;
    if (!args.include.empty()) options.allow_patterns = args.include;
    options.ignore_patterns = args.exclude;
    return options;
  }
  const auto name = folder.filename().string();
  folder = std::filesystem::absolute(folder).parent_path();
  options.allow_patterns = std::vector<std::string>{literal_pattern(name)};
  const std::filesystem::path there = args.path_in_repo;
  options.path_in_repo = there.parent_path().string();
  if (const auto wanted = there.filename().string();
      !wanted.empty() && wanted != "." && wanted != name)
    print_warning("a file that is watched keeps its name: it goes to " +
                  (there.parent_path() / name).string());
  return options;
}

/// Commits what changes in a folder until the program is stopped, and then what is left.
awaitable<void> upload_again_and_again(client hub, arguments_ptr args, std::string repo_id) {
  std::filesystem::path folder;
  auto options = watch_options(*args, folder);
  options.every = {};  // it is triggered here, so that each commit is told
  const auto every = std::chrono::duration_cast<std::chrono::steady_clock::duration>(
      std::chrono::duration<double, std::ratio<60>>(args->every));
  commit_scheduler scheduler(hub, std::move(repo_id), std::move(folder), options);
  try {
    const auto first = co_await scheduler.trigger();
    tell(*args, first);
  } catch (const error& e) {
    // A file was changed meanwhile, as the observer was told: the next look finds it as it is then.
    if (e.code() != errc::content_mismatch) throw;
  }
  if (args->out.mode() == output::format::human)
    std::cerr << "Watching " << args->local_path << "; stop with Ctrl-C." << std::endl;
  asio::steady_timer timer(hub.get_executor());
  for (bool stopped = false; !stopped;) {
    try {
      timer.expires_after(every);
      co_await timer.async_wait(asio::use_awaitable);
      const auto commit = co_await scheduler.trigger();
      if (!commit.unchanged) tell(*args, commit);
    } catch (const error&) {  // the observer was told, and the next time may be better
    } catch (const boost::system::system_error& e) {
      if (e.code() != asio::error::operation_aborted) throw;
      stopped = true;
    }
  }
  // To be interrupted is how this ends; what was written since the last look is still to go. Until
  // the state is another one, nothing more can be awaited.
  co_await asio::this_coro::reset_cancellation_state(asio::disable_cancellation());
  const auto last = co_await scheduler.stop();
  if (!last.unchanged) tell(*args, last);
}

/// Makes the branch that is to take the commit, if there is none of that name.
awaitable<void> make_branch(client hub, arguments_ptr args, std::string repo_id) {
  revision_exists_options of;
  of.type = args->type;
  const bool there = co_await hub.revision_exists(repo_id, args->revision, of);
  if (there) co_return;
  create_branch_options options;
  options.type = args->type;
  options.exist_ok = true;  // somebody else may make it meanwhile
  co_await hub.create_branch(repo_id, args->revision, options);
}

awaitable<void> upload(client hub, arguments_ptr args) {
  create_repo_options create;
  create.type = args->type;
  create.exist_ok = true;
  if (args->is_private) create.is_private = true;
  if (args->type == repo_type::space) create.space_sdk = "gradio";  // of a new one, as hf does
  const auto repo = co_await hub.create_repo(args->repo_id, create);
  if (args->revision != "main" && !args->create_pr) {
    co_await make_branch(hub, args, repo.repo_id);
  }
  const bool folder = std::filesystem::is_directory(args->local_path);
  if (args->every > 0) {
    co_await upload_again_and_again(hub, args, repo.repo_id);
    co_return;
  }
  auto uploading =
      folder ? upload_many(hub, args, repo.repo_id) : upload_one(hub, args, repo.repo_id);
  const auto commit = co_await std::move(uploading);
  tell(*args, commit);
}

/// "*.safetensors", which no shell has expanded, means the files below this folder that match.
bool take_wildcard(arguments& args) {
  if (args.local_path.find_first_of("*?[") == std::string::npos ||
      std::filesystem::exists(args.local_path))
    return true;
  if (!args.include.empty() || !(args.path_in_repo.empty() || args.path_in_repo == ".")) {
    print_error(
        "a pattern as the local path goes with neither --include nor a path in the "
        "repository: name the folder, and give the pattern to --include");
    return false;
  }
  args.include.push_back(std::exchange(args.local_path, "."));
  return true;
}

/// Where nothing is named, a file or folder called like the repository is meant.
bool find_local_path(arguments& args) {
  if (args.local_path.empty()) {
    args.local_path = args.repo_id.substr(args.repo_id.find('/') + 1);
    if (!std::filesystem::exists(args.local_path)) {
      print_error("there is no ./" + args.local_path +
                  ": name the file or folder to upload (\".\" for this folder)");
      return false;
    }
  }
  if (std::filesystem::exists(args.local_path)) return true;
  print_error("there is no file or folder " + args.local_path);
  return false;
}

/// An address in place of an id brings its own kind, revision and path.
void read_address(arguments& args) {
  const auto address = args.repo_id;
  auto path = take_address(args.repo_id, args.type, args.typed, args.revision);
  if (args.revision.empty()) args.revision = "main";
  if (path.empty()) return;
  if (!args.path_in_repo.empty())
    throw std::invalid_argument('"' + address + "\" names a path in the repository already");
  args.path_in_repo = std::move(path);
}

int run(arguments args) {
  try {
    read_address(args);
  } catch (const std::exception& e) {
    print_error(e.what());
    return usage;
  }
  if (!take_wildcard(args)) return usage;
  if (args.create_pr && args.revision != "main") {
    print_error("a pull request is opened against main: --create-pr goes without --revision");
    return usage;
  }
  if (!find_local_path(args)) return failure;
  const bool folder = std::filesystem::is_directory(args.local_path);
  if (args.every > 0 && (args.create_pr || !args.remove.empty())) {
    print_error("--every goes with neither --create-pr nor --delete");
    return usage;
  }
  if (!folder && !(args.include.empty() && args.exclude.empty() && args.remove.empty()))
    print_warning("--include, --exclude and --delete are ignored where one file is uploaded");
  client_config config;
  config.token = args.token;
  if (args.out.mode() == output::format::human) config.observer = make_progress_display();
  auto shared = std::make_shared<const arguments>(std::move(args));
  return run_operation(
      std::move(config), [shared](client hub) { return upload(std::move(hub), shared); },
      when_interrupted::resumable);
}

}  // namespace

void add_upload_command(CLI::App& app, int& status) {
  auto args = std::make_shared<arguments>();
  auto& command = *app.add_subcommand("upload", "Upload a file or a folder in one commit");
  command
      .add_option("repo_id", args->repo_id,
                  "Repository: owner/name, or an address (hf://owner/name@branch/folder/); "
                  "made if it is missing")
      ->required()
      ->option_text("REPO_ID");
  command
      .add_option("local_path", args->local_path,
                  "File, folder or pattern; none: what is called like the repository")
      ->option_text("[LOCAL]");
  command
      .add_option("path_in_repo", args->path_in_repo,
                  "Where it goes, a file below a 'folder/'; none: the root")
      ->option_text("[PATH_IN_REPO]");
  const auto* type = add_type_flag(command, args->type);
  command.add_option("--revision", args->revision, "Branch, made if it is missing, or refs/pr/N")
      ->option_text("REVISION [main]");
  command.add_flag("--private", args->is_private, "Make the repository private if it is made");
  add_repeated_flag(command, "--include", args->include, "Pattern of files to upload", "PATTERN");
  add_repeated_flag(command, "--exclude", args->exclude, "Pattern of files to leave out",
                    "PATTERN");
  add_repeated_flag(command, "--delete", args->remove, "Pattern of remote files to delete",
                    "PATTERN");
  command.add_option("--commit-message", args->message, "First line of the commit's message")
      ->option_text("TEXT");
  command.add_option("--commit-description", args->description, "Rest of the commit's message")
      ->option_text("TEXT");
  command.add_flag("--create-pr", args->create_pr, "Open a pull request instead");
  add_token_flag(command, args->token);
  command
      .add_option("--every", args->every,
                  "Go on, and commit what has changed every so many minutes")
      ->check([](const std::string& text) {
        double minutes = 0;
        const bool is_number = CLI::detail::lexical_cast(text, minutes);
        // Nor is "nan" between any two.
        return is_number && minutes >= 0.0001 && minutes <= a_year
                   ? std::string()
                   : '"' + text + "\" is no number of minutes from 0.0001 to those of a year";
      })
      ->option_text("MINUTES");
  args->out.add_flags(command);
  command.footer(
      "The last line on standard output is the url of the commit or pull request.\n\n"
      "Examples:\n"
      "  cohub upload me/model .\n"
      "  cohub upload me/model out/model.safetensors model.safetensors\n"
      "  cohub upload me/data data /train --type dataset --exclude '*.tmp' --create-pr");
  command.callback([args, type, &status] {
    args->typed = !type->empty();
    status = run(*args);
  });
}

}  // namespace cohub::tool
