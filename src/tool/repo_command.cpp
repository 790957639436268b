#include "cohub/cache.hpp"

#include "commands.hpp"
#include "repo_action.hpp"
#include "text.hpp"

#include <boost/json/object.hpp>

#include <cstdio>
#include <iostream>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace cohub::tool {

namespace {

struct arguments : repo_arguments {
  std::string new_id;
  std::string visibility;
  std::optional<std::string> gated;
  bool missing_ok = false;
  bool yes = false;
  std::vector<std::string> patterns;
  delete_file_options deletion;
  std::string branch = "main";
  std::string message;
  std::string organization;
  std::string search;
  std::string kind;
  std::size_t limit = 30;
};
using arguments_ptr = std::shared_ptr<arguments>;

std::string named(const arguments& args) { return type_word(args.type) + ' ' + args.repo_id; }

void tell(const arguments& args, const std::string& sentence) {
  boost::json::object facts;
  facts["repo_id"] = args.repo_id;
  args.out.result(sentence, facts);
}

awaitable<void> remove(client hub, arguments_ptr args) {
  delete_repo_options options;
  options.type = args->type;
  options.missing_ok = args->missing_ok;
  co_await hub.delete_repo(args->repo_id, options);
  tell(*args, "Deleted " + args->repo_id);
}

awaitable<void> move(client hub, arguments_ptr args) {
  const move_repo_options options{.type = args->type};
  co_await hub.move_repo(args->repo_id, args->new_id, options);
  boost::json::object facts;
  facts["from_id"] = args->repo_id;
  facts["to_id"] = args->new_id;
  args->out.result("Moved " + args->repo_id + " to " + args->new_id, facts);
}

awaitable<void> change_settings(client hub, arguments_ptr args) {
  update_repo_settings_options options;
  options.type = args->type;
  options.visibility = args->visibility;
  options.gated = args->gated;
  co_await hub.update_repo_settings(args->repo_id, options);
  tell(*args, "Changed the settings of " + args->repo_id);
}

awaitable<void> delete_files(client hub, arguments_ptr args) {
  auto options = args->deletion;
  options.type = args->type;
  const auto made = co_await hub.delete_files(args->repo_id, args->patterns, options);
  if (made.unchanged) std::cerr << "No file matches: no commit was made." << std::endl;
  const auto& url = made.pr_url.empty() ? made.commit_url : made.pr_url;
  boost::json::object facts;
  facts["repo_id"] = args->repo_id;
  facts["commit_url"] = made.commit_url;
  facts["oid"] = made.oid;
  if (!made.pr_url.empty()) facts["pr_url"] = made.pr_url;
  facts["unchanged"] = made.unchanged;
  args->out.result(url, facts);
}

awaitable<void> super_squash(client hub, arguments_ptr args) {
  super_squash_history_options options;
  options.type = args->type;
  options.branch = args->branch;
  options.commit_message = args->message;
  co_await hub.super_squash_history(args->repo_id, options);
  boost::json::object facts;
  facts["repo_id"] = args->repo_id;
  facts["branch"] = args->branch;
  args->out.result("Made one commit of the history of " + args->branch, facts);
}

awaitable<void> list_own(client hub, arguments_ptr args) {
  list_user_repos_options options;
  options.organization = args->organization;
  auto found = hub.list_user_repos(options);
  const auto wanted = lower(args->search);
  boost::json::array all;
  for (;;) {
    const auto next = co_await found.next();
    if (!next || (args->limit > 0 && all.size() == args->limit)) break;
    if (!args->kind.empty() && next->type != args->kind) continue;
    if (lower(next->id).find(wanted) == std::string::npos) continue;
    boost::json::object one;
    one["id"] = next->id;
    one["type"] = next->type;
    one["updated"] = next->updated_at.substr(0, 10);
    one["visibility"] = next->visibility;
    one["storage"] = format_size(next->storage);
    char percent[32];
    std::snprintf(percent, sizeof percent, "%.1f%%", next->storage_percent);
    one["%_of_total"] = percent;
    all.emplace_back(std::move(one));
  }
  args->out.table(
      all, {{"id"}, {"type"}, {"updated"}, {"visibility"}, {"storage", true}, {"%_of_total", true}},
      "id");
}

void add_list_command(CLI::App& repo, int& status) {
  auto args = std::make_shared<arguments>();
  auto& listing = *repo.add_subcommand("list", "List your own repositories, with their storage");
  listing.alias("ls");
  listing.add_option("--namespace", args->organization, "Those of an organisation")
      ->option_text("NAME");
  listing.add_option("--repo-type,--type", args->kind, "model, dataset or space alone")
      ->check(CLI::IsMember({"model", "dataset", "space", "kernel", "bucket"}))
      ->option_text("TYPE");
  listing.add_option("--search", args->search, "A part of the id, in upper or lower case")
      ->option_text("TEXT");
  add_count(listing, "--limit", args->limit, "The most to list; 0: all")->option_text("N [30]");
  add_token_flag(listing, args->token);
  args->out.add_flags(listing);
  listing.footer("Example:\n  cohub repo ls --type dataset --json");
  listing.callback([args, &status] { status = run_with(args, list_own); });
}

}  // namespace

