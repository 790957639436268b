#include "core/ascii.hpp"
#include "core/byte_range.hpp"
#include "hub/json_reader.hpp"
#include "hub/preupload.hpp"
#include "hub/repo_id.hpp"
#include "hub/routes.hpp"
#include "hub/utf8.hpp"
#include "server/error_reply.hpp"
#include "server/failure.hpp"
#include "server/git/git_repository.hpp"
#include "server/handlers/commit_request.hpp"
#include "server/handlers/discussions.hpp"
#include "server/handlers/handlers.hpp"
#include "server/handlers/ignore_rules.hpp"
#include "server/handlers/permissions.hpp"
#include "server/handlers/target.hpp"

#include <algorithm>
#include <mutex>
#include <optional>
#include <shared_mutex>
#include <string>
#include <string_view>
#include <type_traits>

namespace cohub::server {

namespace {

constexpr std::uint64_t rules_limit = 4u << 20;
constexpr std::size_t longest_summary = 1024;
constexpr std::string_view pull_prefix = "refs/pr/";

/// The ref that a commit to `revision` moves. @throws failure  404: commits and tags do not move
std::string require_branch(const git_repository& repository, const std::string& revision) {
  const bool full = revision.starts_with("refs/heads/") || revision.starts_with(pull_prefix);
  const std::string name = full ? revision : "refs/heads/" + revision;
  if (!git_repository::is_ref_name(name) || !repository.ref_target(name))
    throw invalid_revision(revision);
  return name;
}

/// The pull request whose head is that ref.
std::optional<discussion> find_pull_request(const hub_store& store, repo_type type,
                                            const std::string& id, std::string_view ref) {
  if (!ref.starts_with(pull_prefix)) return std::nullopt;
  const auto number = core::parse_decimal(ref.substr(pull_prefix.size()));
  return number ? store.discussions_of(type, id).find(*number) : std::nullopt;
}

/// Whether the call may commit there: the owner anywhere, others to pull requests, new or their
/// own.
access require_committer(hub_store& store, const call& what) {
  access have = require_proposable(store, what);
  if (have.who->owns(have.repo.owner()) || query_flag(what.query, "create_pr")) return have;
  const auto opened = find_pull_request(store, what.type, what.id, what.revision);
  if (opened && opened->author == have.who->name) return have;
  return require_writable(store, what);
}

/// Opens a pull request whose head is `commit`. Under the repository's lock.
std::uint64_t open_pull_request(hub_store& store, git_repository& repository, const access& have,
                                const commit_request& request, const std::string& base,
                                const std::string& commit) {
  const auto discussions = store.discussions_of(have.repo.type, have.repo.id);
  auto opened = new_discussion(discussions, repository, shortened(request.summary, longest_title),
                               have.who->name);
  opened.base = base;
  if (!request.description.empty())
    opened.events.push_back(new_event("comment", have.who->name, request.description));
  opened.events.push_back(new_event("commit", have.who->name, request.summary, commit));
  repository.set_ref(std::string(pull_prefix) + std::to_string(opened.number), commit,
                     store.temporary);
  discussions.save(opened);
  return opened.number;
}

/// What stands in every listing of commits, and in the record of a pull request, is short.
void check_message(const commit_request& request) {
  if (request.summary.size() > longest_summary)
    throw unprocessable("The commit's summary is longer than 1 KiB");
  if (request.description.size() > longest_comment)
    throw unprocessable("The commit's description is longer than 64 KiB");
  check_commit_message(request.message());
}

/// Tells the pull request whose branch has got a commit.
void note_commit(hub_store& store, const access& have, const std::string& branch,
                 const std::string& subject, const std::string& commit) {
  auto opened = find_pull_request(store, have.repo.type, have.repo.id, branch);
  if (!opened) return;
  opened->events.push_back(new_event("commit", have.who->name, subject, commit));
  store.discussions_of(have.repo.type, have.repo.id).save(*opened);
}

bool is_stale(const std::string& parent, const std::string& head) {
  return !head.starts_with(core::lower(parent));
}

/// Text ends where the sample does, maybe within a character.
bool is_text(std::string_view sample) {
  constexpr std::size_t longest_character = 4;
  if (sample.find('\0') != sample.npos) return false;
  const auto odd = hub::find_invalid_utf8(sample);
  return !odd || (sample.size() >= hub::sample_size && sample.size() - *odd < longest_character);
}

/// Whether git is not to hold it: the public Hub takes ten times as much of text.
bool is_too_large(const hub_store& store, const hub::preupload_file& file) {
  const auto most = store.config.lfs_threshold;
  return file.size > most || (file.size > most / 10 && !is_text(file.sample));
}

/// Bytes of a file that git holds: a client need not heed what preupload advises, and a little more
/// than that is let pass.
std::size_t file_limit(const hub_store& store) {
  constexpr std::uint64_t at_least = 16u << 20;
  return static_cast<std::size_t>(std::max(store.config.lfs_threshold, at_least));
}

/// A commit whose body arrives: its files become blobs meanwhile.
class arriving_commit final : public body_consumer {
 public:
  arriving_commit(hub_store& store, const call& what)
      : store_(store),
        what_(what),
        have_(require_committer(store, what)),
        repository_(store.repos.path_of(what.type, what.id)),
        branch_(require_branch(repository_, what.revision)),
        sizes_([&store, &what](const std::string& sha256) {
          return store.object_size(what.type, what.id, sha256);
        }),
        reader_(repository_, sizes_, file_limit(store)) {}

