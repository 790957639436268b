#include "client/repository_operations.hpp"

#include "cohub/error.hpp"

#include "client/repo_creation.hpp"
#include "hub/repo_id.hpp"
#include "hub/repo_path.hpp"
#include "hub/repo_replies.hpp"
#include "hub/routes.hpp"
#include "transfer/api_call.hpp"
#include "transfer/folder/upload_large_folder.hpp"
#include "transfer/paged_listing.hpp"
#include "transfer/tree_listing.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include <algorithm>
#include <iterator>
#include <utility>

namespace cohub::repository {

using transfer::context_ptr;
using transfer::hub_request;
using transfer::require_repo_id;

namespace {

/// The paths of the files on a page of a tree.
boost::system::result<std::vector<std::string>> read_file_names(std::string_view body) {
  auto page = hub::read_tree_page(body);
  if (!page) return page.error();
  std::vector<std::string> names;
  for (auto& entry : *page)
    if (entry.type == tree_entry::kind::file) names.push_back(std::move(entry.path));
  return names;
}

}  // namespace

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

awaitable<void> remove(context_ptr shared, std::string repo_id, delete_repo_options options) {
  require_repo_id(repo_id);
  auto body = named_in_body(repo_id, options.type);
  auto what =
      hub_request(*shared, http::method::delete_, hub::routes::delete_repo(shared->endpoint),
                  shared->token_for(options.token), boost::json::serialize(body));
  try {
    co_await transfer::call_for_nothing(shared, std::move(what),
                                        "deleting the repository " + repo_id);
  } catch (const error& e) {
    if (!options.missing_ok || e.code() != errc::repository_not_found) throw;
  }
}

awaitable<bool> has_file(context_ptr shared, std::string repo_id, std::string path,
                         file_exists_options options) {
  require_repo_id(repo_id);
  if (const auto valid = hub::check_download_path(path); !valid)
    throw error(valid.error(), "the path \"" + path + "\"");
  const auto url =
      hub::routes::resolve(shared->endpoint, options.type, repo_id, options.revision, path);
  auto what = hub_request(*shared, http::method::head, url, shared->token_for(options.token));
  // A redirect to the store of large files says that the file is there; the store need not be
  // asked.
  what.redirects = http::redirects::same_origin;
  const auto doing = "looking for " + path + " in " + repo_id;
  auto answer = co_await transfer::send(shared, std::move(what), doing);
  if (answer.status() < 400) co_return true;
  const auto failure = co_await transfer::failure_of(std::move(answer), doing);
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
  require_repo_id(from_id);
  require_repo_id(to_id);
  boost::json::object body;
  body["fromRepo"] = from_id;
  body["toRepo"] = to_id;
  body["type"] = std::string(hub::singular(options.type));
  auto what = hub_request(*shared, http::method::post, hub::routes::move_repo(shared->endpoint),
                          shared->token_for(options.token), boost::json::serialize(body));
  co_await transfer::call_for_nothing(shared, std::move(what),
                                      "moving the repository " + from_id + " to " + to_id);
}

awaitable<void> update_settings(context_ptr shared, std::string repo_id,
                                update_repo_settings_options options) {
  require_repo_id(repo_id);
  boost::json::object body;
  const auto visibility = asked_visibility(options.is_private, options.visibility, options.type,
                                           "changing the settings of " + repo_id);
  if (!visibility.empty()) body["visibility"] = visibility;
  if (options.gated && options.gated->empty()) body["gated"] = false;
  if (options.gated && !options.gated->empty()) body["gated"] = *options.gated;
  if (body.empty())
    throw error(errc::invalid_argument, "changing the settings of " + repo_id + ": none is given");
  auto what = hub_request(*shared, http::method::put,
                          hub::routes::settings(shared->endpoint, options.type, repo_id),
                          shared->token_for(options.token), boost::json::serialize(body));
  co_await transfer::call_for_nothing(shared, std::move(what),
                                      "changing the settings of " + repo_id);
}

awaitable<bool> exists(context_ptr shared, std::string repo_id, repo_exists_options options) {
  repo_info_options of;
  of.type = options.type;
  of.token = std::move(options.token);
  try {
    co_await transfer::fetch_repo_info(std::move(shared), std::move(repo_id), std::move(of));
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
    co_await transfer::fetch_repo_info(std::move(shared), std::move(repo_id), std::move(of));
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
  const auto repo = co_await create(shared, std::move(repo_id), std::move(making));
  co_return co_await transfer::upload_large_folder(std::move(shared), std::move(folder),
                                                   repo.repo_id, std::move(options));
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

listing<std::string> list_files(context_ptr shared, std::string repo_id,
                                list_repo_files_options options) {
  transfer::page_cursor at;
  at.next = hub::routes::tree(shared->endpoint, options.type, repo_id, options.revision, {}, true);
  at.token = shared->token_for(options.token);
  at.doing = "listing the files of " + repo_id;
  at.repo_id = std::move(repo_id);
  at.shared = std::move(shared);
  return transfer::paged_listing<std::string>(std::move(at), read_file_names);
}

listing<repo_storage_info> list_own(context_ptr shared, list_user_repos_options options) {
  transfer::page_cursor at;
  at.next = hub::routes::user_repos(shared->endpoint, options.organization);
  at.token = shared->token_for(options.token);
  at.doing = "listing the repositories of " +
             (options.organization.empty() ? "the token's user" : options.organization);
  at.shared = std::move(shared);
  at.is_of_one = false;
  return transfer::paged_listing<repo_storage_info>(std::move(at), hub::read_user_repos);
}

awaitable<void> auth_check(context_ptr shared, std::string repo_id, auth_check_options options) {
  require_repo_id(repo_id);
  const auto url = hub::routes::auth_check(shared->endpoint, options.type, repo_id, options.write);
  auto what = hub_request(*shared, http::method::get, url, shared->token_for(options.token));
  co_await transfer::call_for_nothing(shared, std::move(what), "checking the access to " + repo_id);
}

listing<lfs_file_info> list_lfs_files(context_ptr shared, std::string repo_id,
                                      list_lfs_files_options options) {
  transfer::page_cursor at;
  at.next = hub::routes::lfs_files(shared->endpoint, options.type, repo_id);
  at.token = shared->token_for(options.token);
  at.doing = "listing the large objects of " + repo_id;
  at.repo_id = std::move(repo_id);
  at.shared = std::move(shared);
  return transfer::paged_listing<lfs_file_info>(std::move(at), hub::read_lfs_files);
}

awaitable<void> delete_lfs_files(context_ptr shared, std::string repo_id,
                                 std::vector<lfs_file_info> files,
                                 permanently_delete_lfs_files_options options) {
  require_repo_id(repo_id);
  constexpr std::size_t most_objects = 1000;  // of one request
  const auto url = hub::routes::lfs_deletions(shared->endpoint, options.type, repo_id);
  for (std::size_t begin = 0; begin < files.size(); begin += most_objects) {
    boost::json::array names;
    const auto end = std::min(begin + most_objects, files.size());
    for (auto i = begin; i < end; ++i) names.emplace_back(files[i].file_oid);
    boost::json::object deletions;
    deletions["sha"] = std::move(names);
    deletions["rewriteHistory"] = options.rewrite_history;
    boost::json::object body;
    body["deletions"] = std::move(deletions);
    auto what = hub_request(*shared, http::method::post, url, shared->token_for(options.token),
                            boost::json::serialize(body));
    co_await transfer::call_for_nothing(shared, std::move(what),
                                        "deleting large objects of " + repo_id);
  }
}

awaitable<user_info> whoami(context_ptr shared, whoami_options options) {
  const std::string doing = "asking whose token this is";
  const auto token = shared->token_for(options.token);
  if (token.empty()) throw error(errc::unauthorized, doing + ": nobody is logged in");
  auto what = hub_request(*shared, http::method::get, hub::routes::whoami(shared->endpoint), token);
  co_return co_await transfer::call_for(shared, std::move(what), doing, hub::read_whoami);
}

}  // namespace cohub::repository
