#include "cohub/hub_card.hpp"

#include "commands.hpp"
#include "repo_action.hpp"

#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>

#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace cohub::tool {

namespace {

struct arguments : repo_arguments {
  bool recursive = false;
  bool text_alone = false;
  bool metadata_alone = false;
  std::string search;
  list_repos_options list;
  repo_info_options info;
};
using arguments_ptr = std::shared_ptr<arguments>;

boost::json::object as_object(const repo_info& info) {
  return boost::json::parse(info.json).as_object();
}

awaitable<void> list(client hub, arguments_ptr args) {
  auto found = args->type == repo_type::model     ? hub.list_models(args->list)
               : args->type == repo_type::dataset ? hub.list_datasets(args->list)
                                                  : hub.list_spaces(args->list);
  boost::json::array all;
  for (;;) {
    const auto next = co_await found.next();
    if (!next) break;
    all.emplace_back(as_object(*next));
  }
  args->out.table(all, {{"id"}, {"lastModified"}, {"downloads", true}, {"likes", true}, {"tags"}},
                  "id");
}

awaitable<void> list_files(client hub, arguments_ptr args) {
  list_repo_tree_options options;
  options.type = args->type;
  options.recursive = args->recursive;
  if (!args->info.revision.empty()) options.revision = args->info.revision;
  auto found = hub.list_repo_tree(args->repo_id, options);
  boost::json::array all;
  for (;;) {
    const auto next = co_await found.next();
    if (!next) break;
    const bool folder = next->type == tree_entry::kind::directory;
    boost::json::object one;
    one["path"] = folder ? next->path + '/' : next->path;
    if (!folder) one["size"] = next->size;
    one["oid"] = next->oid;
    if (next->lfs) one["sha256"] = next->lfs->sha256;
    all.emplace_back(std::move(one));
  }
  args->out.table(all, {{"size", true}, {"path"}}, "path");
}

awaitable<void> show_card(client hub, arguments_ptr args) {
  load_card_options options;
  options.type = args->type;
  if (!args->info.revision.empty()) options.revision = args->info.revision;
  const auto card = co_await load_card(hub, args->repo_id, options);
  if (args->metadata_alone)
    output::document(to_yaml(card.data()) + '\n');
  else
    output::document(args->text_alone ? card.text() : card.content());
}

awaitable<void> show(client hub, arguments_ptr args) {
  args->info.type = args->type;
  const auto info = co_await hub.repo_info(args->repo_id, args->info);
  args->out.object(as_object(info));
}

void add_commands(CLI::App& app, int& status, repo_type type, const std::string& name,
                  const std::string& what) {
  auto args = std::make_shared<arguments>();
  args->type = type;
  auto& group = *app.add_subcommand(name, "Find " + what + ", and tell about them");
  group.require_subcommand(1);

  const auto add_revision_flag = [&](CLI::App& command) {
    return command.add_option("--revision", args->info.revision, "Branch, tag or commit")
        ->option_text("REVISION");
  };
  auto& listing = *group.add_subcommand("list", "List " + what + ", or the files of one");
  listing.alias("ls");
  auto* const one =
      listing.add_option("repo_id", args->repo_id, "List its files")->option_text("[ID]");
  listing.add_flag("-R,--recursive", args->recursive, "Of the files: those in folders, too")
      ->needs(one);
  add_revision_flag(listing)->needs(one);
  listing.add_option("--search", args->search, "Words of the id")->option_text("TEXT");
  listing.add_option("--author", args->list.author, "User or organisation")->option_text("NAME");
  add_repeated_flag(listing, "--filter", args->list.filter, "Tag that it must have", "TAG");
  if (type == repo_type::model)
    listing.add_option("--pipeline-tag", args->list.pipeline_tag, "Task")->option_text("TASK");
  listing
      .add_option("--sort", args->list.sort,
                  "downloads, likes, created_at, last_modified or trending_score")
      ->option_text("KEY");
  args->list.limit = 30;
  listing.add_option("--limit", args->list.limit, "The most to list; 0: all")
      ->option_text("N [30]");
  add_repeated_flag(listing, "--expand", args->list.expand, "Fields to tell, and no others",
                    "FIELD,...")
      ->delimiter(',');
  for (const char* of_many : {"--search", "--author", "--filter", "--sort", "--limit", "--expand"})
    one->excludes(of_many);
  add_token_flag(listing, args->token);
  args->out.add_flags(listing);
  listing.footer("Examples:\n  cohub " + name +
                 " ls --author me --sort last_modified --json\n  cohub " + name +
                 " ls org/name -R");
  listing.callback([args, &status] {
    if (!args->search.empty()) args->list.search.push_back(args->search);
    status = run_with(args, args->repo_id.empty() ? list : list_files);
  });

  auto& telling = *group.add_subcommand("info", "Tell all about one");
  telling.add_option("repo_id", args->repo_id, "owner/name")->required()->option_text("ID");
  add_revision_flag(telling);
  add_repeated_flag(telling, "--expand", args->info.expand, "Fields to tell, and no others",
                    "FIELD,...")
      ->delimiter(',');
  add_token_flag(telling, args->token);
  args->out.add_flags(telling);
  telling.footer("Example:\n  cohub " + name + " info org/name --json");
  telling.callback([args, &status] { status = run_with(args, show); });

  auto& card = *group.add_subcommand("card", "Print the card of one, its README.md");
  card.add_option("repo_id", args->repo_id, "owner/name")->required()->option_text("ID");
  card.add_flag("--text", args->text_alone, "Without its metadata");
  card.add_flag("--metadata", args->metadata_alone, "Its metadata alone")->excludes("--text");
  add_revision_flag(card);
  add_token_flag(card, args->token);
  card.footer("Example:\n  cohub " + name + " card org/name --text");
  card.callback([args, &status] { status = run_with(args, show_card); });
}

}  // namespace

void add_repo_list_commands(CLI::App& app, int& status) {
  add_commands(app, status, repo_type::model, "models", "models");
  add_commands(app, status, repo_type::dataset, "datasets", "datasets");
  add_commands(app, status, repo_type::space, "spaces", "spaces");
}

}  // namespace cohub::tool