  void take(std::string_view piece) override {
    unless_gone([&] { reader_.take(piece); });
  }
  std::size_t memory() const noexcept override { return reader_.memory(); }
  reply finish() override {
    return unless_gone([&] { return write(); });
  }

 private:
  /// Does `work`; where the repository has gone meanwhile, that is what it fails by.
  template <class Work>
  std::invoke_result_t<Work&> unless_gone(Work work) {
    try {
      return work();
    } catch (...) {
      require_same(store_, have_);
      throw;
    }
  }
  reply write();
  std::string parent_of(const commit_request& request, bool opens_pull_request) const;

  hub_store& store_;
  const call& what_;
  const access have_;
  git_repository repository_;
  const std::string branch_;
  const object_sizes sizes_;
  commit_reader reader_;
};

/// The commit that the new one goes on. A pull request may start from any, a branch moves on from
/// its head.
std::string arriving_commit::parent_of(const commit_request& request,
                                       bool opens_pull_request) const {
  const auto head = repository_.ref_target(branch_);
  if (!head) throw invalid_revision(what_.revision);
  if (request.parent_commit.empty() || !is_stale(request.parent_commit, *head)) return *head;
  if (!opens_pull_request)
    throw failure(412, {},
                  "The branch was updated since you opened this page. Please refresh and try "
                  "again.");
  const auto older = repository_.resolve(request.parent_commit);
  if (!older) throw invalid_revision(request.parent_commit);
  return *older;
}

reply arriving_commit::write() {
  const auto request = reader_.finish();
  check_message(request);
  // Large objects that were there when their lines came stay until the commit names them.
  const std::shared_lock guard(store_.objects_in_use);
  for (const auto& [sha256, path] : request.objects) require_object(sizes_, sha256, path);
  const auto writer = store_.repos.writer(what_.type, what_.id);
  const std::lock_guard lock(*writer);
  require_same(store_, have_);
  const bool opens_pull_request = query_flag(what_.query, "create_pr");
  const std::string parent = parent_of(request, opens_pull_request);
  const std::string made =
      repository_.write_commit(parent, request.changes, request.message(), have_.who->name);
  const std::string page = hub::routes::repo_page(what_.endpoint, what_.type, what_.id);
  boost::json::object answer;
  if (opens_pull_request) {
    const auto number = open_pull_request(store_, repository_, have_, request, branch_, made);
    answer["pullRequestUrl"] = page + "/discussions/" + std::to_string(number);
  } else {
    repository_.set_ref(branch_, made, store_.temporary);
    note_commit(store_, have_, branch_, request.summary, made);
  }
  answer["success"] = true;
  answer["commitOid"] = made;
  answer["commitUrl"] = page + "/commit/" + made;
  answer["hookOutput"] = "";
  return json_reply(answer);
}

}  // namespace

reply preupload(hub_store& store, const call& what) {
  require_proposable(store, what);
  const auto request = hub::read_preupload_request(what.body);
  if (!request) throw bad_request("The request's body is not a preupload request");
  const git_repository repository(store.repos.path_of(what.type, what.id));
  const std::string commit = require_commit(repository, what);
  // The new rules of this very commit, else those that hold so far.
  const auto rules = [&](const std::optional<std::string>& given, const char* path) {
    return given ? *given
                 : repository.read_small(commit, path, rules_limit).value_or(std::string());
  };
  const large_file_rules large(rules(request->git_attributes, ".gitattributes"));
  const ignore_rules ignores(rules(request->git_ignore, ".gitignore"));
  match_budget budget;
  std::vector<hub::preupload_answer> answers;
  for (const auto& file : request->files) {
    hub::preupload_answer answer;
    answer.path = file.path;
    answer.ignore = ignores.ignores(file.path, budget);
    if (file.size > 0 && (is_too_large(store, file) || large.is_large(file.path, budget)))
      answer.mode = hub::upload_mode::lfs;
    if (!file.path.empty() && file.path.find('\0') == file.path.npos) {
      const auto now = repository.find(commit, file.path);
      if (now && now->type == tree_entry::kind::file)
        answer.oid = now->lfs ? now->lfs->sha256 : now->oid;
    }
    answers.push_back(std::move(answer));
  }
  reply answer = text_reply(hub::write_preupload_reply(answers, commit));
  answer.headers.set("Content-Type", "application/json; charset=utf-8");
  return answer;
}

std::unique_ptr<body_consumer> receive_commit(hub_store& store, const call& what) {
  return std::make_unique<arriving_commit>(store, what);
}

}  // namespace cohub::server
