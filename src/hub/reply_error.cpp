#include "hub/reply_error.hpp"

#include "core/byte_range.hpp"
#include "core/secrets.hpp"
#include "core/url.hpp"
#include "hub/api_url.hpp"
#include "hub/json_reader.hpp"
#include "hub/rate_limit.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

namespace cohub::hub {

namespace json = boost::json;

namespace {

constexpr std::size_t message_limit = 2000;

void add_message(std::vector<std::string>& messages, std::string text) {
  while (!text.empty() && static_cast<unsigned char>(text.back()) <= ' ') text.pop_back();
  if (text.empty() || std::find(messages.begin(), messages.end(), text) != messages.end()) return;
  messages.push_back(std::move(text));
}

void add_json_messages(std::vector<std::string>& messages, const json::object& body) {
  if (const auto* member = body.if_contains("error"); member != nullptr) {
    if (member->is_string()) add_message(messages, std::string(member->get_string()));
    if (member->is_array())
      for (const auto& item : member->get_array())
        if (item.is_string()) add_message(messages, std::string(item.get_string()));
  }
  if (const auto* member = body.if_contains("errors"); member != nullptr && member->is_array())
    for (const auto& item : member->get_array())
      if (item.is_object()) add_message(messages, text_or(item.get_object(), "message"));
  add_message(messages, text_or(body, "error_description"));
  // S3-like stores and LFS servers say it so.
  add_message(messages, text_or(body, "message"));
}

bool is_html(const failed_reply& reply) {
  const auto type = reply.header("Content-Type");
  return type.find("html") != type.npos || reply.body.starts_with("<!DOCTYPE") ||
         reply.body.starts_with("<html");
}

/// Without query and fragment.
std::string_view path_of(std::string_view url) { return url.substr(0, url.find_first_of("?#")); }

/// Whether a url is one where the public Hub says 401 for a repository that is not there.
bool hides_repositories(std::string_view url) {
  if (!url.starts_with("https://")) return false;
  url.remove_prefix(8);
  const auto slash = url.find('/');
  if (slash == url.npos || slash == 0) return false;
  const auto path = url.substr(slash, url.find('?', slash) - slash);
  for (const std::string_view prefix : {"/api/models/", "/api/datasets/", "/api/spaces/"})
    if (path.size() > prefix.size() && path.starts_with(prefix)) return true;
  const auto resolve = path.find("/resolve/");
  return resolve != path.npos && resolve > 1 && path.size() > resolve + 9;
}

const char* advice(errc code, std::string_view url) {
  switch (code) {
    case errc::repository_not_found:
      return " (check the id and the type; a private repository needs a token that may see it: "
             "HF_TOKEN)";
    case errc::gated_repository:
      return " (ask for access on the repository's page, then use your token: HF_TOKEN)";
    case errc::unauthorized:
      return " (a valid token is needed: HF_TOKEN, or cohub auth login)";
    case errc::forbidden:
      // Storage refuses signed addresses, whatever the token.
      return path_of(url).find("/api/") == url.npos
                 ? ""
                 : " (a token with the rights for that is needed: HF_TOKEN)";
    case errc::commit_conflict:
      return " (read the new head and commit again)";
    default:
      return "";
  }
}

void add_sentence(std::string& text, const std::string& sentence) {
  if (sentence.empty()) return;
  if (!text.empty()) text += "; ";
  text += sentence;
}

std::string about_range(const failed_reply& reply) {
  if (reply.status != 416) return {};
  std::string text;
  if (!reply.asked_range.empty()) text = "asked for " + reply.asked_range.substr(0, 100);
  if (const auto given = reply.header("Content-Range"); !given.empty())
    add_sentence(text, "the file has " + std::string(given.substr(0, 100)));
  return text;
}

/// Which limit was hit, and for how long.
std::string about_limit(const failed_reply& reply) {
  if (reply.status != 429) return {};
  const auto limit = parse_rate_limit(reply.header("ratelimit"), reply.header("ratelimit-policy"));
  if (!limit || limit->left > 0) return {};
  std::string text = "the limit of \"" + limit->bucket + "\" is used up for " +
                     std::to_string(limit->seconds) + " s";
  if (limit->quota && limit->window)
    text += " (0/" + std::to_string(*limit->quota) + " requests left in " +
            std::to_string(*limit->window) + " s)";
  return text;
}

/// What is left of a limit's window, else `Retry-After` (hub-protocol, section 9.4).
std::optional<std::chrono::seconds> asked_wait(const failed_reply& reply) {
  constexpr std::uint64_t longest = 10ull * 365 * 24 * 3600;
  auto seconds = core::parse_decimal(reply.header("Retry-After"));
  if (reply.status == 429)
    if (const auto limit = parse_rate_limit(reply.header("ratelimit"), {});
        limit && limit->left == 0)
      seconds = limit->seconds;
  if (!seconds) return {};
  return std::chrono::seconds(std::min(*seconds, longest));
}

http_context context_of(const failed_reply& reply) {
  http_context context;
  context.status = reply.status;
  context.url = reply.url.substr(0, reply.url.find('?'));
  for (const char* name : {"X-Request-Id", "X-Amzn-Trace-Id", "x-amz-cf-id"}) {
    if (context.request_id.empty())
      context.request_id = core::conceal_secrets(std::string(reply.header(name).substr(0, 200)));
  }
  context.server_message = server_message(reply);
  context.error_code =
      core::conceal_secrets(std::string(reply.header("X-Error-Code").substr(0, 100)));
  context.retry_after = asked_wait(reply);
  if (auto repository = repository_of_api_url(reply.url)) {
    context.repo_id = std::move(repository->id);
    context.repo_type = std::move(repository->type);
  }
  add_sentence(context.server_message, about_range(reply));
  add_sentence(context.server_message, about_limit(reply));
  return context;
}

}  // namespace

errc classify(const failed_reply& reply) {
  const auto code = reply.header("X-Error-Code");
  const auto message = reply.header("X-Error-Message");
  if (code == "RevisionNotFound") return errc::revision_not_found;
  if (code == "EntryNotFound") return errc::entry_not_found;
  if (code == "GatedRepo") return errc::gated_repository;
  if (message == "Access to this resource is disabled.") return errc::disabled_repository;
  const auto path = path_of(reply.url);
  if (code == "RepoNotFound" && path.find("/api/buckets/") != path.npos)
    return errc::bucket_not_found;
  if (reply.status == 404 &&
      (path.find("/api/jobs/") != path.npos || path.find("/api/scheduled-jobs/") != path.npos))
    return errc::job_not_found;
  if (code == "RepoNotFound") return errc::repository_not_found;
  if (reply.status == 401 && message != "Invalid credentials in Authorization header" &&
      hides_repositories(reply.url))
    return errc::repository_not_found;
  switch (reply.status) {
    case 400:
    case 422:
      return errc::bad_request;
    case 401:
      return errc::unauthorized;
    case 403:
      return errc::forbidden;
    case 409:
      return errc::conflict;
    case 412:
      return errc::commit_conflict;
    case 429:
      return errc::rate_limited;
    default:
      break;
  }
  return reply.status >= 500 ? errc::server_failure : errc::unexpected_status;
}

std::string server_message(const failed_reply& reply) {
  std::vector<std::string> messages;
  add_message(messages, std::string(reply.header("X-Error-Message")));
  const auto body = parse_json(reply.body);
  if (body && body->is_object())
    add_json_messages(messages, body->get_object());
  else if (!body && !is_html(reply) && !reply.body.starts_with('<'))
    add_message(messages, reply.body);
  std::string text;
  for (const auto& message : messages) {
    if (!text.empty()) text += '\n';
    text += message;
  }
  text = core::conceal_secrets(std::move(text));
  if (text.size() > message_limit) text.resize(message_limit);
  std::replace_if(
      text.begin(), text.end(),
      [](char c) { return (static_cast<unsigned char>(c) < 0x20 && c != '\n') || c == 0x7f; }, ' ');
  return text;
}

error make_error(const failed_reply& reply, const std::string& doing) {
  const auto code = classify(reply);
  return {code, doing + advice(code, reply.url), context_of(reply)};
}

}  // namespace cohub::hub
