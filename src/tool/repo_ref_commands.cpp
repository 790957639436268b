#include "commands.hpp"
#include "repo_action.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include <memory>
#include <string>
#include <utility>

/// Branches and tags: `cohub repo branch ...`, `cohub repo tag ...`.
namespace cohub::tool {

namespace {

struct arguments : repo_arguments {
  std::string name;
  std::string revision;
  std::string message;
  bool exist_ok = false;
  bool pull_requests = false;
  bool yes = false;
};
using arguments_ptr = std::shared_ptr<arguments>;

/// "Created tag v1"; `kind` is "branch" or "tag".
void tell(const arguments& args, const std::string& done, const char* kind) {
  boost::json::object facts;
  facts[kind] = args.name;
  facts["repo_type"] = type_word(args.type);
  facts["repo_id"] = args.repo_id;
  args.out.result(done + ' ' + kind + ' ' + args.name, facts);
}

awaitable<void> create_branch(client hub, arguments_ptr args) {
  create_branch_options options;
  options.type = args->type;
  options.revision = args->revision;
  options.exist_ok = args->exist_ok;
  co_await hub.create_branch(args->repo_id, args->name, options);
  tell(*args, "Created", "branch");
}

awaitable<void> delete_branch(client hub, arguments_ptr args) {
  const delete_branch_options options{.type = args->type};
  co_await hub.delete_branch(args->repo_id, args->name, options);
  tell(*args, "Deleted", "branch");
}

awaitable<void> create_tag(client hub, arguments_ptr args) {
  create_tag_options options;
  options.type = args->type;
  if (!args->revision.empty()) options.revision = args->revision;
  options.tag_message = args->message;
  co_await hub.create_tag(args->repo_id, args->name, options);
  tell(*args, "Created", "tag");
}

awaitable<void> delete_tag(client hub, arguments_ptr args) {
  const delete_tag_options options{.type = args->type};
  co_await hub.delete_tag(args->repo_id, args->name, options);
  tell(*args, "Deleted", "tag");
}

awaitable<void> list_tags(client hub, arguments_ptr args) {
  const list_repo_refs_options options{.type = args->type};
  const auto refs = co_await hub.list_repo_refs(args->repo_id, options);
  boost::json::array all;
  for (const auto& tag : refs.tags) {
    boost::json::object one;
    one["name"] = tag.name;
    one["target_commit"] = tag.target_commit;
    one["ref"] = tag.ref;
    all.emplace_back(std::move(one));
  }
  args->out.table(all, {{"name"}, {"target_commit"}}, "name");
}

/// All names of commits, in one table.
awaitable<void> list_refs(client hub, arguments_ptr args) {
  list_repo_refs_options options;
  options.type = args->type;
  options.include_pull_requests = args->pull_requests;
  const auto refs = co_await hub.list_repo_refs(args->repo_id, options);
  boost::json::array all;
  for (const auto* group : {&refs.branches, &refs.tags, &refs.converts, &refs.pull_requests})
    for (const auto& ref : *group) {
      boost::json::object one;
      one["name"] = ref.name;
      one["ref"] = ref.ref;
      one["target_commit"] = ref.target_commit;
      all.emplace_back(std::move(one));
    }
  args->out.table(all, {{"name"}, {"ref"}, {"target_commit"}}, "ref");
}

CLI::App& add_named_action(CLI::App& group, const char* name, const char* what,
                           const arguments_ptr& args, const char* named, int& status,
                           awaitable<void> (*operation)(client, arguments_ptr)) {
  auto& command = add_repo_action(group, name, what, args, status, operation);
  command.add_option("name", args->name, named)->required();
  return command;
}

}  // namespace

void add_repo_ref_commands(CLI::App& repo, int& status) {
  auto args = std::make_shared<arguments>();
  auto& branch = *repo.add_subcommand("branch", "Create or delete a branch");
  branch.require_subcommand(1);
  auto& making = add_named_action(branch, "create", "Create a branch", args, "The branch's name",
                                  status, create_branch);
  making.add_option("--revision", args->revision, "What it starts from, instead of main")
      ->option_text("REVISION");
  making.add_flag("--exist-ok", args->exist_ok, "No error if it exists");
  making.footer("Example:\n  cohub repo branch create me/my-model dev --revision v1.0");
  add_named_action(branch, "delete", "Delete a branch", args, "The branch's name", status,
                   delete_branch)
      .footer("Example:\n  cohub repo branch delete me/my-model dev");

  auto& tag = *repo.add_subcommand("tag", "Create, list or delete tags");
  tag.require_subcommand(1);
  auto& tagging =
      add_named_action(tag, "create", "Create a tag", args, "The tag's name", status, create_tag);
  tagging.add_option("--revision", args->revision, "What it names, instead of main")
      ->option_text("REVISION");
  tagging.add_option("-m,--message", args->message, "What to say of it")->option_text("TEXT");
  tagging.footer("Example:\n  cohub repo tag create me/my-model v1.0 -m 'First release'");
  auto& listing = add_repo_action(tag, "list", "List the tags", args, status, list_tags);
  listing.alias("ls");
  listing.footer("Example:\n  cohub repo tag list me/my-model --json");
  auto& untagging =
      add_named_action(tag, "delete", "Delete a tag", args, "The tag's name", status, delete_tag);
  untagging.add_flag("-y,--yes", args->yes, "Accepted for scripts; it is not asked");
  untagging.footer("Example:\n  cohub repo tag delete me/my-model v1.0");

  auto& refs = add_repo_action(repo, "refs", "List branches, tags and other names of commits", args,
                               status, list_refs);
  refs.add_flag("--include-pull-requests", args->pull_requests, "Those of pull requests, too");
  refs.footer("Example:\n  cohub repo refs me/my-model --json");
}

}  // namespace cohub::tool
