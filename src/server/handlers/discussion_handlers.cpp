#include "core/byte_range.hpp"
#include "core/url.hpp"
#include "hub/json_reader.hpp"
#include "hub/repo_id.hpp"
#include "hub/utf8.hpp"
#include "server/error_reply.hpp"
#include "server/failure.hpp"
#include "server/git/git_diff.hpp"
#include "server/git/git_repository.hpp"
#include "server/handlers/commit_request.hpp"
#include "server/handlers/discussions.hpp"
#include "server/handlers/handlers.hpp"
#include "server/handlers/permissions.hpp"
#include "server/handlers/request_json.hpp"
#include "server/handlers/target.hpp"

#include <algorithm>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

namespace cohub::server {

namespace {

constexpr std::size_t discussions_a_page = 50;
constexpr std::size_t shortest_title = 3;
constexpr std::size_t longest_discussion = 16u << 20;
constexpr std::size_t largest_diff = 16u << 20;

boost::json::object author_json(const std::string& name) {
  boost::json::object author;
  author["name"] = name;
  author["fullname"] = name;
  author["type"] = "user";
  return author;
}

/// What a comment says now.
comment_version latest_version(const discussion_event& comment) {
  comment_version latest;
  latest.author = comment.edited_by.empty() ? comment.author : comment.edited_by;
  latest.text = comment.text;
  latest.written_at = comment.updated_at.empty() ? comment.created_at : comment.updated_at;
  return latest;
}

boost::json::object version_json(const comment_version& version, bool hidden) {
  boost::json::object json;
  json["raw"] = hidden ? std::string() : version.text;
  json["html"] = hidden ? std::string() : version.text;
  json["updatedAt"] = version.written_at;
  json["author"] = author_json(version.author);
  return json;
}

/// Clients count the edits by the versions that they have replaced.
boost::json::object comment_json(const discussion_event& comment) {
  boost::json::array history;
  for (const auto& each : comment.versions) history.push_back(version_json(each, comment.hidden));
  boost::json::object data;
  data["edited"] = comment.edited;
  data["hidden"] = comment.hidden;
  data["latest"] = version_json(latest_version(comment), comment.hidden);
  data["history"] = std::move(history);
  data["numEdits"] = comment.versions.size();
  return data;
}

boost::json::object event_json(const discussion_event& event) {
  boost::json::object data;
  if (event.type == "comment") {
    data = comment_json(event);
  } else if (event.type == "status-change") {
    data["status"] = event.text;
  } else if (event.type == "title-change") {
    data["from"] = event.subject;
    data["to"] = event.text;
  } else {
    data["subject"] = event.text;
    data["oid"] = event.subject;
  }
  boost::json::object json;
  json["id"] = event.id;
  json["type"] = event.type;
  json["createdAt"] = event.created_at;
  json["author"] = author_json(event.author);
  json["data"] = std::move(data);
  return json;
}

boost::json::object discussion_json(const repo_record& record, const discussion& what) {
  boost::json::object repo;
  repo["name"] = record.id;
  repo["type"] = hub::singular(record.type);
  boost::json::object json;
  json["num"] = what.number;
  json["title"] = what.title;
  json["author"] = author_json(what.author);
  json["createdAt"] = what.created_at;
  json["status"] = what.status;
  json["isPullRequest"] = what.is_pull_request();
  json["repo"] = std::move(repo);
  json["numComments"] =
      std::count_if(what.events.begin(), what.events.end(),
                    [](const discussion_event& event) { return event.type == "comment"; });
  return json;
}

/// The commits that a pull request is compared by: its base before it was merged, and its head.
struct proposal {
  std::string base{};
  std::string head{};
};

std::optional<proposal> proposal_of(const git_repository& repository, const discussion& what) {
  const auto head = repository.ref_target("refs/pr/" + std::to_string(what.number));
  auto base = repository.ref_target(what.base);
  if (!what.merge_commit.empty()) base = repository.first_parent(what.merge_commit);
  if (!head || !base) return std::nullopt;
  return proposal{*base, *head};
}

/// What a pull request changes, and what keeps it from being merged.
void add_changes(boost::json::object& json, const std::filesystem::path& path,
                 const discussion& what, bool with_diff) {
  const git_repository repository(path);
  const auto between = proposal_of(repository, what);
  boost::json::array conflicts;
  const bool undecided = what.status == "open" || what.status == "draft";
  if (between && undecided)
    for (const auto& file : conflicting_files(path, between->base, between->head))
      conflicts.emplace_back(hub::as_utf8(file));
  json["filesWithConflicts"] = std::move(conflicts);
  if (!between || !with_diff) return;
  const auto since = merge_base(path, between->base, between->head).value_or(between->base);
  if (const auto diff = write_diff(path, since, between->head, diff_format::patch, largest_diff))
    json["diff"] = hub::as_utf8(*diff);  // lines of files may be in any encoding
}

/// Whether the caller may have what the repository holds, and not only know of it.
bool may_read_contents(hub_store& store, const call& what) {
  try {
    require_content(store, what);
    return true;
  } catch (const failure&) {
    return false;
  }
}

boost::json::object details_json(const repo_record& record, const discussion& what) {
  auto json = discussion_json(record, what);
  boost::json::array events;
  for (const auto& event : what.events) events.push_back(event_json(event));
  json["events"] = std::move(events);
  if (!what.is_pull_request()) return json;
  boost::json::object changes;
  changes["base"] = what.base;
  if (!what.merge_commit.empty()) changes["mergeCommitId"] = what.merge_commit;
  json["changes"] = std::move(changes);
  return json;
}

std::string trimmed(const std::string& text) {
  const auto begin = text.find_first_not_of(" \t\r\n");
  if (begin == text.npos) return {};
  return text.substr(begin, text.find_last_not_of(" \t\r\n") - begin + 1);
}

std::string require_title(const boost::json::object& body) {
  auto title = trimmed(hub::text_or(body, "title"));
  const auto length = count_characters(title);
  if (length < shortest_title || length > longest_title)
    throw bad_request("A title has 3 to 200 characters");
  if (title.find('\0') != title.npos) throw bad_request("The title has a NUL in it");
  return title;
}

std::string require_comment(const boost::json::object& body, std::string_view key) {
  auto comment = hub::text_or(body, key);
  if (trimmed(comment).empty()) throw bad_request("A comment has some text");
  if (comment.size() > longest_comment) throw bad_request("The comment is too long");
  return comment;
}

std::vector<std::string> words_of(const std::string& path) {
  std::vector<std::string> words(1);
  for (const char c : path) {
    if (c == '/')
      words.emplace_back();
    else
      words.back() += c;
  }
  return words;
}

/// What one call does to one discussion.
struct change {
  hub_store& store;
  const call& what;
  const access& have;
  discussion& on;
  git_repository& repository;
  boost::json::object body;

