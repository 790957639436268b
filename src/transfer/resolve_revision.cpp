#include "transfer/resolve_revision.hpp"

#include "cohub/error.hpp"

#include "cache/repo_cache.hpp"
#include "hub/repo_id.hpp"
#include "hub/repo_path.hpp"
#include "io/file.hpp"
#include "io/on_pool.hpp"
#include "transfer/ask_commit.hpp"
#include "transfer/download_retry.hpp"
#include "transfer/not_cached.hpp"

#include <exception>
#include <optional>
#include <utility>

namespace cohub::transfer {

namespace {

/// Whether the failure tells nothing of the revision.
bool is_no_answer(const error& failure) {
  return failure.http().status >= 500 || failure.code() == errc::offline ||
         is_unreachable(failure.code());
}

/// A ref names a snapshot that is there, be it empty: others distrust the repository otherwise.
void note(const cache::repo_cache& cached, const std::string& revision, const std::string& commit) {
  try {
    cached.prepare();
    io::create_directories(cached.layout().snapshot(commit));
    cached.write_ref(revision, commit);
  } catch (const error&) {
    // The Hub is asked again next time.
  }
}

}  // namespace

awaitable<std::string> resolve_revision(context_ptr shared, std::string repo_id,
                                        resolve_revision_options options) {
  if (const auto valid = hub::check_download_path(options.revision); !valid)
    throw error(valid.error(), "the revision \"" + options.revision + "\"");
  const auto cached = shared->repo_cache_for(options.type, repo_id, options.cache_dir);
  const std::string revision = options.revision;
  if (hub::is_commit_id(revision)) co_return revision;
  hub_access_options own;
  own.token = std::move(options.token);
  commit_question question;
  question.access = make_hub_access(*shared, std::move(own));
  question.repo_id = std::move(repo_id);
  question.type = options.type;
  question.revision = revision;
  question.limit = shared->etag_timeout_for({});
  for (auto how = asking::once;; how = asking::patiently) {
    std::string commit;
    std::exception_ptr failure;
    try {
      commit = co_await ask_commit(shared, question, how);
    } catch (const error& e) {
      if (!is_no_answer(e)) throw;
      failure = std::current_exception();
    }
    auto work = [cached, revision, commit]() -> std::optional<std::string> {
      if (commit.empty()) return cached.read_ref(revision);
      note(cached, revision, commit);
      return commit;
    };
    auto found = co_await io::on_pool(shared->pool, std::move(work));
    if (found) co_return std::move(*found);
    if (how == asking::patiently || !may_pass(failure, shared->retries.max_retry_after))
      std::rethrow_exception(failure);
  }
}

}  // namespace cohub::transfer
