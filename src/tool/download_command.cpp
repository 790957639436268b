#include "cohub/error.hpp"

#include "address.hpp"
#include "commands.hpp"
#include "common_flags.hpp"
#include "output.hpp"
#include "progress_display.hpp"
#include "run_operation.hpp"
#include "text.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include <algorithm>
#include <filesystem>
#include <functional>
#include <iostream>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace cohub::tool {

namespace {

// Each has a coroutine of its own, whatever the client's connections allow.
constexpr std::size_t most_workers = 1024;

struct arguments {
  std::string repo_id;
  std::vector<std::string> files;
  repo_type type = repo_type::model;
  bool typed = false;    // the kind was given
  std::string revision;  // empty: of the address, else main
  std::vector<std::string> include;
  std::vector<std::string> exclude;
  std::string cache_dir;
  std::string local_dir;
  std::optional<std::string> token;
  std::size_t max_workers = 16;
  bool force = false;
  bool dry_run = false;
  output out;
};
using arguments_ptr = std::shared_ptr<const arguments>;

bool is_folder(const std::string& file) { return file.ends_with('/'); }

/// A file stands for itself, a folder ("art/") for all below it; what may be a pattern is one, too.
std::vector<std::string> patterns_of(const std::vector<std::string>& files) {
  std::vector<std::string> patterns;
  for (const auto& file : files) {
    const std::string below = is_folder(file) ? "**" : "";
    patterns.push_back(file + below);
    if (auto literal = literal_pattern(file); literal != file) patterns.push_back(literal + below);
  }
  return patterns;
}

bool is_one_file(const arguments& args) {
  return args.files.size() == 1 && !is_folder(args.files.front());
}

download_options options_of_one(const arguments& args) {
  download_options options;
  options.type = args.type;
  options.revision = args.revision;
  options.local_dir = args.local_dir;
  options.force_download = args.force;
  return options;
}

snapshot_download_options options_of_many(const arguments& args) {
  snapshot_download_options options;
  options.type = args.type;
  options.revision = args.revision;
  options.local_dir = args.local_dir;
  options.force_download = args.force;
  options.max_workers = args.max_workers;
  if (!args.files.empty())
    options.allow_patterns = patterns_of(args.files);
  else if (!args.include.empty())
    options.allow_patterns = args.include;
  if (args.files.empty()) options.ignore_patterns = args.exclude;
  return options;
}

/// A pattern may match nothing, but who names a file wants it.
/// @param is_there  whether the revision has the file, or a folder with that name
void require_named(const arguments& args, const std::function<bool(const std::string&)>& is_there) {
  for (const auto& file : args.files)
    if (file.find_first_of("*?[") == std::string::npos && !is_there(file))
      throw std::runtime_error("there is no " + file + " in " + args.repo_id + " at revision " +
                               args.revision);
}

void require_named_on_disk(const arguments& args, const std::filesystem::path& folder) {
  require_named(args, [&](const std::string& file) {
    const std::filesystem::path name = file;
    if (name.is_absolute() || std::find(name.begin(), name.end(), "..") != name.end()) return false;
    std::error_code unknown;
    return is_folder(file) ? std::filesystem::is_directory(folder / name, unknown)
                           : std::filesystem::is_regular_file(folder / name, unknown);
  });
}

void require_named_in(const arguments& args, const std::vector<dry_run_file_info>& plan) {
  require_named(args, [&](const std::string& file) {
    return std::any_of(plan.begin(), plan.end(), [&](const dry_run_file_info& one) {
      return is_folder(file) ? one.filename.starts_with(file) : one.filename == file;
    });
  });
}

/// A snapshot in the cache has what its revision has and nothing else. A folder may have kept what
/// the Hub has no more: there the listing tells, if the Hub can be asked.
awaitable<void> require_named_after(client hub, arguments_ptr args, std::filesystem::path folder) {
  if (!args->local_dir.empty() && !hub.is_offline()) {
    const auto options = options_of_many(*args);
    try {
      const auto plan = co_await hub.snapshot_download_dry_run(args->repo_id, options);
      require_named_in(*args, plan);
      co_return;
    } catch (const error&) {  // so nor could the download: the folder stands in for the Hub
    }
  }
  require_named_on_disk(*args, folder);
}

awaitable<void> download(client hub, arguments_ptr args) {
  std::filesystem::path path;
  if (is_one_file(*args)) {
    const auto options = options_of_one(*args);
    path = co_await hub.download_file(args->repo_id, args->files.front(), options);
  } else {
    const auto options = options_of_many(*args);
    path = co_await hub.snapshot_download(args->repo_id, options);
    if (!args->files.empty()) {
      co_await require_named_after(hub, args, path);
    }
  }
  const auto absolute = std::filesystem::absolute(path).string();
  boost::json::object facts;
  facts["path"] = absolute;
  args->out.result(absolute, facts);
}

/// The plan as one value.
boost::json::array as_json(const std::vector<dry_run_file_info>& plan) {
  boost::json::array files;
  for (const auto& file : plan) {
    boost::json::object one;
    one["file"] = file.filename;
    one["size"] = file.file_size;
    one["will_download"] = file.will_download;
    files.emplace_back(std::move(one));
  }
  return files;
}

/// One line a file: what would happen to it, its size in bytes, its path in the repository.
void print_plan(const std::vector<dry_run_file_info>& plan) {
  std::uint64_t files = 0;
  std::uint64_t bytes = 0;
  for (const auto& file : plan) {
    std::cout << (file.will_download ? "download" : "cached") << '\t' << file.file_size << '\t'
              << printable(file.filename) << '\n';
    files += file.will_download;
    bytes += file.will_download ? file.file_size : 0;
  }
  std::cout << files << " of " << plan.size() << " files would be downloaded, " << bytes << " bytes"
            << std::endl;
}

awaitable<void> plan_download(client hub, arguments_ptr args) {
  std::vector<dry_run_file_info> plan;
  if (is_one_file(*args)) {
    const auto options = options_of_one(*args);
    plan.push_back(co_await hub.download_file_dry_run(args->repo_id, args->files.front(), options));
  } else {
    const auto options = options_of_many(*args);
    plan = co_await hub.snapshot_download_dry_run(args->repo_id, options);
    require_named_in(*args, plan);
  }
  if (args->out.mode() == output::format::human)
    print_plan(plan);
  else
    args->out.table(as_json(plan), {{"file"}, {"size", true}, {"will_download"}}, "file");
}

/// An address in place of an id brings its own kind, revision and path.
void read_address(arguments& args) {
  const auto address = args.repo_id;
  auto path = take_address(args.repo_id, args.type, args.typed, args.revision);
  if (path.empty()) return;
  if (!args.files.empty()) throw std::invalid_argument('"' + address + "\" names a file already");
  args.files.push_back(std::move(path));
}

int run(arguments args) {
  try {
    read_address(args);
  } catch (const std::exception& e) {
    print_error(e.what());
    return usage;
  }
  if (args.revision.empty()) args.revision = "main";
  if (!args.files.empty() && (!args.include.empty() || !args.exclude.empty()))
    print_warning("--include and --exclude are ignored where files are named");
  client_config config;
  config.token = args.token;
  config.cache_dir = args.cache_dir;
  if (args.out.mode() == output::format::human) config.observer = make_progress_display();
  auto shared = std::make_shared<const arguments>(std::move(args));
  return run_operation(
      std::move(config),
      [shared](client hub) {
        return shared->dry_run ? plan_download(std::move(hub), shared)
                               : download(std::move(hub), shared);
      },
      when_interrupted::resumable);
}

}  // namespace

