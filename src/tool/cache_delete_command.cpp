#include "cache_scan.hpp"
#include "commands.hpp"
#include "output.hpp"
#include "run_operation.hpp"
#include "text.hpp"

#include <algorithm>
#include <memory>
#include <optional>
#include <set>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace cohub::tool {

namespace {

namespace json = boost::json;

struct arguments {
  output out;
  std::string cache_dir;
  std::vector<std::string> targets;
  bool yes = false;
  bool dry_run = false;
};
using arguments_ptr = std::shared_ptr<arguments>;

awaitable<void> execute_into(client hub, std::shared_ptr<const delete_cache_strategy> plan,
                             std::shared_ptr<delete_cache_result> outcome) {
  auto done = co_await hub.execute(*plan);
  *outcome = std::move(done);
}

/// "model/owner/name" for "hf://models/owner/name" and the like; anything else as it is.
std::string cache_id_of(const std::string& target) {
  constexpr std::string_view scheme = "hf://";
  if (!target.starts_with(scheme)) return target;
  auto rest = target.substr(scheme.size());
  std::string type = "model";
  for (const std::string word : {"model", "dataset", "space", "kernel"})
    if (rest.starts_with(word + "s/")) {
      type = word;
      rest.erase(0, word.size() + 2);
      break;
    }
  while (rest.ends_with('/')) rest.pop_back();
  if (rest.empty() || rest.find('@') != rest.npos || std::count(rest.begin(), rest.end(), '/') > 1)
    throw std::invalid_argument("\"" + target + "\" names no whole repository");
  return type + '/' + rest;
}

/// The revisions that a plan deletes, for the summary.
struct selection {
  std::vector<std::string> wanted{};   ///< for `delete_revisions`
  std::vector<std::string> missing{};  ///< targets that are not in the cache
  std::vector<std::pair<const cached_repo_info*, std::vector<const cached_revision_info*>>> repos{};

