#include "client/ref_operations.hpp"

#include "cohub/error.hpp"

#include "hub/ref_replies.hpp"
#include "hub/routes.hpp"
#include "transfer/api_call.hpp"
#include "transfer/paged_listing.hpp"

#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include <algorithm>
#include <utility>

namespace cohub::repository {

using transfer::context_ptr;
using transfer::hub_request;

namespace {

void check_names(const std::string& repo_id, const std::string& ref) {
  transfer::require_repo_id(repo_id);
  if (ref.empty()) throw error(errc::invalid_argument, "a branch or tag without a name");
}

/// Whether the branch is there, for a token that may not make it (hub-protocol, section 6.5).
awaitable<bool> has_branch(context_ptr shared, std::string repo_id, std::string branch,
                           create_branch_options options) {
  list_repo_refs_options of;
  of.type = options.type;
  of.token = std::move(options.token);
  try {
    const auto refs = co_await list_refs(std::move(shared), std::move(repo_id), std::move(of));
    co_return std::any_of(refs.branches.begin(), refs.branches.end(),
                          [&](const git_ref_info& each) { return each.name == branch; });
  } catch (const error&) {
    co_return false;
  }
}

}  // namespace

awaitable<git_refs> list_refs(context_ptr shared, std::string repo_id,
                              list_repo_refs_options options) {
  transfer::require_repo_id(repo_id);
  const auto url =
      hub::routes::refs(shared->endpoint, options.type, repo_id, options.include_pull_requests);
  const std::string doing = "listing the refs of " + repo_id;
  auto what = hub_request(*shared, http::method::get, url, shared->token_for(options.token));
  co_return co_await transfer::call_for(shared, std::move(what), doing, hub::read_refs);
}

listing<git_commit_info> list_commits(context_ptr shared, std::string repo_id,
                                      list_repo_commits_options options) {
  transfer::page_cursor at;
  at.next = hub::routes::commits(shared->endpoint, options.type, repo_id, options.revision,
                                 options.formatted);
  at.token = shared->token_for(options.token);
  at.doing = "listing the commits of " + repo_id;
  at.repo_id = std::move(repo_id);
  at.shared = std::move(shared);
  return transfer::paged_listing<git_commit_info>(std::move(at), hub::read_commits);
}

awaitable<std::string> commit_diff(context_ptr shared, std::string repo_id, std::string from,
                                   std::string to, get_commit_diff_options options) {
  check_names(repo_id, from);
  check_names(repo_id, to);
  const auto url =
      hub::routes::compare(shared->endpoint, options.type, repo_id, from, to, options.raw);
  auto what = hub_request(*shared, http::method::get, url, shared->token_for(options.token));
  co_return co_await transfer::call_for_text(shared, std::move(what),
                                             "comparing " + from + " and " + to + " of " + repo_id);
}

awaitable<void> create_branch(context_ptr shared, std::string repo_id, std::string branch,
                              create_branch_options options) {
  check_names(repo_id, branch);
  boost::json::object body;
  if (!options.revision.empty()) body["startingPoint"] = options.revision;
  const auto url = hub::routes::branch(shared->endpoint, options.type, repo_id, branch);
  auto what = hub_request(*shared, http::method::post, url, shared->token_for(options.token),
                          boost::json::serialize(body));
  std::exception_ptr failure;
  bool forbidden = false;
  try {
    co_await transfer::call_for_nothing(shared, std::move(what),
                                        "creating the branch " + branch + " of " + repo_id);
  } catch (const error& e) {
    if (options.exist_ok && e.code() == errc::conflict) co_return;
    forbidden = e.http().status == 403;
    failure = std::current_exception();
  }
  if (!failure) co_return;
  if (options.exist_ok && forbidden) {
    const bool there = co_await has_branch(shared, repo_id, branch, options);
    if (there) co_return;
  }
  std::rethrow_exception(failure);
}

awaitable<void> delete_branch(context_ptr shared, std::string repo_id, std::string branch,
                              delete_branch_options options) {
  check_names(repo_id, branch);
  const auto url = hub::routes::branch(shared->endpoint, options.type, repo_id, branch);
  auto what = hub_request(*shared, http::method::delete_, url, shared->token_for(options.token));
  co_await transfer::call_for_nothing(shared, std::move(what),
                                      "deleting the branch " + branch + " of " + repo_id);
}

awaitable<void> create_tag(context_ptr shared, std::string repo_id, std::string tag,
                           create_tag_options options) {
  check_names(repo_id, tag);
  boost::json::object body;
  body["tag"] = tag;
  if (!options.tag_message.empty()) body["message"] = options.tag_message;
  // What it names is in the path, its own name in the body.
  const auto url = hub::routes::tag(shared->endpoint, options.type, repo_id, options.revision);
  auto what = hub_request(*shared, http::method::post, url, shared->token_for(options.token),
                          boost::json::serialize(body));
  try {
    co_await transfer::call_for_nothing(shared, std::move(what),
                                        "creating the tag " + tag + " of " + repo_id);
  } catch (const error& e) {
    if (!options.exist_ok || e.code() != errc::conflict) throw;
  }
}

awaitable<void> delete_tag(context_ptr shared, std::string repo_id, std::string tag,
                           delete_tag_options options) {
  check_names(repo_id, tag);
  const auto url = hub::routes::tag(shared->endpoint, options.type, repo_id, tag);
  auto what = hub_request(*shared, http::method::delete_, url, shared->token_for(options.token));
  co_await transfer::call_for_nothing(shared, std::move(what),
                                      "deleting the tag " + tag + " of " + repo_id);
}

awaitable<void> super_squash(context_ptr shared, std::string repo_id,
                             super_squash_history_options options) {
  transfer::require_repo_id(repo_id);
  auto message = std::move(options.commit_message);
  if (message.empty()) message = "Super-squash branch '" + options.branch + "' using cohub";
  const auto url =
      hub::routes::super_squash(shared->endpoint, options.type, repo_id, options.branch);
  boost::json::object body;
  body["message"] = message;
  auto what = hub_request(*shared, http::method::post, url, shared->token_for(options.token),
                          boost::json::serialize(body));
  co_await transfer::call_for_nothing(shared, std::move(what),
                                      "squashing the history of " + repo_id);
}

}  // namespace cohub::repository
