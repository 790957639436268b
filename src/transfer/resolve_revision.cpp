#include "transfer/resolve_revision.hpp"

#include "cohub/error.hpp"

#include "cache/repo_cache.hpp"
#include "hub/repo_id.hpp"
#include "hub/repo_path.hpp"
#include "io/file.hpp"
#include "io/on_pool.hpp"
#include "transfer/download_retry.hpp"
#include "transfer/file_request.hpp"
#include "transfer/tree_listing.hpp"

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
  const cache::repo_cache cached(
      cache::repo_layout(shared->cache_for(options.cache_dir), options.type, repo_id));
  const std::string revision = options.revision;
  if (hub::is_commit_id(revision)) co_return revision;
  repo_info_options of;
  of.type = options.type;
  of.revision = revision;
  of.expand.emplace_back("sha");
  hub_access_options own;
  own.token = std::move(options.token);
  const auto access = make_hub_access(*shared, std::move(own));
  // Quickly at first: the cache may know the answer that a Hub in trouble takes long to give.
  for (bool patiently = false;; patiently = true) {
    std::string commit;
    std::exception_ptr failure;
    try {
      const auto limit = shared->imposed_etag_timeout.value_or(shared->timeouts.metadata);
      auto asking = fetch_repo_info(shared, access, repo_id, of, patiently ? patient(limit) : limit,
                                    patiently);
      commit = (co_await std::move(asking)).sha;
    } catch (const error& e) {
      if (!is_no_answer(e)) throw;
      failure = std::current_exception();
    }
    if (!failure && !hub::is_commit_id(commit))
      throw error(errc::not_a_hub, "asking for the commit of " + repo_id + " at " + revision);
    auto work = [cached, revision, commit]() -> std::optional<std::string> {
      if (commit.empty()) return cached.read_ref(revision);
      note(cached, revision, commit);
      return commit;
    };
    auto looking = io::on_pool(shared->pool, std::move(work));
    auto found = co_await std::move(looking);
    if (found) co_return std::move(*found);
    if (patiently || !may_pass(failure)) std::rethrow_exception(failure);
  }
}

}  // namespace cohub::transfer
