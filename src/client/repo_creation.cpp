#include "client/repo_creation.hpp"

#include "cohub/error.hpp"

#include "client/repository_operations.hpp"
#include "hub/repo_replies.hpp"
#include "hub/routes.hpp"
#include "hub/space_templates.hpp"
#include "transfer/api_call.hpp"
#include "transfer/retry_wait.hpp"
#include "transfer/tree_listing.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include <optional>
#include <utility>
#include <vector>

namespace cohub::repository {

using transfer::context_ptr;
using transfer::hub_request;
using transfer::require_repo_id;

namespace {

/// What the Hub says while it makes another repository of the same owner (hub-protocol,
/// section 6.1).
constexpr std::string_view busy = "another conflicting operation is in progress";

/// A repository that is to be made, and how the Hub is asked.
struct creation {
  std::string url{};
  std::string body{};
  repo_type type = repo_type::model;
  std::string asked_id{};
  bool exist_ok = false;
  std::optional<std::string> token{};
  std::string doing{};
};

boost::json::array written(const std::vector<space_variable>& variables) {
  boost::json::array list;
  for (const auto& each : variables) {
    boost::json::object entry;
    entry["key"] = each.key;
    entry["value"] = each.value;
    if (!each.description.empty()) entry["description"] = each.description;
    list.push_back(std::move(entry));
  }
  return list;
}

boost::json::array written(const std::vector<space_volume>& volumes) {
  boost::json::array list;
  for (const auto& each : volumes) {
    boost::json::object entry;
    entry["type"] = each.type;
    entry["source"] = each.source;
    entry["mountPath"] = each.mount_path;
    if (!each.revision.empty()) entry["revision"] = each.revision;
    if (each.read_only) entry["readOnly"] = *each.read_only;
    if (!each.path.empty()) entry["path"] = each.path;
    list.push_back(std::move(entry));
  }
  return list;
}

/// The members of a body that tell what a space is to be.
template <class Options>
void add_space_members(boost::json::object& body, const Options& options) {
  if (options.type != repo_type::space) return;
  if (!options.space_hardware.empty()) body["hardware"] = options.space_hardware;
  if (!options.space_storage.empty()) body["storageTier"] = options.space_storage;
  if (options.space_sleep_time) body["sleepTimeSeconds"] = *options.space_sleep_time;
  if (!options.space_secrets.empty()) body["secrets"] = written(options.space_secrets);
  if (!options.space_variables.empty()) body["variables"] = written(options.space_variables);
  if (!options.space_volumes.empty()) body["volumes"] = written(options.space_volumes);
}

/// The repository that is there already: where the answer does not tell its url, that of the asked
/// name.
awaitable<repo_url> existing(context_ptr shared, std::string answer, creation what) {
  auto told = hub::read_repo_url(answer, what.type, what.asked_id);
  if (told) co_return std::move(*told);
  get_full_repo_name_options of;
  of.token = what.token;
  auto naming = full_name(shared, what.asked_id, std::move(of));
  repo_url made;
  made.repo_id = co_await std::move(naming);
  made.url = hub::routes::repo_page(shared->endpoint, what.type, made.repo_id);
  made.type = what.type;
  co_return made;
}

/// The repository, where a token that may not make it can read it: then `exist_ok` is met
/// (hub-protocol, section 6.1).
awaitable<std::optional<repo_url>> readable(context_ptr shared, creation what) {
  std::optional<repo_url> found;
  repo_info_options of;
  of.type = what.type;
  of.token = what.token;
  try {
    const auto info = co_await transfer::fetch_repo_info(shared, what.asked_id, std::move(of));
    found.emplace();
    found->repo_id = info.id;
    found->url = hub::routes::repo_page(shared->endpoint, what.type, info.id);
    found->type = what.type;
  } catch (const error&) {
    found.reset();
  }
  co_return found;
}

awaitable<repo_url> make(context_ptr shared, creation what) {
  constexpr std::uint64_t answer_limit = 1u << 20;
  for (std::size_t attempt = 1;; ++attempt) {
    auto asking = hub_request(*shared, http::method::post, what.url, shared->token_for(what.token),
                              what.body);
    asking.idempotent = what.exist_ok;  // the second time it is there
    auto answer = co_await transfer::send(shared, std::move(asking), what.doing);
    const int status = answer.status();
    const auto text = co_await answer.read_all(answer_limit);
    if (status / 100 == 2) {
      auto made = hub::read_repo_url(text, what.type, what.asked_id);
      if (!made) throw error(made.error(), what.doing);
      co_return std::move(*made);
    }
    if (status == 409 && text.find(busy) != text.npos) {
      const bool again = co_await transfer::wait_before_next(shared->retries, attempt);
      if (again) continue;
    } else if (status == 409 && what.exist_ok) {
      co_return co_await existing(shared, text, what);
    }
    if (what.exist_ok && (status == 401 || status == 402 || status == 403)) {
      auto there = co_await readable(shared, what);
      if (there) co_return std::move(*there);
    }
    throw transfer::error_of(answer.head(), text, what.doing);
  }
}

/// What the Hub offers; one of another make offers nothing.
awaitable<std::vector<hub::space_template>> offered_templates(
    context_ptr shared, std::optional<std::string> own_token) {
  const std::string doing = "asking for the templates of spaces";
  auto what =
      hub_request(*shared, http::method::get, hub::routes::space_templates(shared->endpoint),
                  shared->token_for(own_token));
  std::string text;
  try {
    text = co_await transfer::call_for_text(shared, std::move(what), doing);
  } catch (const error& e) {
    if (e.http().status != 404) throw;
    co_return std::vector<hub::space_template>();
  }
  auto templates = hub::read_space_templates(text);
  if (!templates) throw error(templates.error(), doing);
  co_return std::move(*templates);
}

/// Completes what is told of a space by what its template is: its id, its sdk, and that others of
/// the kind are private (Python's create_repo). One that is not offered may be meant all the same,
/// where nothing is missing.
awaitable<create_repo_options> follow_template(context_ptr shared, create_repo_options options,
                                               std::string doing) {
  const auto templates = co_await offered_templates(std::move(shared), options.token);
  const auto* const found = hub::find_space_template(templates, options.space_template);
  if (found != nullptr) {
    options.space_template = found->repo_id;
    if (options.space_sdk.empty()) options.space_sdk = found->sdk;
    if (found->preferred_private && !options.is_private && options.visibility.empty())
      options.visibility = "private";
  } else if (options.space_sdk.empty() || options.space_template.find('/') == std::string::npos) {
    std::string names;
    for (const auto& one : templates) names += (names.empty() ? "" : ", ") + one.name;
    throw error(errc::invalid_argument,
                doing + ": there is no template " + options.space_template +
                    (names.empty() ? " on this Hub" : "; there are " + names));
  }
  co_return options;
}

}  // namespace

std::string asked_visibility(const std::optional<bool>& is_private, const std::string& visibility,
                             repo_type type, const std::string& doing) {
  if (is_private && !visibility.empty())
    throw error(errc::invalid_argument, doing + ": is_private and visibility exclude each other");
  if (visibility == "protected" && type != repo_type::space)
    throw error(errc::invalid_argument, doing + ": only spaces can be protected");
  if (!is_private) return visibility;
  return *is_private ? "private" : "public";
}

awaitable<std::string> full_name(context_ptr shared, std::string name,
                                 get_full_repo_name_options options) {
  if (!options.organization.empty()) co_return options.organization + '/' + name;
  if (name.find('/') != name.npos) co_return name;
  whoami_options of;
  of.token = std::move(options.token);
  const auto user = co_await whoami(std::move(shared), std::move(of));
  co_return user.name + '/' + name;
}

awaitable<repo_url> create(context_ptr shared, std::string repo_id, create_repo_options options) {
  require_repo_id(repo_id);
  creation what;
  what.doing = "creating the repository " + repo_id;
  if (options.type == repo_type::space && !options.space_template.empty()) {
    options = co_await follow_template(shared, std::move(options), what.doing);
  }
  if (options.type == repo_type::space && options.space_sdk.empty())
    throw error(errc::invalid_argument, "creating the space " + repo_id +
                                            " needs an sdk: gradio, streamlit, docker or static");
  const auto visibility =
      asked_visibility(options.is_private, options.visibility, options.type, what.doing);
  auto body = named_in_body(repo_id, options.type);
  if (!visibility.empty()) body["visibility"] = visibility;
  if (options.type == repo_type::space) {
    body["sdk"] = options.space_sdk;
    if (!options.space_template.empty()) body["template"] = options.space_template;
  }
  add_space_members(body, options);
  if (!options.resource_group_id.empty()) body["resourceGroupId"] = options.resource_group_id;
  if (!options.region.empty()) body["region"] = options.region;
  what.url = hub::routes::create_repo(shared->endpoint);
  what.body = boost::json::serialize(body);
  what.type = options.type;
  what.asked_id = std::move(repo_id);
  what.exist_ok = options.exist_ok;
  what.token = std::move(options.token);
  co_return co_await make(std::move(shared), std::move(what));
}

awaitable<repo_url> duplicate(context_ptr shared, std::string from_id, std::string to_id,
                              duplicate_repo_options options) {
  require_repo_id(from_id);
  if (to_id.empty()) to_id = from_id.substr(from_id.find('/') + 1);
  require_repo_id(to_id);
  creation what;
  what.doing = "duplicating the repository " + from_id;
  const auto visibility =
      asked_visibility(options.is_private, options.visibility, options.type, what.doing);
  get_full_repo_name_options of;
  of.token = options.token;
  what.asked_id = co_await full_name(shared, std::move(to_id), std::move(of));
  boost::json::object body;
  body["repository"] = what.asked_id;
  if (!visibility.empty()) body["visibility"] = visibility;
  add_space_members(body, options);
  what.url = hub::routes::duplicate_repo(shared->endpoint, options.type, from_id);
  what.body = boost::json::serialize(body);
  what.type = options.type;
  what.exist_ok = options.exist_ok;
  what.token = std::move(options.token);
  co_return co_await make(std::move(shared), std::move(what));
}

}  // namespace cohub::repository
