#include "hub/ref_replies.hpp"

#include "cohub/error.hpp"

#include "hub/json_reader.hpp"
#include "hub/repo_id.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include <utility>

namespace cohub::hub {

namespace {

std::vector<git_ref_info> read_group(const boost::json::object& body, std::string_view key) {
  std::vector<git_ref_info> refs;
  const auto* const group = body.if_contains(key);
  if (group == nullptr || !group->is_array()) return refs;
  for (const auto& item : group->get_array()) {
    if (!item.is_object()) continue;
    git_ref_info ref;
    ref.name = text_or(item.get_object(), "name");
    ref.ref = text_or(item.get_object(), "ref");
    ref.target_commit = text_or(item.get_object(), "targetCommit");
    refs.push_back(std::move(ref));
  }
  return refs;
}

git_commit_info read_commit(const boost::json::object& object) {
  git_commit_info commit;
  commit.commit_id = text_or(object, "id");
  commit.title = text_or(object, "title");
  commit.message = text_or(object, "message");
  commit.created_at = text_or(object, "date");
  if (const auto* const formatted = object.if_contains("formatted");
      formatted && formatted->is_object()) {
    commit.formatted_title = text_or(formatted->get_object(), "title");
    commit.formatted_message = text_or(formatted->get_object(), "message");
  }
  if (const auto* const authors = object.if_contains("authors"); authors && authors->is_array())
    for (const auto& author : authors->get_array())
      if (author.is_object()) commit.authors.push_back(text_or(author.get_object(), "user"));
  return commit;
}

}  // namespace

boost::system::result<git_refs> read_refs(std::string_view body) {
  const auto value = parse_json(body);
  if (!value) return value.error();
  const auto* const object = value->if_object();
  if (object == nullptr) return make_error_code(errc::invalid_response);
  git_refs refs;
  refs.branches = read_group(*object, "branches");
  refs.converts = read_group(*object, "converts");
  refs.tags = read_group(*object, "tags");
  refs.pull_requests = read_group(*object, "pullRequests");
  return refs;
}

boost::system::result<std::vector<git_commit_info>> read_commits(std::string_view body) {
  const auto value = parse_json(body);
  if (!value) return value.error();
  if (!value->is_array()) return make_error_code(errc::invalid_response);
  std::vector<git_commit_info> commits;
  for (const auto& item : value->get_array()) {
    if (!item.is_object()) return make_error_code(errc::invalid_response);
    commits.push_back(read_commit(item.get_object()));
    if (!is_commit_id(commits.back().commit_id)) return make_error_code(errc::invalid_response);
  }
  return commits;
}

}  // namespace cohub::hub