  bool is_whole(std::size_t index) const {
    return repos[index].second.size() == repos[index].first->revisions.size();
  }
  std::size_t whole_repos() const {
    std::size_t count = 0;
    for (std::size_t i = 0; i < repos.size(); ++i) count += is_whole(i) ? 1 : 0;
    return count;
  }
  std::size_t revisions() const {
    std::size_t count = 0;
    for (const auto& [repo, chosen] : repos) count += chosen.size();
    return count;
  }
  std::size_t lone_revisions() const {
    std::size_t count = 0;
    for (std::size_t i = 0; i < repos.size(); ++i)
      if (!is_whole(i)) count += repos[i].second.size();
    return count;
  }
};

/// How many of these are no more.
std::size_t gone(const std::vector<std::filesystem::path>& paths) {
  std::error_code unknown;
  return static_cast<std::size_t>(
      std::count_if(paths.begin(), paths.end(), [&](const std::filesystem::path& path) {
        return !std::filesystem::exists(std::filesystem::symlink_status(path, unknown));
      }));
}

std::vector<std::filesystem::path> snapshots_of(const selection& chosen) {
  std::vector<std::filesystem::path> paths;
  for (const auto& [repo, revisions] : chosen.repos)
    for (const auto* const revision : revisions) paths.push_back(revision->snapshot_path);
  return paths;
}

selection select(const cache_info& info, const std::vector<std::string>& targets) {
  selection chosen;
  std::set<std::string> wanted;
  for (const auto& target : targets) {
    const auto name = lower(cache_id_of(target));
    bool found = false;
    for (const auto& repo : info.repos) {
      if (lower(repo.cache_id()) == name) {
        wanted.insert(repo.cache_id());
        found = true;
      }
      for (const auto& revision : repo.revisions)
        if (lower(revision.commit_hash) == name) {
          wanted.insert(revision.commit_hash);
          found = true;
        }
    }
    if (!found) chosen.missing.push_back(target);
  }
  chosen.wanted.assign(wanted.begin(), wanted.end());
  for (const auto& repo : info.repos) {
    std::vector<const cached_revision_info*> revisions;
    for (const auto& revision : repo.revisions)
      if (wanted.contains(revision.commit_hash) || wanted.contains(repo.cache_id()))
        revisions.push_back(&revision);
    if (!revisions.empty() || wanted.contains(repo.cache_id()))
      chosen.repos.emplace_back(&repo, std::move(revisions));
  }
  return chosen;
}

selection select_detached(const cache_info& info) {
  selection chosen;
  for (const auto& repo : info.repos) {
    std::vector<const cached_revision_info*> revisions;
    for (const auto& revision : repo.revisions)
      if (repo.refs_known && revision.refs.empty()) revisions.push_back(&revision);
    if (!revisions.empty()) chosen.repos.emplace_back(&repo, std::move(revisions));
  }
  return chosen;
}

void tell_selection(const output& out, const selection& chosen) {
  for (std::size_t i = 0; i < chosen.repos.size(); ++i) {
    const auto& [repo, revisions] = chosen.repos[i];
    if (chosen.is_whole(i)) {
      out.text("  - " + repo->cache_id() + " (entire repo)");
      continue;
    }
    out.text("  - " + repo->cache_id() + ":");
    for (const auto* revision : revisions) {
      std::string refs;
      for (const auto& ref : revision->refs) refs += (refs.empty() ? "" : " ") + ref;
      out.text("      " + revision->commit_hash + " [" + (refs.empty() ? "(detached)" : refs) +
               "] " + format_size(revision->size_on_disk));
    }
  }
}

std::string joined(const std::string& a, const std::string& b) {
  if (a.empty() || b.empty()) return a + b;
  return a + " and " + b;
}

std::string counted(std::size_t count, const std::string& noun) {
  return count == 0 ? std::string() : std::to_string(count) + ' ' + noun;
}

/// Carries the plan out and tells what is left; exit status.
/// @param outcome  is filled, also if a part fails; not if nothing can be said
int execute(const arguments& args, const delete_cache_strategy& plan,
            std::optional<delete_cache_result>& outcome) {
  const auto shared = std::make_shared<const delete_cache_strategy>(plan);
  const auto done = std::make_shared<delete_cache_result>();
  const int status = run_operation(cache_config(args.cache_dir), [shared, done](client hub) {
    return execute_into(std::move(hub), shared, done);
  });
  if (status != success) return status;
  outcome = std::move(*done);
  bool failed = false;
  for (const auto& left : outcome->left) {
    print_warning(left.path.string() + " stays: " + left.reason);
    failed = failed || !left.in_use;
  }
  return failed ? failure : success;
}

/// A program that asks for JSON gets the members that it looks for.
void tell_nothing(const arguments& args, const std::string& sentence, json::object counts) {
  if (args.out.mode() != output::format::json) return args.out.text(sentence);
  json::object facts;
  if (args.dry_run) facts["dry_run"] = true;
  for (auto& count : counts) facts[count.key()] = std::move(count.value());
  facts[args.dry_run ? "size" : "freed"] = format_size(0);
  if (!args.dry_run) facts["left"] = 0;
  args.out.result({}, facts);
}

int remove(const arguments& args) {
  const auto info = std::make_shared<cache_info>();
  if (const int status = scan_cache(args.cache_dir, info); status != success) return status;
  selection chosen;
  try {
    chosen = select(*info, args.targets);
  } catch (const std::invalid_argument& e) {
    print_error(e.what());
    return usage;
  }
  for (const auto& target : chosen.missing) print_warning(target + " is not in the cache");
  if (chosen.repos.empty()) {
    json::object facts;
    facts[args.dry_run ? "repos" : "repos_deleted"] = 0;
    facts[args.dry_run ? "revisions" : "revisions_deleted"] = 0;
    tell_nothing(args, "Nothing to delete.", std::move(facts));
    return success;
  }
  const auto plan = info->delete_revisions(chosen.wanted);
  const auto size = format_size(plan.expected_freed_size);
  args.out.text("About to delete " +
                joined(counted(chosen.whole_repos(), "repo(s)"),
                       counted(chosen.lone_revisions(), "revision(s)")) +
                " totalling " + size + ".");
  tell_selection(args.out, chosen);
  json::object facts;
  if (args.dry_run) {
    facts["dry_run"] = true;
    facts["repos"] = chosen.whole_repos();
    facts["revisions"] = chosen.revisions();
    facts["size"] = size;
    args.out.result("Dry run: no files were deleted.", facts);
    return success;
  }
  if (!args.out.confirmed("Proceed with deletion?", args.yes)) return failure;
  std::optional<delete_cache_result> outcome;
  const int status = execute(args, plan, outcome);
  if (!outcome) return status;
  const auto freed = format_size(outcome->freed_size);
  const auto repos = gone(plan.repos);
  const auto revisions = gone(snapshots_of(chosen));
  facts["repos_deleted"] = repos;
  facts["revisions_deleted"] = revisions;
  facts["freed"] = freed;
  facts["left"] = outcome->left.size();
  args.out.result("Deleted " + std::to_string(repos) + " repo(s) and " + std::to_string(revisions) +
                      " revision(s); freed " + freed + ".",
                  facts);
  return status;
}

int prune(const arguments& args) {
  const auto info = std::make_shared<cache_info>();
  if (const int status = scan_cache(args.cache_dir, info); status != success) return status;
  const auto plan = info->prune();
  const auto chosen = select_detached(*info);
  const auto leftovers = info->incomplete_files.size() + info->unlinked_blobs.size();
  if (plan.empty()) {
    json::object facts;
    facts[args.dry_run ? "revisions" : "revisions_deleted"] = 0;
    facts[args.dry_run ? "incomplete" : "incomplete_deleted"] = 0;
    tell_nothing(args, "No unreferenced revisions or incomplete downloads found. Nothing to prune.",
                 std::move(facts));
    return success;
  }
  const auto summary = joined(counted(chosen.revisions(), "unreferenced revision(s)"),
                              counted(leftovers, "incomplete or unused file(s)"));
  const auto size = format_size(plan.expected_freed_size);
  args.out.text("About to delete " + summary + " (" + size + " total).");
  tell_selection(args.out, chosen);
  json::object facts;
  if (args.dry_run) {
    facts["dry_run"] = true;
    facts["revisions"] = chosen.revisions();
    facts["incomplete"] = leftovers;
    facts["size"] = size;
    args.out.result("Dry run: no files were deleted.", facts);
    return success;
  }
  if (!args.out.confirmed("Proceed?", args.yes)) return failure;
  std::optional<delete_cache_result> outcome;
  const int status = execute(args, plan, outcome);
  if (!outcome) return status;
  const auto freed = format_size(outcome->freed_size);
  const auto revisions = gone(snapshots_of(chosen));
  std::vector<std::filesystem::path> others;
  for (const auto& file : info->incomplete_files) others.push_back(file.file_path);
  for (const auto& blob : info->unlinked_blobs) others.push_back(blob.blob_path);
  facts["revisions_deleted"] = revisions;
  facts["incomplete_deleted"] = gone(others);
  facts["freed"] = freed;
  facts["left"] = outcome->left.size();
  auto what = joined(counted(revisions, "unreferenced revision(s)"),
                     counted(gone(others), "incomplete or unused file(s)"));
  if (what.empty()) what = "nothing";
  args.out.result("Deleted " + what + "; freed " + freed + ".", facts);
  return status;
}

CLI::App& add_action(CLI::App& cache, const char* name, const char* what,
                     const arguments_ptr& args) {
  auto& command = *cache.add_subcommand(name, what);
  command.add_option("--cache-dir", args->cache_dir, "Cache instead of HF_HUB_CACHE")
      ->option_text("DIR");
  command.add_flag("-y,--yes", args->yes, "Do not ask");
  command.add_flag("--dry-run", args->dry_run, "Tell what would be deleted");
  args->out.add_flags(command);
  return command;
}

}  // namespace

void add_cache_delete_commands(CLI::App& cache, int& status) {
  auto args = std::make_shared<arguments>();
  auto& removing = add_action(cache, "rm", "Delete repositories or revisions", args);
  removing
      .add_option("targets", args->targets,
                  "model/owner/name, dataset/owner/name, hf://owner/name, or commits")
      ->required()
      ->option_text("TARGET...");
  removing.footer(
      "What another process is using stays, and is told.\n\n"
      "Examples:\n"
      "  cohub cache rm model/gpt2 --dry-run\n"
      "  cohub cache rm dataset/org/data 81fd1d6e7847c99f5862c9fb81387956d99ec7aa --yes");
  removing.callback([args, &status] { status = remove(*args); });

  auto& pruning =
      add_action(cache, "prune", "Delete revisions without ref, and incomplete files", args);
  pruning.footer(
      "Partial downloads go too; what is being downloaded at the moment stays.\n\n"
      "Example:\n"
      "  cohub cache prune --dry-run");
  pruning.callback([args, &status] { status = prune(*args); });
}

}  // namespace cohub::tool