void add_download_command(CLI::App& app, int& status) {
  auto args = std::make_shared<arguments>();
  auto& command = *app.add_subcommand("download", "Download files from the Hub");
  command
      .add_option("repo_id", args->repo_id,
                  "Repository: owner/name, or an address of it or of a file in it "
                  "(hf://owner/name@v1/file)")
      ->required()
      ->option_text("REPO_ID");
  command.add_option("files", args->files, "Files to download, or folders (\"art/\"); none: all")
      ->option_text("[FILE...]");
  const auto* type = add_type_flag(command, args->type);
  command.add_option("--revision", args->revision, "Branch, tag, refs/pr/N or commit")
      ->option_text("REVISION [main]");
  add_repeated_flag(command, "--include", args->include, "Pattern of files to download", "PATTERN");
  add_repeated_flag(command, "--exclude", args->exclude, "Pattern of files to leave out",
                    "PATTERN");
  auto* cache = command.add_option("--cache-dir", args->cache_dir, "Cache instead of HF_HUB_CACHE")
                    ->option_text("DIR");
  command.add_option("--local-dir", args->local_dir, "Put the files here instead of the cache")
      ->excludes(cache)
      ->option_text("DIR");
  command.add_flag("--force-download", args->force, "Download again what is cached");
  add_count(command, "--max-workers", args->max_workers, "Files in flight", 1, most_workers)
      ->option_text("N [16]");
  command.add_flag("--dry-run", args->dry_run,
                   "Tell what would be downloaded, and download nothing");
  add_token_flag(command, args->token);
  args->out.add_flags(command);
  command.footer(
      "The last line on standard output is the path: of the file, or of the folder.\n\n"
      "Examples:\n"
      "  cohub download gpt2 config.json\n"
      "  cohub download org/model --include '*.safetensors' --exclude 'logs/*'\n"
      "  cohub download org/data --type dataset --revision v1.0 --local-dir data");
  command.callback([args, type, &status] {
    args->typed = !type->empty();
    status = run(*args);
  });
}

}  // namespace cohub::tool
