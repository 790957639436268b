#include "client/scheduled_round.hpp"

#include "cohub/error.hpp"

#include "core/glob.hpp"
#include "io/file_identity.hpp"
#include "io/on_pool.hpp"
#include "transfer/folder/folder_listing.hpp"
#include "transfer/report_event.hpp"
#include "transfer/upload/kept_source.hpp"

#include <boost/system/errc.hpp>

#include <algorithm>
#include <array>
#include <stop_token>
#include <system_error>
#include <variant>

namespace cohub::detail {

namespace {

/// What has changed in the folder.
struct folder_changes {
  std::vector<commit_operation> operations{};
  seen_files seen{};
};

folder_changes find_changes(const std::filesystem::path& folder, const core::path_filter& filter,
                            const std::string& prefix, const seen_files& known,
                            const std::shared_ptr<observer>& listener,
                            std::set<std::string>& left_out, const std::stop_token& stop) {
  folder_changes changes;
  std::error_code ignored;
  if (std::filesystem::status(folder, ignored).type() == std::filesystem::file_type::not_found)
    return changes;  // the program has not made it yet
  for (auto& file : transfer::list_committable(folder, filter, listener, stop, &left_out)) {
    io::throw_if_stopped(stop);
    io::file_identity now;
    try {
      now = io::identify_file(file.path);
    } catch (const error&) {
      continue;  // deleted since it was listed
    }
    const auto before = known.find(file.relative);
    const bool is_known = before != known.end() && before->second == now;
    // Else it is looked at again: the next change might not be seen.
    if (is_known || io::is_settled(now)) changes.seen.emplace(file.relative, now);
    if (is_known) continue;
    commit_operation_add add;
    add.path_in_repo = prefix + file.relative;
    add.content = std::move(file.path);
    add.first_bytes = now.size;
    changes.operations.emplace_back(std::move(add));
  }
  return changes;
}

awaitable<void> make_repository(work_ptr self) {
  if (self->repository_known) co_return;
  create_repo_options options;
  options.type = self->options.type;
  options.is_private = self->options.is_private;
  options.exist_ok = true;
  options.token = self->options.token;
  if (options.type == repo_type::space) options.space_sdk = "gradio";
  const auto repo = co_await self->hub.create_repo(self->repo_id, options);
  self->repo_id = repo.repo_id;
  self->repository_known = true;
}

awaitable<void> squash_history(work_ptr self) {
  super_squash_history_options options;
  options.type = self->options.type;
  options.branch = self->options.revision;
  options.token = self->options.token;
  co_await self->hub.super_squash_history(self->repo_id, options);
}

awaitable<commit_info> commit(work_ptr self, std::vector<commit_operation> operations,
                              std::string message, std::string description = {}) {
  create_commit_options options;
  options.commit_description = std::move(description);
  options.type = self->options.type;
  options.revision = self->options.revision;
  options.token = self->options.token;
  options.observer = self->options.observer;
  auto info = co_await self->hub.create_commit(self->repo_id, std::move(operations),
                                               std::move(message), options);
  if (!info.unchanged)
    transfer::report_event(self->listener, transfer_event::kind::committed, {}, info.oid);
  co_return info;
}

/// Statuses without a code of ours that say that the request is to blame.
constexpr std::array final_statuses{405, 406, 410, 411, 413, 414, 415, 431};

/// Whether the same operations cannot succeed at any time: they are to blame, not the network, the
/// Hub, its store or the token.
bool is_final(const error& failure, const std::string& endpoint) {
  namespace system = boost::system::errc;
  const auto& code = failure.code();
  for (const auto blame :
       {errc::entry_not_found, errc::invalid_path, errc::invalid_argument, errc::invalid_card})
    if (code == blame) return true;
  const auto& url = failure.http().url;
  // Stores call requests bad that were merely slow, or whose address has expired.
  if (code == errc::bad_request) return url.empty() || url.starts_with(endpoint + '/');
  if (code == errc::unexpected_status)
    return std::find(final_statuses.begin(), final_statuses.end(), failure.http().status) !=
           final_statuses.end();
  for (const auto blame :
       {system::no_such_file_or_directory, system::not_a_directory, system::is_a_directory,
        system::permission_denied, system::invalid_argument, system::filename_too_long,
        system::too_many_symbolic_link_levels})
    if (code == blame) return true;
  return false;
}

/// What came of one commit of a round.
struct attempt {
  std::optional<commit_info> made{};
  std::exception_ptr failure{};
  bool for_good = false;    ///< it failed
  bool is_changed = false;  ///< a file was not what it was
};

void take(round_result& round, const attempt& one) {
  if (one.made) {
    round.last = *one.made;
    round.made = round.made || !one.made->unchanged;
  } else if (!round.failure) {
    round.failure = one.failure;
  }
}

/// What a source throws may be anything.
constexpr const char* unknown_failure = "a failure that is no std::exception";

awaitable<attempt> try_commit(work_ptr self, std::vector<commit_operation> operations,
                              std::string message, std::string description = {}) {
  attempt result;
  try {
    co_await make_repository(self);
    result.made =
        co_await commit(self, std::move(operations), std::move(message), std::move(description));
  } catch (const error& e) {
    // Not by the code: a source may fail as if it were cancelled.
    if (self->over) throw;
    result.failure = std::current_exception();
    result.for_good = is_final(e, self->hub.endpoint());
    result.is_changed = e.code() == errc::content_mismatch;
    if (e.code() == errc::repository_not_found) self->repository_known = false;  // it was deleted
    report_failure(*self, e.what());
  } catch (const std::exception& e) {
    if (self->over) throw;
    result.failure = std::current_exception();
    report_failure(*self, e.what());
  } catch (...) {
    if (self->over) throw;
    result.failure = std::current_exception();
    report_failure(*self, unknown_failure);
  }
  co_return result;
}

/// Whether a file is shorter than what is to be committed of it. Others that have changed meanwhile
/// may succeed as they are now. Blocking: for the pool.
bool wants_too_much(const std::vector<commit_operation>& operations) {
  return std::any_of(operations.begin(), operations.end(), [](const commit_operation& each) {
    const auto* add = std::get_if<commit_operation_add>(&each);
    const auto* path = add != nullptr ? std::get_if<std::filesystem::path>(&add->content) : nullptr;
    if (path == nullptr || !add->first_bytes) return false;
    std::error_code unknown;
    const auto size = std::filesystem::file_size(*path, unknown);
    return !unknown && size < *add->first_bytes;
  });
}

awaitable<bool> may_succeed_later(work_ptr self, attempt one) {
  const auto& operations = self->waiting.front().operations;
  if (one.for_good || transfer::has_spent_source(operations)) co_return false;
  if (!one.is_changed) co_return true;
  auto look = [operations] { return wants_too_much(operations); };
  const bool too_much = co_await io::on_pool(self->hub.blocking_executor(), std::move(look));
  co_return !too_much;
}

/// Commits what was handed over, one commit after the other, until one has to be tried again.
/// `round` is lent by the caller, who awaits this in the same scope; so it is below.
awaitable<void> commit_waiting(work_ptr self, round_result& round) {
  while (!self->waiting.empty()) {
    // Only what names the contents is copied.
    const auto one =
        co_await try_commit(self, self->waiting.front().operations, self->waiting.front().message);
    take(round, one);
    if (!one.made) {
      round.left = co_await may_succeed_later(self, one);
      if (round.left) co_return;
      if (!round.dropped) round.dropped = one.failure;
    }
    self->waiting.pop_front();
  }
}

awaitable<void> commit_folder(work_ptr self, round_result& round) {
  auto filter = core::upload_filter(self->options.allow_patterns, self->options.ignore_patterns);
  auto look = [folder = self->folder, filter = std::move(filter),
               prefix = transfer::repo_prefix(self->options.path_in_repo), seen = self->seen,
               listener = self->listener, left_out = self->left_out](const std::stop_token& stop) {
    return find_changes(folder, filter, prefix, seen, listener, *left_out, stop);
  };
  round.left = true;
  auto changes = co_await io::on_pool(self->hub.blocking_executor(), std::move(look));
  if (!changes.operations.empty()) {
    auto message = self->options.commit_message;
    if (message.empty()) message = "Scheduled Commit";
    const auto one = co_await try_commit(self, std::move(changes.operations), std::move(message),
                                         self->options.commit_description);
    take(round, one);
    if (!one.made) co_return;
  }
  round.left = false;
  self->seen = std::move(changes.seen);
}

}  // namespace

void report_failure(const scheduled_work& work, const char* what) {
  transfer::report_event(work.listener, transfer_event::kind::commit_failed, {}, what);
}

awaitable<void> commit_all(work_ptr self, round_result& round) {
  co_await commit_waiting(self, round);
  if (!round.left && !self->folder.empty()) co_await commit_folder(self, round);
  if (round.made && self->options.squash_history) co_await squash_history(self);
}

}  // namespace cohub::detail
