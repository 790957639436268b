#include "transfer/commit/commit_delivery.hpp"

#include "cohub/error.hpp"

#include "http/retry_policy.hpp"
#include "hub/commit_lines.hpp"
#include "hub/routes.hpp"
#include "io/on_pool.hpp"
#include "transfer/api_call.hpp"
#include "transfer/commit/commit_attempts.hpp"
#include "transfer/commit/commit_body.hpp"
#include "transfer/commit/commit_lookup.hpp"
#include "transfer/commit/commit_preparation.hpp"
#include "transfer/download_retry.hpp"
#include "transfer/paths_info.hpp"
#include "transfer/patient_limits.hpp"
#include "transfer/report_event.hpp"
#include "transfer/retry_wait.hpp"

#include <algorithm>
#include <cstdint>
#include <exception>
#include <filesystem>
#include <optional>
#include <string_view>
#include <unordered_set>
#include <utility>
#include <vector>

namespace cohub::transfer {

namespace {

/// What became of one POST.
struct outcome {
  enum class kind {
    made,
    conflict,
    lost,
    outdated,  ///< not sent to its end: a file was changed meanwhile
    outgrown,  ///< not sent: the Hub was asked about a smaller file
    gone,      ///< something that it deletes is not there
    refused
  } what = kind::refused;
  commit_info info{};
  std::exception_ptr failure{};  ///< unless it was made
  http_context http{};           ///< of the failure
};

/// A failure after which the commit may have been made: also a success whose words cannot be
/// read.
bool may_be_lost(const error& failure) {
  const int status = failure.http().status;
  if (status != 0 && status / 100 != 2) return status == 408 || status >= 500;
  return is_transient(failure.code()) || failure.code() == errc::invalid_response;
}

/// Small files are sent with the commit: remembers as what, and counts as done the additions that
/// are out.
void note_sent(commit_in_progress& commit, const commit_written& written) {
  auto& adds = commit.plan->adds;
  for (const auto& [add, id] : written.ids) adds[add].sent_id = id;
  for (; commit.adds_counted < std::min(written.adds, adds.size()); ++commit.adds_counted) {
    auto& add = adds[commit.adds_counted];
    if (add.counted || !add.announced) continue;
    add.counted = true;
    commit.total->finish(add.size, 0);
  }
}

/// With a status: the answer was not lost, and there is no other to be had.
[[noreturn]] void throw_refused(std::string words, const std::string& doing) {
  http_context context;
  context.status = 200;
  context.server_message = std::move(words);
  throw error(errc::bad_request, doing, context);
}

/// How much a small file may grow after the Hub was asked about it, which goes by its size.
constexpr std::uint64_t growth_borne = 1u << 20;

/// Opens anew the small files that the Hub is to be asked about once more; the path of one of them,
/// if there are any. Blocking.
std::optional<std::string> reopen_outgrown(commit_in_progress& commit) {
  std::optional<std::string> found;
  for (auto& add : commit.plan->adds) {
    if (!add.content || add.dropped() || add.mode == hub::upload_mode::lfs) continue;
    const auto* file = add.content->identity();
    if (file == nullptr) continue;
    const auto size = add.content->now()->size();
    const bool is_outgrown = add.told_size == 0 ? size > 0 : size > add.told_size + growth_borne;
    if (!is_outgrown) continue;
    found = add.path;
    commit_operation_add again;
    again.content = std::filesystem::path(file->path);
    add.content = open_content(std::move(again));
    if (add.announced && add.content->size() > add.size)
      commit.total->announce(0, add.content->size() - add.size);
    add.size = add.content->size();
    add.sha256.clear();
  }
  return found;
}

awaitable<outcome> post(context_ptr shared, commit_ptr commit, std::string parent) {
  const auto& options = commit->options;
  auto encode = [plan = commit->plan, pool = shared->pool,
                 header =
                     hub::commit_header_line(commit->message, options.commit_description, parent),
                 written = [commit](const commit_written& news) { note_sent(*commit, news); }] {
    return commit_body(plan, header, pool, written);
  };
  outcome result;
  auto look = [commit] { return reopen_outgrown(*commit); };
  const auto path = co_await io::on_pool(shared->pool, std::move(look));
  if (path) {
    result.what = outcome::kind::outgrown;
    result.failure = std::make_exception_ptr(
        error(errc::content_mismatch, "committing " + *path + ", which does not stay as it is"));
    co_return result;
  }
  auto body = co_await io::on_pool(shared->pool, std::move(encode));
  const auto url = hub::routes::commit(shared->endpoint, options.type, commit->repo_id,
                                       options.revision, options.create_pr);
  auto what = hub_request(*shared, http::method::post, url, commit->token);
  what.headers.set("Content-Type", "application/x-ndjson");
  what.body = std::move(body);
  what.busy_is_undone = false;
  what.timeouts = patient_limits(shared->timeouts);
  const std::string doing = "committing to " + commit->repo_id;
  try {
    const auto text = co_await call_for_text(shared, std::move(what), doing);
    if (auto refusal = hub::read_commit_refusal(text)) throw_refused(std::move(*refusal), doing);
    auto info = hub::read_commit_reply(text);
    if (!info) throw error(info.error(), doing);
    result.info = std::move(*info);
    result.what = outcome::kind::made;
  } catch (const error& e) {
    result.failure = std::current_exception();
    result.http = e.http();
    if (e.code() == errc::commit_conflict || e.code() == errc::conflict)
      result.what = outcome::kind::conflict;
    else if (e.code() == errc::content_mismatch)
      result.what = outcome::kind::outdated;
    else if (e.code() == errc::entry_not_found)
      result.what = outcome::kind::gone;
    else if (may_be_lost(e))
      result.what = outcome::kind::lost;
  }
  co_return result;
}

/// @param what  that may be there
[[noreturn]] void throw_unsure(const outcome& result, const std::string& repo_id,
                               const std::string& what) {
  try {
    std::rethrow_exception(result.failure);
  } catch (const error& e) {
    throw error(
        e.code(),
        "committing to " + repo_id + " (" + what + " all the same: look before you try again)",
        e.http());
  }
}

/// Leaves out the deletions of what others have deleted meanwhile: a Hub refuses those.
awaitable<void> drop_deleted(context_ptr shared, commit_ptr commit) {
  auto& deletes = commit->plan->deletes;
  if (deletes.empty()) co_return;
  std::vector<std::string> paths;
  for (const auto& removal : deletes) paths.push_back(removal.path);
  get_paths_info_options of;
  of.type = commit->options.type;
  of.revision = commit->head;
  of.token = commit->options.token;
  const auto found =
      co_await get_paths_info(shared, commit->repo_id, std::move(paths), std::move(of));
  std::unordered_set<std::string_view> there;
  for (const auto& entry : found) there.insert(entry.path);
  std::erase_if(deletes, [&](const planned_delete& each) { return !there.contains(each.path); });
  commit->plan->mark_refilled();
}

/// The branch has moved to `head`: what is deleted, unchanged, ignored or large is asked anew.
awaitable<void> prepare_again(context_ptr shared, commit_ptr commit, std::string head) {
  commit->head = std::move(head);
  co_await drop_deleted(shared, commit);
  co_await prepare_commit(std::move(shared), std::move(commit));
}

/// What a look at the branch finds after a post in vain.
struct branch_view {
  std::optional<commit_info> made{};  ///< the commit: it is there after all
  std::string head{};                 ///< of the branch, else
};

/// @param may_be_made  whether to look for the commit itself
awaitable<branch_view> look_at_branch(context_ptr shared, commit_ptr commit, bool may_be_made) {
  branch_view seen;
  if (may_be_made) {
    seen.made = co_await find_made_commit(shared, commit);
    if (seen.made) co_return seen;
  }
  // Of a pull request: the head of the branch that it is opened against.
  auto asking = find_head(shared, commit);
  seen.head = (co_await std::move(asking)).oid;
  if (may_be_made && seen.head != commit->head) {
    // It may have been made after the branch was looked at.
    seen.made = co_await find_made_commit(shared, commit);
  }
  co_return seen;
}

}  // namespace

awaitable<commit_info> deliver_commit(context_ptr shared, commit_ptr commit) {
  const auto& options = commit->options;
  const bool own_parent = !options.parent_commit.empty();
  const bool yields = !own_parent || options.rebase;
  if (commit->head.empty()) {
    auto asking = find_head(shared, commit);
    commit->head = (co_await std::move(asking)).oid;
  }
  // What is left out as unchanged is so at that head alone.
  std::string parent = commit->head;
  if (own_parent) parent = options.parent_commit;
  commit_attempts attempts;
  bool is_unconditional = false;
  for (;;) {
    auto result = co_await post(shared, commit, parent);
    if (result.what == outcome::kind::made) co_return std::move(result.info);
    const bool conflict = result.what == outcome::kind::conflict;
    const bool outdated = result.what == outcome::kind::outdated;
    if (outdated && attempts.disturbed()) continue;
    if (result.what == outcome::kind::outgrown) {
      if (!attempts.disturbed()) std::rethrow_exception(result.failure);
      co_await prepare_commit(shared, commit);
      continue;
    }
    if (result.what == outcome::kind::gone) {
      if (!commit->lists_deletions || !yields || !attempts.missed())
        std::rethrow_exception(result.failure);
      auto asking = find_head(shared, commit);
      parent = (co_await std::move(asking)).oid;
      co_await prepare_again(shared, commit, parent);
      if (commit->plan->empty()) {
        co_return co_await find_head(shared, commit);
      }
      continue;
    }
    if (outdated || result.what == outcome::kind::refused) std::rethrow_exception(result.failure);
    // A pull request that may have been opened cannot be told from another's: no second one is.
    if (!conflict && options.create_pr)
      throw_unsure(result, commit->repo_id, "a pull request may have been opened");
    const auto asked = result.http.retry_after;
    const auto delay = conflict ? attempts.conflicted(shared->retries, asked, http::draw_jitter())
                                : attempts.lost(shared->retries, asked, http::draw_jitter());
    branch_view seen;
    bool is_seen = false;
    try {
      seen = co_await look_at_branch(shared, commit, attempts.may_be_made());
      is_seen = true;
    } catch (const error&) {
      if (!attempts.may_be_made()) throw;
    }
    if (!is_seen) throw_unsure(result, commit->repo_id, "the commit may have been made");
    if (seen.made) co_return std::move(*seen.made);
    // On top of whatever is there it may be made at any moment still, and twice then.
    if (!conflict && is_unconditional)
      throw_unsure(result, commit->repo_id, "the commit may have been made");
    // Two commits at once are no conflict of a caller's who named no parent.
    const bool moved = !yields && (conflict || seen.head != commit->head);
    if (conflict && (moved || !delay)) {
      result.http.head = seen.head;
      throw error(errc::commit_conflict, "committing to " + commit->repo_id, result.http);
    }
    if (moved || !delay) std::rethrow_exception(result.failure);
    report_event(commit->observer, transfer_event::kind::retry, {},
                 conflict ? "the branch has moved" : "the commit's answer was lost");
    co_await wait_for(*delay);
    if (seen.head != commit->head) {
      co_await prepare_again(shared, commit, seen.head);
      if (commit->plan->empty()) {
        co_return co_await find_head(shared, commit);
      }
    }
    if (yields) parent = seen.head;
    is_unconditional = yields && attempts.drops_condition();
    if (is_unconditional) parent.clear();
  }
}

}  // namespace cohub::transfer
