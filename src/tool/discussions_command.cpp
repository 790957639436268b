#include "commands.hpp"
#include "repo_action.hpp"
#include "text_file.hpp"

#include <boost/json/object.hpp>

#include <exception>
#include <memory>
#include <string>
#include <utility>

namespace cohub::tool {

namespace {

struct arguments : repo_arguments {
  std::uint64_t num = 0;
  std::string title;
  std::string body;
  std::string body_file;
  std::string comment;
  std::string comment_id;
  std::string status = "open";
  std::string kind;
  std::string author;
  std::size_t limit = 30;
  bool pull_request = false;
  bool yes = false;
};
using arguments_ptr = std::shared_ptr<arguments>;

boost::json::object as_object(const discussion& one) {
  boost::json::object object;
  object["num"] = one.num;
  object["title"] = one.title;
  object["status"] = one.status;
  object["author"] = one.author;
  object["is_pull_request"] = one.is_pull_request;
  object["created_at"] = one.created_at;
  return object;
}

boost::json::object as_object(const discussion_event& event) {
  boost::json::object object;
  object["id"] = event.id;
  object["type"] = event.type;
  object["author"] = event.author;
  object["created_at"] = event.created_at;
  if (event.type == "comment") object["content"] = event.content;
  if (!event.new_status.empty()) object["new_status"] = event.new_status;
  if (!event.new_title.empty()) object["new_title"] = event.new_title;
  if (!event.oid.empty()) object["oid"] = event.oid;
  if (!event.summary.empty()) object["summary"] = event.summary;
  return object;
}

std::string named(const arguments& args) {
  return "discussion " + std::to_string(args.num) + " of " + args.repo_id;
}

void tell(const arguments& args, const std::string& sentence) {
  boost::json::object facts;
  facts["num"] = args.num;
  facts["repo_id"] = args.repo_id;
  args.out.result(sentence, facts);
}

discussion_options options_of(const arguments& args) {
  discussion_options options;
  options.type = args.type;
  return options;
}

awaitable<void> list(client hub, arguments_ptr args) {
  get_repo_discussions_options options;
  options.type = args->type;
  options.author = args->author;
  options.discussion_type = args->kind;
  // The Hub picks the open and the closed; what else is wanted is picked out of all, as hf does.
  const bool picked_here = args->status == "draft" || args->status == "merged";
  options.discussion_status = picked_here || args->status == "all" ? std::string() : args->status;
  auto found = hub.get_repo_discussions(args->repo_id, options);
  boost::json::array all;
  while (all.size() < args->limit) {
    const auto next = co_await found.next();
    if (!next) break;
    if (picked_here && next->status != args->status) continue;
    all.emplace_back(as_object(*next));
  }
  args->out.table(
      all, {{"num", true}, {"title"}, {"is_pull_request"}, {"status"}, {"author"}, {"created_at"}},
      "num");
}

awaitable<void> show(client hub, arguments_ptr args) {
  const auto options = options_of(*args);
  const auto details = co_await hub.get_discussion_details(args->repo_id, args->num, options);
  auto facts = as_object(details);
  boost::json::array events;
  std::string text = details.title + " (" + details.status + ", by " + details.author + ")";
  for (const auto& event : details.events) {
    if (event.type == "comment") text += "\n\n" + event.author + ": " + event.content;
    events.emplace_back(as_object(event));
  }
  facts["events"] = std::move(events);
  if (details.is_pull_request) {
    boost::json::array conflicts;
    for (const auto& file : details.conflicting_files) conflicts.emplace_back(file);
    facts["conflicting_files"] = std::move(conflicts);
    facts["target_branch"] = details.target_branch;
  }
  if (!details.merge_commit_oid.empty()) facts["merge_commit_oid"] = details.merge_commit_oid;
  args->out.result(text, facts);
}

awaitable<void> diff(client hub, arguments_ptr args) {
  const auto options = options_of(*args);
  const auto details = co_await hub.get_discussion_details(args->repo_id, args->num, options);
  if (args->out.mode() != output::format::json) {
    args->out.document(details.diff, "diff");  // which "git apply" takes
    co_return;
  }
  boost::json::object facts;
  facts["num"] = details.num;
  facts["repo_id"] = args->repo_id;
  facts["diff"] = details.diff;
  args->out.result({}, facts);
}

awaitable<void> create(client hub, arguments_ptr args) {
  create_discussion_options options;
  options.type = args->type;
  options.description = args->body;
  options.pull_request = args->pull_request;
  const auto made = co_await hub.create_discussion(args->repo_id, args->title, options);
  args->num = made.num;
  const std::string group = args->type == repo_type::model ? "" : type_word(args->type) + "s/";
  const auto url =
      hub.endpoint() + '/' + group + args->repo_id + "/discussions/" + std::to_string(made.num);
  boost::json::object facts;
  facts["num"] = made.num;
  facts["url"] = url;
  if (made.is_pull_request)
    facts["ref"] = made.git_reference();
  else
    facts["ref"] = nullptr;
  args->out.result("Opened " + named(*args) + ": " + url, facts);
}

awaitable<void> comment(client hub, arguments_ptr args) {
  const auto options = options_of(*args);
  co_await hub.comment_discussion(args->repo_id, args->num, args->body, options);
  tell(*args, "Commented on " + named(*args));
}

awaitable<void> edit(client hub, arguments_ptr args) {
  const auto options = options_of(*args);
  co_await hub.edit_discussion_comment(args->repo_id, args->num, args->comment_id, args->body,
                                       options);
  tell(*args, "Changed a comment on " + named(*args));
}

awaitable<void> rename(client hub, arguments_ptr args) {
  const auto options = options_of(*args);
  co_await hub.rename_discussion(args->repo_id, args->num, args->title, options);
  tell(*args, "Renamed " + named(*args));
}

awaitable<void> change_status(client hub, arguments_ptr args, std::string status) {
  change_discussion_status_options options;
  options.type = args->type;
  options.comment = args->comment;
  co_await hub.change_discussion_status(args->repo_id, args->num, status, options);
}

awaitable<void> close(client hub, arguments_ptr args) {
  co_await change_status(hub, args, "closed");
  tell(*args, "Closed " + named(*args));
}

awaitable<void> reopen(client hub, arguments_ptr args) {
  co_await change_status(hub, args, "open");
  tell(*args, "Opened again " + named(*args));
}

awaitable<void> merge(client hub, arguments_ptr args) {
  merge_pull_request_options options;
  options.type = args->type;
  options.comment = args->comment;
  co_await hub.merge_pull_request(args->repo_id, args->num, options);
  tell(*args, "Merged pull request " + std::to_string(args->num) + " of " + args->repo_id);
}

int run(const arguments_ptr& args, awaitable<void> (*operation)(client, arguments_ptr)) {
  try {
    if (!args->body_file.empty()) args->body = read_text_file(args->body_file);
  } catch (const std::exception& e) {
    print_error(e.what());
    return failure;
  }
  return run_with(args, operation);
}

CLI::App& add_action(CLI::App& group, const char* name, const char* what, const arguments_ptr& args,
                     bool numbered, int& status,
                     awaitable<void> (*operation)(client, arguments_ptr)) {
  auto& command = add_repo_action(group, name, what, args, status, operation);
  if (numbered)
    add_count(command, "num", args->num, "Its number", 1)->required()->option_text("NUM");
  command.callback([args, &status, operation] { status = run(args, operation); });
  return command;
}

void add_body_flags(CLI::App& command, const arguments_ptr& args, bool required) {
  auto& text = *command.add_option_group("text");
  text.add_option("--body", args->body, "Its text, in Markdown")->option_text("TEXT");
  text.add_option("--body-file", args->body_file, "A file with the text; -: standard input")
      ->option_text("FILE");
  text.require_option(required ? 1 : 0, 1);
}

}  // namespace

void add_discussions_command(CLI::App& app, int& status) {
  auto args = std::make_shared<arguments>();
  auto& group = *app.add_subcommand("discussions", "Discussions and pull requests");
  group.require_subcommand(1);

  auto& listing = add_action(group, "list", "List them, newest first", args, false, status, list);
  listing.alias("ls");
  listing.add_option("-s,--status", args->status, "open, closed, merged, draft or all")
      ->check(CLI::IsMember({"open", "closed", "merged", "draft", "all"}))
      ->option_text("STATUS [open]");
  listing.add_option("-k,--kind", args->kind, "all, discussion or pull_request")
      ->check(CLI::IsMember({"all", "discussion", "pull_request"}))
      ->option_text("KIND [all]");
  listing.add_option("--author", args->author, "Who opened it")->option_text("NAME");
  add_count(listing, "--limit", args->limit, "The most to list")->option_text("N [30]");
  listing.footer("Example:\n  cohub discussions list org/model --kind pull_request --json");

  add_action(group, "info", "Show one with its comments", args, true, status, show)
      .footer("Example:\n  cohub discussions info org/model 5");
  add_action(group, "diff", "Show what a pull request changes", args, true, status, diff)
      .footer("Example:\n  cohub discussions diff org/model 5");

  auto& making = add_action(group, "create", "Open one", args, false, status, create);
  making.add_option("--title", args->title, "Its title")->required()->option_text("TITLE");
  making.add_flag("--pull-request,--pr", args->pull_request, "A pull request, as a draft");
  add_body_flags(making, args, false);
  making.footer(
      "Example:\n  cohub discussions create org/model --title 'Wrong label' --body '...'");

  auto& commenting = add_action(group, "comment", "Comment on one", args, true, status, comment);
  add_body_flags(commenting, args, true);
  commenting.footer("Example:\n  cohub discussions comment org/model 5 --body 'Thanks'");

  auto& editing = add_action(group, "edit", "Change a comment", args, true, status, edit);
  editing.add_option("comment_id", args->comment_id, "Its id, as info --json tells it")
      ->required()
      ->option_text("COMMENT_ID");
  add_body_flags(editing, args, true);
  editing.footer("Example:\n  cohub discussions edit org/model 5 abc123 --body 'Better'");

  auto& renaming =
      add_action(group, "rename", "Give one another title", args, true, status, rename);
  renaming.add_option("new_title", args->title, "Its new title")->required();
  renaming.footer("Example:\n  cohub discussions rename org/model 5 'A better title'");

  auto& closing = add_action(group, "close", "Close one", args, true, status, close);
  closing.add_option("--comment", args->comment, "What to say of it")->option_text("TEXT");
  closing.add_flag("-y,--yes", args->yes, "Accepted for scripts; it is not asked");
  closing.footer("Example:\n  cohub discussions close org/model 5 --comment 'Done'");
  auto& opening = add_action(group, "reopen", "Open one again", args, true, status, reopen);
  opening.add_option("--comment", args->comment, "What to say of it")->option_text("TEXT");
  opening.add_flag("-y,--yes", args->yes, "Accepted for scripts; it is not asked");
  opening.footer("Example:\n  cohub discussions reopen org/model 5");
  auto& merging = add_action(group, "merge", "Merge a pull request", args, true, status, merge);
  merging.add_option("--comment", args->comment, "What to say of it")->option_text("TEXT");
  merging.add_flag("-y,--yes", args->yes, "Accepted for scripts; it is not asked");
  merging.footer("Example:\n  cohub discussions merge org/model 5");
}

}  // namespace cohub::tool
