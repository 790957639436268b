#include "cohub/cache.hpp"

#include "commands.hpp"
#include "file_tree.hpp"
#include "parse_answer.hpp"
#include "repo_action.hpp"
#include "run_operation.hpp"
#include "text.hpp"

#include <boost/json/object.hpp>

#include <iostream>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace cohub::tool {

namespace {

struct arguments : repo_arguments {
  bool recursive = false;
  bool tree = false;
  bool human_readable = false;
  std::string search;
  list_repos_options list;
  repo_info_options info;
};
using arguments_ptr = std::shared_ptr<arguments>;

boost::json::object as_object(const repo_info& info) { return parse_answer(info.json).as_object(); }

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
  std::vector<output::column> columns{{"id"}};
  for (const auto& field : args->list.expand) columns.push_back({field});
  if (args->list.expand.empty())
    columns = {{"id"}, {"lastModified"}, {"downloads", true}, {"likes", true}, {"tags"}};
  args->out.table(all, columns, "id");
}

awaitable<void> list_files(client hub, arguments_ptr args) {
  list_repo_tree_options options;
  options.type = args->type;
  options.recursive = args->recursive;
  if (!args->info.revision.empty()) options.revision = args->info.revision;
  auto found = hub.list_repo_tree(args->repo_id, options);
  const bool quiet = args->out.mode() == output::format::quiet;
  std::vector<listed_file> drawn;
  boost::json::array all;
  for (;;) {
    const auto next = co_await found.next();
    if (!next) break;
    const bool folder = next->type == tree_entry::kind::directory;
    auto size = folder ? std::string() : std::to_string(next->size);
    if (!folder && args->human_readable) size = format_size(next->size);
    if (args->tree) {
      drawn.push_back(listed_file{next->path, quiet ? std::string() : size, folder});
      continue;
    }
    boost::json::object one;
    one["path"] = folder ? next->path + '/' : next->path;
    if (!folder && args->out.mode() == output::format::json)
      one["size"] = next->size;
    else if (!folder)
      one["size"] = size;
    one["oid"] = next->oid;
    if (next->lfs) one["sha256"] = next->lfs->sha256;
    all.emplace_back(std::move(one));
  }
  if (args->tree)
    for (const auto& line : draw_tree(drawn)) std::cout << printable(line) << '\n';
  else
    args->out.table(all, {{"size", true}, {"path"}}, "path");
}

awaitable<void> show(client hub, arguments_ptr args) {
  args->info.type = args->type;
  const auto info = co_await hub.repo_info(args->repo_id, args->info);
  args->out.object(as_object(info), "id");
}

constexpr const char* model_filters[] = {"--pipeline-tag",  "--gated", "--no-gated",
                                         "--apps",          "--warm",  "--inference-provider",
                                         "--num-parameters"};

void add_model_filters(CLI::App& listing, const arguments_ptr& args) {
  auto& wanted = args->list;
  listing.add_option("--pipeline-tag", wanted.pipeline_tag, "Task")->option_text("TASK");
  auto* const gated = listing.add_flag_function(
      "--gated", [&wanted](std::int64_t) { wanted.gated = true; }, "That ask who downloads them");
  listing
      .add_flag_function(
          "--no-gated", [&wanted](std::int64_t) { wanted.gated = false; }, "That do not")
      ->excludes(gated);
  add_repeated_flag(listing, "--apps", wanted.apps, "Program that runs it: ollama, vllm", "APP");
  auto* const provider = add_repeated_flag(listing, "--inference-provider",
                                           wanted.inference_provider, "Who serves it", "PROVIDER");
  listing
      .add_flag_function(
          "--warm", [&wanted](std::int64_t) { wanted.inference = "warm"; }, "Served by somebody")
      ->excludes(provider);
  listing.add_option("--num-parameters", wanted.num_parameters, "min:6B,max:128B, or one of them")
      ->option_text("RANGE");
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
  listing.add_flag("--tree", args->tree, "Of the files: as a tree")->needs(one);
  listing.set_help_flag("--help", "Print this help message and exit");  // hf's -h is another
  listing.add_flag("-h,--human-readable", args->human_readable, "Of the files: sizes as 1.2M")
      ->needs(one);
  add_revision_flag(listing)->needs(one);
  listing.add_option("--search", args->search, "Words of the id")->option_text("TEXT");
  listing.add_option("--author", args->list.author, "User or organisation")->option_text("NAME");
  add_repeated_flag(listing, "--filter", args->list.filter, "Tag that it must have", "TAG");
  if (type == repo_type::model) add_model_filters(listing, args);
  listing
      .add_option("--sort", args->list.sort,
                  "downloads, likes, created_at, last_modified or trending_score")
      ->check(
          CLI::IsMember({"downloads", "likes", "created_at", "last_modified", "trending_score"}))
      ->option_text("KEY");
  args->list.limit = 30;
  add_count(listing, "--limit", args->list.limit, "The most to list; 0: all")
      ->option_text("N [30]");
  add_repeated_flag(listing, "--expand", args->list.expand, "Fields to tell, and no others",
                    "FIELD,...")
      ->delimiter(',');
  for (const char* of_many : {"--search", "--author", "--filter", "--sort", "--limit", "--expand"})
    one->excludes(of_many);
  if (type == repo_type::model)
    for (const char* filter : model_filters) one->excludes(filter);
  add_token_flag(listing, args->token);
  args->out.add_flags(listing);
  listing.footer("Examples:\n  cohub " + name +
                 " ls --author me --sort last_modified --json\n  cohub " + name +
                 " ls org/name --tree -R -h");
  listing.callback([args, &status] {
    if (!args->search.empty()) args->list.search.push_back(args->search);
    if (args->tree && args->out.mode() == output::format::json) {
      print_error("a tree is no JSON: --tree and --json exclude each other");
      status = usage;
      return;
    }
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

  add_card_command(group, status, type);
}

}  // namespace

void add_repo_list_commands(CLI::App& app, int& status) {
  add_commands(app, status, repo_type::model, "models", "models");
  add_commands(app, status, repo_type::dataset, "datasets", "datasets");
  add_commands(app, status, repo_type::space, "spaces", "spaces");
}

}  // namespace cohub::tool