void add_repo_command(CLI::App& app, int& status) {
  auto args = std::make_shared<arguments>();
  auto& repo = *app.add_subcommand("repo", "Repositories, their branches and tags")->alias("repos");
  repo.require_subcommand(1);
  add_list_command(repo, status);
  add_repo_create_commands(repo, status);

  auto& dropping = add_repo_action(repo, "delete-files", "Delete files of a repository", args,
                                   status, delete_files);
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

  auto& removing =
      add_repo_action(repo, "delete", "Delete a repository and its history", args, status, remove);
  allow_own_name(removing);
  removing.add_flag("--missing-ok", args->missing_ok, "No error if it does not exist");
  removing.add_flag("-y,--yes", args->yes, "Do not ask");
  removing.footer(
      "There is no way back: it asks first, and where nobody can answer, --yes is needed.\n\n"
      "Example:\n"
      "  cohub repo delete me/old-model");
  removing.callback([args, &status] {
    const bool wanted =
        args->out.confirmed("Delete the " + named(*args) + " and its history for good?", args->yes);
    status = wanted ? run_with(args, remove) : failure;
  });

  auto& squashing = add_repo_action(repo, "super-squash", "Make one commit of a branch's history",
                                    args, status, super_squash);
  squashing.add_option("--branch", args->branch, "Which one")->option_text("BRANCH [main]");
  squashing.add_option("-m,--commit-message", args->message, "What the commit says")
      ->option_text("TEXT");
  squashing.add_flag("-y,--yes", args->yes, "Do not ask");
  squashing.footer(
      "There is no way back: it asks first, and where nobody can answer, --yes is needed.\n\n"
      "Example:\n"
      "  cohub repo super-squash me/run --branch main --yes");
  squashing.callback([args, &status] {
    const bool wanted = args->out.confirmed(
        "Forget the history of " + args->branch + " of the " + named(*args) + " for good?",
        args->yes);
    status = wanted ? run_with(args, super_squash) : failure;
  });

  auto& moving = add_repo_action(repo, "move", "Rename a repository or give it to another owner",
                                 args, status, move);
  moving.add_option("to_id", args->new_id, "Its new name: owner/name")
      ->required()
      ->option_text("TO_ID");
  moving.footer(
      "The old name redirects to the new one.\n\nExample:\n  cohub repo move me/old org/new");

  auto& settings = add_repo_action(repo, "settings", "Change who may see or download", args, status,
                                   change_settings);
  add_visibility_flags(settings, args->visibility);
  settings
      .add_option_function<std::string>(
          "--gated",
          [args](const std::string& how) { args->gated = how == "false" ? std::string() : how; },
          "Who asks for access gets it at once (auto), when you say so (manual), or need not ask "
          "(false)")
      ->check(CLI::IsMember({"auto", "manual", "false"}))
      ->option_text("auto|manual|false");
  settings.callback([args, &status] {
    if (args->visibility.empty() && !args->gated)
      throw CLI::ValidationError("--private, --public, --protected or --gated is required");
    status = run_with(args, change_settings);
  });
  settings.footer("Example:\n  cohub repo settings me/my-model --private --gated manual");

  add_repo_access_commands(repo, status);
  add_repo_ref_commands(repo, status);
}

}  // namespace cohub::tool
