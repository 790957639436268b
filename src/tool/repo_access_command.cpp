#include "commands.hpp"
#include "parse_answer.hpp"
#include "repo_action.hpp"

#include <boost/json/object.hpp>

#include <memory>
#include <string>
#include <utility>

/// Who may have the contents of a gated repository: `cohub repo access ...`.
namespace cohub::tool {

namespace {

struct arguments : repo_arguments {
  std::string user;
  std::string status = "pending";
  std::string reason;
};
using arguments_ptr = std::shared_ptr<arguments>;

void tell(const arguments& args, const std::string& sentence) {
  boost::json::object facts;
  facts["user"] = args.user;
  facts["repo_id"] = args.repo_id;
  args.out.result(sentence + ' ' + args.user, facts);
}

access_request_options options_of(const arguments& args) {
  access_request_options options;
  options.type = args.type;
  return options;
}

listing<access_request> requests(client& hub, const arguments& args) {
  const auto options = options_of(args);
  if (args.status == "accepted") return hub.list_accepted_access_requests(args.repo_id, options);
  if (args.status == "rejected") return hub.list_rejected_access_requests(args.repo_id, options);
  return hub.list_pending_access_requests(args.repo_id, options);
}

awaitable<void> list(client hub, arguments_ptr args) {
  auto found = requests(hub, *args);
  boost::json::array all;
  for (;;) {
    const auto next = co_await found.next();
    if (!next) break;
    boost::json::object one;
    one["username"] = next->username;
    one["fullname"] = next->fullname;
    one["email"] = next->email;
    one["timestamp"] = next->timestamp;
    one["status"] = next->status;
    if (!next->fields.empty()) one["fields"] = parse_answer(next->fields);
    all.emplace_back(std::move(one));
  }
  args->out.table(all, {{"username"}, {"fullname"}, {"email"}, {"timestamp"}}, "username");
}

awaitable<void> accept(client hub, arguments_ptr args) {
  const auto options = options_of(*args);
  co_await hub.accept_access_request(args->repo_id, args->user, options);
  tell(*args, "Let in");
}

awaitable<void> reject(client hub, arguments_ptr args) {
  reject_access_request_options options;
  options.type = args->type;
  options.rejection_reason = args->reason;
  co_await hub.reject_access_request(args->repo_id, args->user, options);
  tell(*args, "Refused");
}

awaitable<void> cancel(client hub, arguments_ptr args) {
  const auto options = options_of(*args);
  co_await hub.cancel_access_request(args->repo_id, args->user, options);
  tell(*args, "Undecided again:");
}

awaitable<void> grant(client hub, arguments_ptr args) {
  const auto options = options_of(*args);
  co_await hub.grant_access(args->repo_id, args->user, options);
  tell(*args, "Let in");
}

CLI::App& add_decision(CLI::App& group, const char* name, const char* what,
                       const arguments_ptr& args, int& status,
                       awaitable<void> (*operation)(client, arguments_ptr)) {
  auto& command = add_repo_action(group, name, what, args, status, operation);
  command.add_option("user", args->user, "Who")->required()->option_text("USER");
  command.footer(std::string("Example:\n  cohub repo access ") + name + " org/model somebody");
  return command;
}

}  // namespace

void add_repo_access_commands(CLI::App& repo, int& status) {
  auto args = std::make_shared<arguments>();
  auto& group = *repo.add_subcommand("access", "Who may have what a gated repository holds");
  group.require_subcommand(1);
  auto& listing = add_repo_action(group, "list", "Who has asked", args, status, list);
  listing.alias("ls");
  listing.add_option("--status", args->status, "pending, accepted or rejected")
      ->check(CLI::IsMember({"pending", "accepted", "rejected"}))
      ->option_text("STATUS [pending]");
  listing.footer("Example:\n  cohub repo access list org/model --status accepted --json");
  add_decision(group, "accept", "Let in who has asked", args, status, accept);
  add_decision(group, "reject", "Refuse who has asked, or was let in", args, status, reject)
      .add_option("--reason", args->reason, "What they are told")
      ->option_text("TEXT");
  add_decision(group, "cancel", "Take a decision back", args, status, cancel);
  add_decision(group, "grant", "Let in who has not asked", args, status, grant);
}

}  // namespace cohub::tool