  bool owns() const { return have.who->owns(have.repo.owner()); }
  void require_author_or_owner(const std::string& author) const {
    if (have.who->name != author && !owns())
      throw failure(403, {}, "Only the author and the owner of the repository may do this");
  }
  const discussion_event& add(discussion_event event) const {
    on.events.push_back(std::move(event));
    return on.events.back();
  }
  /// What the body wants said. @throws failure  422: too much has been said
  std::string require_text(std::string_view key) const {
    auto text = require_comment(body, key);
    std::size_t size = text.size();
    for (const auto& each : on.events) {
      size += each.text.size();
      for (const auto& version : each.versions) size += version.text.size();
    }
    if (size > longest_discussion) throw unprocessable("The discussion is too long");
    return text;
  }
  /// The comment that may come along with another change.
  std::optional<discussion_event> remark() const {
    if (hub::text_or(body, "comment").empty()) return std::nullopt;
    return new_event("comment", have.who->name, require_text("comment"));
  }
};

boost::json::object add_comment(const change& to) {
  boost::json::object answer;
  answer["newMessage"] =
      event_json(to.add(new_event("comment", to.have.who->name, to.require_text("comment"))));
  return answer;
}

boost::json::object change_title(const change& to) {
  to.require_author_or_owner(to.on.author);
  auto title = require_title(to.body);
  auto event = new_event("title-change", to.have.who->name, title, to.on.title);
  to.on.title = std::move(title);
  boost::json::object answer;
  answer["newTitle"] = event_json(to.add(std::move(event)));
  return answer;
}

boost::json::object change_status(const change& to) {
  to.require_author_or_owner(to.on.author);
  const auto status = hub::text_or(to.body, "status");
  if (status != "open" && status != "closed") throw bad_request("The status is open or closed");
  if (to.on.status == "merged") throw bad_request("A merged pull request stays so");
  if (to.on.status == status) throw bad_request("The status is " + status + " already");
  if (auto remark = to.remark()) to.add(std::move(*remark));
  to.on.status = status;
  boost::json::object answer;
  answer["newStatus"] = event_json(to.add(new_event("status-change", to.have.who->name, status)));
  return answer;
}

boost::json::object merge(const change& to) {
  if (!to.owns()) throw failure(403, {}, "Only who may write to the repository merges");
  if (!to.on.is_pull_request()) throw bad_request("A discussion cannot be merged");
  if (to.on.status != "open" && to.on.status != "draft")
    throw bad_request("The pull request is " + to.on.status);
  auto remark = to.remark();
  const auto head = to.repository.ref_target(to.on.base);
  const auto theirs = to.repository.ref_target("refs/pr/" + std::to_string(to.on.number));
  if (!head || !theirs) throw invalid_revision(to.on.base);
  const auto message = to.on.title + " (#" + std::to_string(to.on.number) + ")";
  const auto made = to.repository.write_merge(*head, *theirs, message, to.have.who->name);
  if (!made) throw failure(409, {}, "The pull request conflicts with its base");
  to.repository.set_ref(to.on.base, *made, to.store.temporary);
  if (remark) to.add(std::move(*remark));
  to.on.status = "merged";
  to.on.merge_commit = *made;
  boost::json::object answer;
  answer["newStatus"] = event_json(to.add(new_event("status-change", to.have.who->name, "merged")));
  return answer;
}

boost::json::object change_comment(const change& to, const std::string& id, bool hide) {
  const auto event = std::find_if(
      to.on.events.begin(), to.on.events.end(),
      [&](const discussion_event& each) { return each.id == id && each.type == "comment"; });
  if (event == to.on.events.end()) throw not_found("Comment not found");
  to.require_author_or_owner(event->author);
  if (event->hidden) throw bad_request("The comment is hidden");
  if (hide) {
    event->hidden = true;
  } else {
    auto text = to.require_text("content");
    event->versions.push_back(latest_version(*event));
    event->text = std::move(text);
    event->edited_by = to.have.who->name;
    event->edited = true;
  }
  event->updated_at = timestamp_now();
  boost::json::object answer;
  answer["updatedComment"] = event_json(*event);
  return answer;
}

boost::json::object apply(const change& to, const std::vector<std::string>& words) {
  if (words.size() == 2 && words[1] == "comment") return add_comment(to);
  if (words.size() == 2 && words[1] == "title") return change_title(to);
  if (words.size() == 2 && words[1] == "status") return change_status(to);
  if (words.size() == 2 && words[1] == "merge") return merge(to);
  if (words.size() == 4 && words[1] == "comment" && (words[3] == "edit" || words[3] == "hide"))
    return change_comment(to, words[2], words[3] == "hide");
  throw not_found("Not found");
}

}  // namespace

reply list_discussions(hub_store& store, const call& what) {
  const access have = require_readable(store, what);
  const auto type = core::query_value(what.query, "type");
  const auto status = core::query_value(what.query, "status");
  const auto author = core::query_value(what.query, "author");
  const auto page = core::parse_decimal(core::query_value(what.query, "p")).value_or(0);
  boost::json::array list;
  std::uint64_t count = 0;
  store.discussions_of(what.type, what.id).for_each([&](const discussion& each) {
    if (type == "discussion" && each.is_pull_request()) return;
    if (type == "pull_request" && !each.is_pull_request()) return;
    const bool open = each.status == "open" || each.status == "draft";
    if ((status == "open" && !open) || (status == "closed" && open)) return;
    if (!author.empty() && each.author != author) return;
    if (count / discussions_a_page == page) list.push_back(discussion_json(have.repo, each));
    ++count;
  });
  boost::json::object body;
  body["discussions"] = std::move(list);
  body["count"] = count;
  body["start"] = std::min(page, count) * discussions_a_page;
  return json_reply(body);
}

reply create_discussion(hub_store& store, const call& what) {
  const access have = require_proposable(store, what);
  const auto body = require_object(what.body);
  const auto title = require_title(body);
  const auto description = require_comment(body, "description");
  const auto writer = store.repos.writer(what.type, what.id);
  const std::lock_guard lock(*writer);
  require_same(store, have);
  git_repository repository(store.repos.path_of(what.type, what.id));
  const auto discussions = store.discussions_of(what.type, what.id);
  auto opened = new_discussion(discussions, repository, title, have.who->name);
  opened.events.push_back(new_event("comment", have.who->name, description));
  if (hub::flag_or(body, "pullRequest")) {
    opened.base = "refs/heads/main";
    opened.status = "draft";
    const auto head = repository.ref_target(opened.base);
    if (!head) throw invalid_revision("main");
    repository.set_ref("refs/pr/" + std::to_string(opened.number), *head, store.temporary);
  }
  discussions.save(opened);
  boost::json::object answer = discussion_json(have.repo, opened);
  answer["url"] = what.endpoint + '/' + std::string(hub::url_prefix(what.type)) + have.repo.id +
                  "/discussions/" + std::to_string(opened.number);
  answer["pullRequest"] = opened.is_pull_request();
  return json_reply(answer);
}

reply get_discussion(hub_store& store, const call& what) {
  const access have = require_readable(store, what);
  const auto number = core::parse_decimal(what.path);
  const auto found = number ? store.discussions_of(what.type, what.id).find(*number) : std::nullopt;
  if (!found) throw not_found("Discussion not found");
  auto details = details_json(have.repo, *found);
  if (found->is_pull_request())
    add_changes(details, store.repos.path_of(what.type, what.id), *found,
                query_flag(what.query, "diff") && may_read_contents(store, what));
  return json_reply(details);
}

reply change_discussion(hub_store& store, const call& what) {
  const access have = require_proposable(store, what);
  const auto words = words_of(what.path);
  const auto number = core::parse_decimal(words.front());
  auto body = what.body.empty() ? boost::json::object() : require_object(what.body);
  const auto writer = store.repos.writer(what.type, what.id);
  const std::lock_guard lock(*writer);
  require_same(store, have);
  git_repository repository(store.repos.path_of(what.type, what.id));
  const auto discussions = store.discussions_of(what.type, what.id);
  auto found = number ? discussions.find(*number) : std::nullopt;
  if (!found) throw not_found("Discussion not found");
  const change to{store, what, have, *found, repository, std::move(body)};
  const auto answer = apply(to, words);
  discussions.save(*found);
  return json_reply(answer);
}

reply super_squash(hub_store& store, const call& what) {
  const access have = require_writable(store, what);
  const auto body = require_object(what.body);
  const auto message = hub::text_or(body, "message");
  if (message.empty()) throw bad_request("A commit has a message");
  check_commit_message(message);
  const auto writer = store.repos.writer(what.type, what.id);
  const std::lock_guard lock(*writer);
  git_repository repository(store.repos.path_of(what.type, what.id));
  const bool full = what.revision.starts_with("refs/");
  const std::string branch = full ? what.revision : "refs/heads/" + what.revision;
  const auto head =
      git_repository::is_ref_name(branch) ? repository.ref_target(branch) : std::nullopt;
  const bool tag = branch.starts_with("refs/tags/") ||
                   (!head && repository.ref_target("refs/tags/" + what.revision));
  if (tag) throw bad_request("A tag cannot be squashed");
  if (!head) throw invalid_revision(what.revision);
  const auto made = repository.write_squash(*head, message, have.who->name);
  repository.set_ref(branch, made, store.temporary);
  boost::json::object answer;
  answer["commitOid"] = made;
  return json_reply(answer);
}

}  // namespace cohub::server
