#include "cohub/hf_uri.hpp"

#include "cohub/error.hpp"

#include "core/ascii.hpp"
#include "core/environment.hpp"
#include "core/url.hpp"
#include "hub/repo_id.hpp"

#include <algorithm>
#include <array>

namespace cohub {

namespace {

constexpr std::string_view scheme = "hf://";

[[noreturn]] void refuse(std::string_view text, const std::string& why) {
  // The query of a web address may hold a secret.
  throw error(errc::invalid_url,
              "reading \"" + std::string(text.substr(0, text.find('?'))) + "\": " + why);
}

std::string_view take_segment(std::string_view& rest) {
  const auto end = std::min(rest.find('/'), rest.size());
  const auto segment = rest.substr(0, end);
  rest.remove_prefix(std::min(end + 1, rest.size()));
  return segment;
}

/// Type and id from the front of `rest`, which keeps what follows.
hf_uri take_repository(std::string_view text, std::string_view& rest) {
  hf_uri found;
  const auto first = rest.substr(0, rest.find('/'));
  if (first == "buckets" || first == "bucket") {
    if (rest.find('@') != rest.npos) refuse(text, "a bucket has no revisions");
    refuse(text, "a bucket is no repository");
  }
  if (hub::parse_singular(first))
    refuse(text, "the kind of repository is written as plural: " + std::string(first) + "s/");
  if (const auto type = hub::parse_plural(first)) {
    found.type = *type;
    take_segment(rest);
  }
  found.id = take_segment(rest);
  // A revision ends the id; what follows it is the caller's affair.
  const auto slash = std::min(rest.find('/'), rest.size());
  const auto end = std::min(rest.find('@'), slash);
  found.id += '/' + std::string(rest.substr(0, end));
  rest.remove_prefix(end < slash ? end : std::min(slash + 1, rest.size()));
  if (found.id.find('@') != found.id.npos || !hub::check_repo_id(found.id))
    refuse(text, "a repository is named by owner/name");
  return found;
}

bool is_word(char c) { return core::is_alphanumeric(c) || c == '_'; }

/// Length of `refs/pr/N` or `refs/convert/name` at the front; 0 if there is none.
std::size_t length_of_special_ref(std::string_view rest) {
  constexpr std::string_view request = "refs/pr/";
  constexpr std::string_view converted = "refs/convert/";
  const bool is_request = rest.starts_with(request);
  if (!is_request && !rest.starts_with(converted)) return 0;
  const auto begin = is_request ? request.size() : converted.size();
  auto end = begin;
  while (end < rest.size() &&
         (is_request ? rest[end] >= '0' && rest[end] <= '9'
                     : is_word(rest[end]) || rest[end] == '.' || rest[end] == '-'))
    ++end;
  return end > begin ? end : 0;
}

std::string take_revision(std::string_view text, std::string_view& rest) {
  std::string revision;
  if (const auto length = length_of_special_ref(rest);
      length > 0 && (length == rest.size() || rest[length] == '/')) {
    revision = rest.substr(0, length);
    rest.remove_prefix(std::min(length + 1, rest.size()));
  } else {
    revision = core::percent_decode(take_segment(rest));
  }
  if (revision.empty()) refuse(text, "the revision is empty");
  return revision;
}

void check_segments(std::string_view text, std::string_view path) {
  if (path.starts_with('/') || path.find("//") != path.npos)
    refuse(text, "a part of the path is empty");
}

hf_uri parse_own(std::string_view text) {
  auto rest = text.substr(scheme.size());
  const bool is_folder = rest.ends_with('/');
  while (rest.ends_with('/')) rest.remove_suffix(1);
  auto found = take_repository(text, rest);
  if (rest.starts_with('@')) {
    rest.remove_prefix(1);
    found.revision = take_revision(text, rest);
  }
  check_segments(text, rest);
  found.path_in_repo = rest;
  found.is_folder = is_folder && !rest.empty();
  return found;
}

/// What follows the host (and the path of the endpoint) in a web address; nothing if the address is
/// that of another host.
std::optional<std::string_view> path_of_web_address(std::string_view text,
                                                    std::string_view endpoint) {
  auto rest = text;
  for (const std::string_view web : {"https://", "http://"}) {
    if (rest.starts_with(web)) rest.remove_prefix(web.size());
    if (endpoint.starts_with(web)) endpoint.remove_prefix(web.size());
  }
  while (endpoint.ends_with('/')) endpoint.remove_suffix(1);
  for (const std::string_view host : {std::string_view("huggingface.co"), std::string_view("hf.co"),
                                      std::string_view("hub-ci.huggingface.co"), endpoint}) {
    if (host.empty() || !rest.starts_with(host)) continue;
    const auto path = rest.substr(host.size());
    if (path.empty() || path.front() == '/')
      return path.substr(std::min<std::size_t>(1, path.size()));
  }
  return {};
}

hf_uri parse_web(std::string_view text, std::string_view path) {
  auto rest = path.substr(0, path.find_first_of("?#"));
  while (rest.ends_with('/')) rest.remove_suffix(1);
  auto found = take_repository(text, rest);
  if (rest.empty()) return found;
  const auto action = take_segment(rest);
  constexpr std::array<std::string_view, 4> actions{"blob", "resolve", "raw", "tree"};
  if (std::find(actions.begin(), actions.end(), action) == actions.end())
    refuse(text, "\"" + std::string(action) + "\" is none of blob, resolve, raw and tree");
  found.revision = take_revision(text, rest);
  check_segments(text, rest);
  found.path_in_repo = core::percent_decode(rest);
  found.is_folder = action == "tree" && !rest.empty();
  return found;
}

}  // namespace

hf_uri parse_hf_uri(std::string_view text, std::string_view endpoint) {
  if (text.starts_with(scheme)) return parse_own(text);
  const auto known = endpoint.empty() ? core::hub_endpoint() : std::string(endpoint);
  const auto path = path_of_web_address(text, known);
  if (!path) refuse(text, "it is no address of a Hub that is known here");
  return parse_web(text, *path);
}

bool is_hf_uri(std::string_view text, std::string_view endpoint) {
  if (text.starts_with(scheme) || text.starts_with("https://") || text.starts_with("http://"))
    return true;
  const auto known = endpoint.empty() ? core::hub_endpoint() : std::string(endpoint);
  const auto path = path_of_web_address(text, known);
  return path && !path->empty();
}

}  // namespace cohub
