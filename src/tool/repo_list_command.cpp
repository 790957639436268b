#include "commands.hpp"
#include "common_flags.hpp"
#include "output.hpp"
#include "run_operation.hpp"

#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>

#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace cohub::tool {

namespace {

struct arguments {
  repo_type type = repo_type::model;
  std::string repo_id;
  std::string search;
  list_repos_options list;
  repo_info_options info;
  std::optional<std::string> token;
  output out;
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

awaitable<void> show(client hub, arguments_ptr args) {
  args->info.type = args->type;
  const auto info = co_await hub.repo_info(args->repo_id, args->info);
  args->out.result(info.json, as_object(info));
}

void add_commands(CLI::App& app, int& status, repo_type type, const std::string& name,
                  const std::string& what) {
  auto args = std::make_shared<arguments>();
  args->type = type;
  auto& group = *app.add_subcommand(name, "Find " + what + ", and tell about them");
  group.require_subcommand(1);
  const auto run = [args, &status](awaitable<void> (*operation)(client, arguments_ptr)) {
    client_config config;
    config.token = args->token;
    status = run_operation(std::move(config), [args, operation](client hub) {
      return operation(std::move(hub), args);
    });
  };

  auto& listing = *group.add_subcommand("list", "List " + what)->alias("ls");
  listing.add_option("--search", args->search, "Words of the id")->option_text("TEXT");
  listing.add_option("--author", args->list.author, "User or organisation")->option_text("NAME");
  add_repeated_flag(listing, "--filter", args->list.filter, "Tag that it must have", "TAG");
  if (type == repo_type::model)
    listing.add_option("--pipeline-tag", args->list.pipeline_tag, "Task")->option_text("TASK");
  listing
      .add_option("--sort", args->list.sort,
                  "downloads, likes, created_at, last_modified or trending_score")
      ->option_text("KEY");
  args->list.limit = 10;
  listing.add_option("--limit", args->list.limit, "The most to list; 0: all")
      ->option_text("N [10]");
  add_repeated_flag(listing, "--expand", args->list.expand, "Fields to tell, and no others",
                    "FIELD,...")
      ->delimiter(',');
  add_token_flag(listing, args->token);
  args->out.add_flags(listing);
  listing.footer("Example:\n  cohub " + name + " ls --author me --sort last_modified --json");
  listing.callback([args, run] {
    if (!args->search.empty()) args->list.search.push_back(args->search);
    run(list);
  });

  auto& telling = *group.add_subcommand("info", "Tell all about one");
  telling.add_option("repo_id", args->repo_id, "owner/name")->required()->option_text("ID");
  telling.add_option("--revision", args->info.revision, "Branch, tag or commit")
      ->option_text("REVISION");
  add_repeated_flag(telling, "--expand", args->info.expand, "Fields to tell, and no others",
                    "FIELD,...")
      ->delimiter(',');
  add_token_flag(telling, args->token);
  args->out.add_flags(telling);
  telling.footer("Example:\n  cohub " + name + " info org/name --json");
  telling.callback([run] { run(show); });
}

}  // namespace

void add_repo_list_commands(CLI::App& app, int& status) {
  add_commands(app, status, repo_type::model, "models", "models");
  add_commands(app, status, repo_type::dataset, "datasets", "datasets");
  add_commands(app, status, repo_type::space, "spaces", "spaces");
}

}  // namespace cohub::tool
