#include "client/repository_operations.hpp"

#include "cohub/error.hpp"

#include "hub/repo_id.hpp"
#include "hub/repo_path.hpp"
#include "hub/repo_replies.hpp"
#include "hub/routes.hpp"
#include "transfer/api_call.hpp"
#include "transfer/paged_listing.hpp"
#include "transfer/tree_listing.hpp"
#include "transfer/upload_large_folder.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include <algorithm>
#include <iterator>
#include <utility>

namespace cohub::repository {

using transfer::context_ptr;
using transfer::hub_request;

namespace {

void check_id(const std::string& repo_id) {
  if (const auto valid = hub::check_repo_id(repo_id); !valid)
    throw error(valid.error(), "the repository id \"" + repo_id + "\"");
}

/// The members that name a repository in the bodies of create and delete.
boost::json::object named_in_body(const std::string& repo_id, repo_type type) {
  boost::json::object body;
  const auto slash = repo_id.find('/');
  if (slash == repo_id.npos) {
    body["name"] = repo_id;
  } else {
    body["organization"] = repo_id.substr(0, slash);
    body["name"] = repo_id.substr(slash + 1);
  }
  body["type"] = std::string(hub::singular(type));
  return body;
}

/// Whether a repository that the token may not create is there all the same: then `exist_ok` is met
/// (hub-protocol, section 6.1).
awaitable<bool> can_be_read(context_ptr shared, std::string repo_id, create_repo_options options) {
  repo_info_options of;
  of.type = options.type;
  of.token = std::move(options.token);
  try {
    auto reading = transfer::fetch_repo_info(std::move(shared), std::move(repo_id), std::move(of));
    const auto info = co_await std::move(reading);
    co_return true;
  } catch (const error&) {
    co_return false;
  }
}

}  // namespace

awaitable<repo_url> create(context_ptr shared, std::string repo_id, create_repo_options options) {
  check_id(repo_id);
  if (options.type == repo_type::space && options.space_sdk.empty())
    throw error(errc::invalid_argument, "creating the space " + repo_id +
                                            " needs an sdk: gradio, streamlit, docker or static");
  auto body = named_in_body(repo_id, options.type);
  if (options.is_private) body["private"] = *options.is_private;
  if (!options.space_sdk.empty()) body["sdk"] = options.space_sdk;
  const std::string doing = "creating the repository " + repo_id;
  auto what = hub_request(*shared, http::method::post, hub::routes::create_repo(shared->endpoint),
                          shared->token_for(options.token), boost::json::serialize(body));
  auto answer = co_await shared->transport->send(std::move(what));
  const int status = answer.status();
  if (status / 100 == 2 || (status == 409 && options.exist_ok)) {
    const auto text = co_await answer.read_all();
    auto created = hub::read_repo_url(text, options.type, repo_id);
    if (!created) throw error(created.error(), doing);
    co_return std::move(*created);
  }
  auto refusal = transfer::failure_of(std::move(answer), doing);
  const auto failure = co_await std::move(refusal);
  if (options.exist_ok && (status == 401 || status == 402 || status == 403)) {
    const bool there = co_await can_be_read(shared, repo_id, options);
    if (there) {
      repo_url existing;
      existing.url = hub::routes::repo_page(shared->endpoint, options.type, repo_id);
      existing.repo_id = repo_id;
      existing.type = options.type;
      co_return existing;
    }
  }
  std::rethrow_exception(failure);
}

awaitable<void> remove(context_ptr shared, std::string repo_id, delete_repo_options options) {
  check_id(repo_id);
  auto body = named_in_body(repo_id, options.type);
  auto what =
      hub_request(*shared, http::method::delete_, hub::routes::delete_repo(shared->endpoint),
                  shared->token_for(options.token), boost::json::serialize(body));
  try {
    auto calling = transfer::call(shared, std::move(what), "deleting the repository " + repo_id);
    auto answer = co_await std::move(calling);
    co_await answer.finish();
  } catch (const error& e) {
    if (!options.missing_ok || e.code() != errc::repository_not_found) throw;
  }
}

awaitable<bool> has_file(context_ptr shared, std::string repo_id, std::string path,
                         file_exists_options options) {
  check_id(repo_id);
  if (const auto valid = hub::check_download_path(path); !valid)
    throw error(valid.error(), "the path \"" + path + "\"");
  const auto url =
      hub::routes::resolve(shared->endpoint, options.type, repo_id, options.revision, path);
  auto what = hub_request(*shared, http::method::head, url, shared->token_for(options.token));
  // A redirect to the store of large files says that the file is there; the store need not be
  // asked.
  what.redirects = http::redirects::same_origin;
  auto answer = co_await shared->transport->send(std::move(what));
  if (answer.status() < 400) co_return true;
  auto refusal = transfer::failure_of(std::move(answer), "looking for " + path + " in " + repo_id);
  const auto failure = co_await std::move(refusal);
  try {
    std::rethrow_exception(failure);
  } catch (const error& e) {
    if (e.code() == errc::entry_not_found || e.code() == errc::revision_not_found ||
        e.code() == errc::repository_not_found)
      co_return false;
    throw;
  }
}

awaitable<void> move(context_ptr shared, std::string from_id, std::string to_id,
                     move_repo_options options) {
  check_id(from_id);
  check_id(to_id);
  boost::json::object body;
  body["fromRepo"] = from_id;
  body["toRepo"] = to_id;
  body["type"] = std::string(hub::singular(options.type));
  auto what = hub_request(*shared, http::method::post, hub::routes::move_repo(shared->endpoint),
                          shared->token_for(options.token), boost::json::serialize(body));
  auto calling =
      transfer::call(shared, std::move(what), "moving the repository " + from_id + " to " + to_id);
  auto answer = co_await std::move(calling);
  co_await answer.finish();
}

awaitable<void> update_settings(context_ptr shared, std::string repo_id,
                                update_repo_settings_options options) {
  check_id(repo_id);
  boost::json::object body;
  if (options.is_private) body["visibility"] = *options.is_private ? "private" : "public";
  if (options.gated && options.gated->empty()) body["gated"] = false;
  if (options.gated && !options.gated->empty()) body["gated"] = *options.gated;
  if (body.empty())
    throw error(errc::invalid_argument, "changing the settings of " + repo_id + ": none is given");
  auto what = hub_request(*shared, http::method::put,
                          hub::routes::settings(shared->endpoint, options.type, repo_id),
                          shared->token_for(options.token), boost::json::serialize(body));
  auto calling = transfer::call(shared, std::move(what), "changing the settings of " + repo_id);
  auto answer = co_await std::move(calling);
  co_await answer.finish();
}

awaitable<bool> exists(context_ptr shared, std::string repo_id, repo_exists_options options) {
  repo_info_options of;
  of.type = options.type;
  of.token = std::move(options.token);
  try {
    auto reading = transfer::fetch_repo_info(std::move(shared), std::move(repo_id), std::move(of));
    co_await std::move(reading);
    co_return true;
  } catch (const error& e) {
    if (e.code() == errc::gated_repository) co_return true;
    if (e.code() != errc::repository_not_found) throw;
    co_return false;
  }
}

awaitable<bool> has_revision(context_ptr shared, std::string repo_id, std::string revision,
                             revision_exists_options options) {
  repo_info_options of;
  of.type = options.type;
  of.revision = std::move(revision);
  of.token = std::move(options.token);
  try {
    auto reading = transfer::fetch_repo_info(std::move(shared), std::move(repo_id), std::move(of));
    co_await std::move(reading);
    co_return true;
  } catch (const error& e) {
    if (e.code() != errc::repository_not_found && e.code() != errc::revision_not_found) throw;
    co_return false;
  }
}

awaitable<upload_large_folder_info> upload_large_folder(context_ptr shared,
                                                        std::filesystem::path folder,
                                                        std::string repo_id,
                                                        upload_large_folder_options options) {
  create_repo_options making;
  making.type = options.type;
  making.is_private = options.is_private;
  making.exist_ok = true;
  making.space_sdk = options.space_sdk.empty() ? "gradio" : options.space_sdk;
  if (options.type != repo_type::space) making.space_sdk.clear();
  making.token = options.token;
  auto creating = create(shared, std::move(repo_id), std::move(making));
  const auto repo = co_await std::move(creating);
  auto uploading = transfer::upload_large_folder(std::move(shared), std::move(folder), repo.repo_id,
                                                 std::move(options));
  auto info = co_await std::move(uploading);
  co_return info;
}

listing<repo_info> list_repos(context_ptr shared, repo_type type, list_repos_options options) {
  transfer::page_cursor at;
  at.next = hub::routes::list_repos(shared->endpoint, type, options);
  at.token = shared->token_for(options.token);
  at.doing = "listing " + std::string(hub::plural(type));
  at.shared = std::move(shared);
  at.is_of_one = false;
  at.limit = options.limit;
  return transfer::paged_listing<repo_info>(std::move(at), hub::read_repo_infos);
}

awaitable<user_info> whoami(context_ptr shared, whoami_options options) {
  const auto token = shared->token_for(options.token);
  auto what = hub_request(*shared, http::method::get, hub::routes::whoami(shared->endpoint), token);
  const std::string doing = "asking whose token this is";
  const auto text = co_await transfer::call_for_text(shared, std::move(what), doing);
  auto user = hub::read_whoami(text);
  if (!user) throw error(user.error(), doing);
  co_return std::move(*user);
}

}  // namespace cohub::repository
