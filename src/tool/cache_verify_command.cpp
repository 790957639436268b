#include "commands.hpp"
#include "common_flags.hpp"
#include "output.hpp"
#include "run_operation.hpp"

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace cohub::tool {

namespace {

namespace json = boost::json;

struct arguments {
  output out;
  std::string repo_id;
  repo_type type = repo_type::model;
  std::string revision;
  std::string cache_dir;
  std::string local_dir;
  bool fail_on_missing = false;
  bool fail_on_extra = false;
  std::optional<std::string> token;
};
using arguments_ptr = std::shared_ptr<arguments>;

awaitable<void> verify_into(client hub, arguments_ptr args,
                            std::shared_ptr<folder_verification> outcome) {
  verify_repo_checksums_options options;
  options.type = args->type;
  options.revision = args->revision;
  options.cache_dir = args->cache_dir;
  options.local_dir = args->local_dir;
  auto verified = co_await hub.verify_repo_checksums(args->repo_id, options);
  *outcome = std::move(verified);
}

json::object facts_of(const arguments& args, const folder_verification& outcome) {
  json::object facts;
  facts["repo_id"] = args.repo_id;
  facts["repo_type"] = type_word(args.type);
  facts["checked"] = outcome.checked_count;
  facts["path"] = outcome.verified_path.string();
  facts["revision"] = outcome.revision;
  if (args.out.mode() != output::format::json) return facts;
  json::array mismatches;
  for (const auto& one : outcome.mismatches) {
    json::object item;
    item["path"] = one.path;
    item["expected"] = one.expected;
    item["actual"] = one.actual;
    item["algorithm"] = one.algorithm;
    if (!one.reason.empty()) item["reason"] = one.reason;
    mismatches.push_back(std::move(item));
  }
  facts["mismatches"] = std::move(mismatches);
  facts["missing"] = to_json(outcome.missing_paths);
  facts["extra"] = to_json(outcome.extra_paths);
  return facts;
}

void tell_mismatches(const output& out, const folder_verification& outcome) {
  if (outcome.mismatches.empty()) return;
  out.text("These files are not what the Hub has:");
  for (const auto& one : outcome.mismatches)
    out.text("  - " + one.path + ": expected " + one.expected + " (" + one.algorithm + "), " +
             (one.actual.empty() ? one.reason : "got " + one.actual));
}

/// Whether it makes the command fail.
bool tell_paths(const output& out, const std::vector<std::string>& paths, bool fails,
                const std::string& where, const std::string& flag) {
  if (paths.empty()) return false;
  if (!fails) {
    print_warning(std::to_string(paths.size()) + " file(s) are " + where + " (" + flag +
                  " tells them)");
    return false;
  }
  out.text("These files are " + where + ":");
  for (const auto& path : paths) out.text("  - " + path);
  return true;
}

int run(const arguments_ptr& args) {
  client_config config;
  config.token = args->token;
  const auto outcome = std::make_shared<folder_verification>();
  const int status = run_operation(std::move(config), [args, outcome](client hub) {
    return verify_into(std::move(hub), args, outcome);
  });
  if (status != success) return status;
  tell_mismatches(args->out, *outcome);
  bool failed = !outcome->mismatches.empty();
  failed |= tell_paths(args->out, outcome->missing_paths, args->fail_on_missing,
                       "on the Hub, but not here", "--fail-on-missing-files");
  failed |= tell_paths(args->out, outcome->extra_paths, args->fail_on_extra,
                       "here, but not on the Hub", "--fail-on-extra-files");
  const auto facts = facts_of(*args, *outcome);
  const auto named = type_word(args->type) + " '" + args->repo_id + "'";
  if (!failed) {
    args->out.result("Verified " + std::to_string(outcome->checked_count) + " file(s) for " +
                         named + " in " + outcome->verified_path.string() +
                         ". All checksums match.",
                     facts);
    return success;
  }
  if (args->out.mode() == output::format::json) args->out.result({}, facts);
  print_error("verification failed for " + named + " in " + outcome->verified_path.string() +
              " at revision " + outcome->revision);
  return failure;
}

}  // namespace

void add_cache_verify_command(CLI::App& cache, int& status) {
  auto args = std::make_shared<arguments>();
  auto& command =
      *cache.add_subcommand("verify", "Compare cached files to the checksums of the Hub");
  command.add_option("repo_id", args->repo_id, "Repository: owner/name")
      ->required()
      ->option_text("REPO_ID");
  add_type_flag(command, args->type);
  command
      .add_option("--revision", args->revision,
                  "Branch, tag, refs/pr/N or commit; none: main as the cache knows it")
      ->option_text("REVISION");
  auto* cache_dir =
      command.add_option("--cache-dir", args->cache_dir, "Cache instead of HF_HUB_CACHE")
          ->option_text("DIR");
  command.add_option("--local-dir", args->local_dir, "A folder of files instead of the cache")
      ->excludes(cache_dir)
      ->option_text("DIR");
  command.add_flag("--fail-on-missing-files", args->fail_on_missing,
                   "Fail if files of the Hub are missing here");
  command.add_flag("--fail-on-extra-files", args->fail_on_extra,
                   "Fail if there are files that the Hub does not have");
  add_token_flag(command, args->token);
  args->out.add_flags(command);
  command.footer(
      "Exit status 1 if a checksum differs.\n\n"
      "Examples:\n"
      "  cohub cache verify gpt2\n"
      "  cohub cache verify org/data --type dataset --revision v1.0 --fail-on-missing-files\n"
      "  cohub cache verify org/model --local-dir model");
  command.callback([args, &status] { status = run(args); });
}

}  // namespace cohub::tool
