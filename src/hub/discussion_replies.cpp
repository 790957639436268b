#include "hub/discussion_replies.hpp"

#include "cohub/error.hpp"

#include "hub/json_reader.hpp"
#include "hub/repo_id.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

namespace cohub::hub {

namespace json = boost::json;

namespace {

std::string author_of(const json::object& object) {
  const auto* author = object_at(object, "author");
  return author != nullptr ? text_or(*author, "name", "deleted") : "deleted";
}

void fill(const json::object& object, discussion& what) {
  what.num = number_or(object, "num");
  what.title = text_or(object, "title");
  what.author = author_of(object);
  what.status = text_or(object, "status");
  what.created_at = text_or(object, "createdAt");
  what.is_pull_request = flag_or(object, "isPullRequest");
  if (const auto* repo = object_at(object, "repo")) {
    what.repo_id = text_or(*repo, "name");
    what.type = parse_singular(text_or(*repo, "type")).value_or(repo_type::model);
  }
}

discussion_event event_of(const json::object& object) {
  discussion_event event;
  event.id = text_or(object, "id");
  event.type = text_or(object, "type");
  event.author = author_of(object);
  event.created_at = text_or(object, "createdAt");
  const auto* data = object_at(object, "data");
  if (data == nullptr) return event;
  if (const auto* latest = object_at(*data, "latest")) event.content = text_or(*latest, "raw");
  event.edited = flag_or(*data, "edited");
  event.hidden = flag_or(*data, "hidden");
  event.new_status = text_or(*data, "status");
  event.old_title = text_or(*data, "from");
  event.new_title = text_or(*data, "to");
  event.summary = text_or(*data, "subject");
  event.oid = text_or(*data, "oid");
  return event;
}

boost::system::result<json::value> parse_object(std::string_view body) {
  auto value = parse_json(body);
  if (value && !value->is_object()) return make_error_code(errc::invalid_response);
  return value;
}

}  // namespace

boost::system::result<discussions_page> read_discussions(std::string_view body) {
  const auto value = parse_object(body);
  if (!value) return value.error();
  const auto& object = value->get_object();
  const auto* list = object.if_contains("discussions");
  if (list == nullptr || !list->is_array()) return make_error_code(errc::invalid_response);
  discussions_page page;
  page.count = number_or(object, "count");
  page.start = number_or(object, "start");
  for (const auto& item : list->get_array()) {
    if (!item.is_object()) return make_error_code(errc::invalid_response);
    fill(item.get_object(), page.discussions.emplace_back());
  }
  return page;
}

boost::system::result<discussion_with_details> read_discussion(std::string_view body) {
  const auto value = parse_object(body);
  if (!value) return value.error();
  const auto& object = value->get_object();
  discussion_with_details what;
  fill(object, what);
  if (what.num == 0) return make_error_code(errc::invalid_response);
  if (const auto* events = object.if_contains("events"); events != nullptr && events->is_array())
    for (const auto& item : events->get_array())
      if (item.is_object()) what.events.push_back(event_of(item.get_object()));
  if (const auto* changes = object_at(object, "changes")) {
    what.target_branch = text_or(*changes, "base");
    what.merge_commit_oid = text_or(*changes, "mergeCommitId");
  }
  const auto* files = object.if_contains("filesWithConflicts");
  if (files != nullptr && files->is_array())
    for (const auto& file : files->get_array())
      if (file.is_string()) what.conflicting_files.emplace_back(file.get_string());
  what.diff = text_or(object, "diff");
  return what;
}

boost::system::result<std::uint64_t> read_discussion_number(std::string_view body) {
  const auto value = parse_object(body);
  if (!value) return value.error();
  const auto number = number_or(value->get_object(), "num");
  if (number == 0) return make_error_code(errc::invalid_response);
  return number;
}

boost::system::result<discussion_event> read_event(std::string_view body, std::string_view key) {
  const auto value = parse_object(body);
  if (!value) return value.error();
  const auto* event = object_at(value->get_object(), key);
  if (event == nullptr) return make_error_code(errc::invalid_response);
  return event_of(*event);
}

}  // namespace cohub::hub
