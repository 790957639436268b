#include "transfer/download/download_cache.hpp"

#include "cohub/error.hpp"

#include "hub/repo_id.hpp"
#include "io/file.hpp"
#include "io/on_pool.hpp"
#include "transfer/download/download_claim.hpp"
#include "transfer/download/file_question.hpp"
#include "transfer/download/whole_file.hpp"
#include "transfer/not_cached.hpp"
#include "transfer/progress_reporter.hpp"
#include "transfer/report_event.hpp"

#include <utility>
#include <vector>

namespace cohub::transfer {

namespace {

using found_path = std::optional<std::filesystem::path>;

/// The file of a commit, where the revision is one: it needs no question.
awaitable<found_path> find_at_commit(file_request_ptr file) {
  found_path found;
  if (!hub::is_commit_id(file->options.revision)) co_return found;
  auto work = [file] { return file->cache.find_file(file->options.revision, file->path); };
  found = co_await io::on_pool(file->shared->pool, std::move(work));
  co_return found;
}

/// A file that is in the cache already.
struct stored_file {
  std::string commit{};
  std::filesystem::path path{};
};

/// The file as the cache has it for a revision that could not be resolved now.
awaitable<std::optional<stored_file>> find_as_of_old(file_request_ptr file) {
  auto work = [file] {
    std::optional<stored_file> found;
    const auto commit = file->cache.resolve(file->options.revision);
    if (!commit) return found;
    auto path = file->cache.find_file(*commit, file->path);
    if (path) found = stored_file{*commit, std::move(*path)};
    return found;
  };
  co_return co_await io::on_pool(file->shared->pool, std::move(work));
}

/// A cache that cannot be written to still serves what is in it.
void write_ref_if_possible(const file_request& file, const std::string& commit) {
  try {
    file.cache.write_ref(file.options.revision, commit);
  } catch (const error&) {
  }
}

awaitable<void> remember_absence(file_request_ptr file, file_head head) {
  if (head.commit.empty()) co_return;
  auto work = [file, commit = head.commit] {
    try {
      file->cache.mark_no_exist(commit, file->path);
      io::create_directories(file->cache.layout().snapshot(commit));  // what a ref names must exist
    } catch (const error&) {
    }
    write_ref_if_possible(*file, commit);
  };
  co_await io::on_pool(file->shared->pool, std::move(work));
}

struct placed_blob {
  found_path pointer{};
  bool must_copy = false;   ///< the blob is there, and must be copied to the pointer
  cache::file_lock lock{};  ///< keeps others from deleting the blob meanwhile
};

/// Who has the lock on a blob.
enum class blob_lock { nobody, caller };

/// The pointer, if what it needs is there already: itself, or a blob that another revision brought
/// and no other process has locked.
placed_blob place_from_cache(const file_request& file, const file_facts& facts, blob_lock locked) {
  placed_blob placed;
  placed.pointer = file.cache.find_file(facts.commit, file.path, facts.size);
  if (!placed.pointer) {
    if (!file.cache.has_blob(facts.etag, facts.size)) return placed;
    file.cache.prepare();
    if (locked == blob_lock::nobody) {
      auto lock = cache::try_lock_file(file.cache.layout().lock(facts.etag));
      if (!lock || !file.cache.has_blob(facts.etag, facts.size)) return placed;
      placed.lock = std::move(*lock);
    }
    placed.pointer =
        file.cache.try_link_blob(facts.commit, file.path, facts.etag, whole_file_piece);
    placed.must_copy = !placed.pointer;
  }
  if (placed.pointer) write_ref_if_possible(file, facts.commit);
  return placed;
}

/// Where there are no links, each snapshot has its own copy.
awaitable<std::filesystem::path> copy_blob(file_request_ptr file, file_facts facts) {
  const auto& layout = file->cache.layout();
  auto pointer = layout.pointer(facts.commit, file->path);
  co_await copy_whole(file->shared, layout.blob(facts.etag), file->cache.temporary_name(), pointer);
  auto work = [file, commit = facts.commit] { write_ref_if_possible(*file, commit); };
  co_await io::on_pool(file->shared->pool, std::move(work));
  co_return pointer;
}

awaitable<found_path> find_placed(file_request_ptr file, file_facts facts, blob_lock locked) {
  auto work = [file, facts, locked] { return place_from_cache(*file, facts, locked); };
  auto placed = co_await io::on_pool(file->shared->pool, std::move(work));
  if (placed.must_copy) {
    placed.pointer = co_await copy_blob(file, std::move(facts));
  }
  co_return std::move(placed.pointer);
}

awaitable<found_path> find_with_facts(file_request_ptr file, file_facts facts, blob_lock locked) {
  found_path found;
  if (file->options.force_download) co_return found;
  found = co_await find_placed(file, std::move(facts), locked);
  co_return found;
}

/// Brings the content into the cache, as the one who does so for everybody who asks for it now.
awaitable<void> fetch_blob(file_request_ptr file, file_facts facts,
                           std::shared_ptr<cohub::observer> observer) {
  const auto& layout = file->cache.layout();
  auto preparing = [file] { file->cache.prepare(); };
  co_await io::on_pool(file->shared->pool, preparing);
  // A snapshot may have it on its way.
  transfer_claims::claim_ptr mine;
  if (facts.size <= small_size && !file->options.force_download) {
    auto taking =
        transfer_claims::take(file->shared->small_blobs, layout.blob(facts.etag).string());
    mine = co_await std::move(taking);
  }
  const auto held = co_await claim(file, layout.lock(facts.etag), observer);
  // Whoever had the lock may have brought it.
  const auto found = co_await find_with_facts(file, facts, blob_lock::caller);
  if (found) {
    progress_reporter progress(observer, file->path, transfer_progress::direction::download,
                               facts.size);
    progress.add(facts.size);  // as good as fetched
    report_event(observer, transfer_event::kind::cache_hit, file->path);
    co_return;
  }
  std::vector<std::filesystem::path> folders;
  folders.push_back(layout.folder());
  folders.push_back(layout.blobs());
  co_await sweep(file->shared, std::move(folders));
  const auto blob = layout.blob(facts.etag);
  co_await download_content(file->shared, describe_content(*file, facts), blob, blob,
                            content_settings_of(*file, observer));
  auto work = [file, facts] {
    file->cache.link_blob(facts.commit, file->path, facts.etag, cache::blob_age::fresh);
    write_ref_if_possible(*file, facts.commit);
  };
  co_await io::on_pool(file->shared->pool, std::move(work));
  if (mine) transfer_claims::arrived(*mine);
  report_event(observer, transfer_event::kind::finished, file->path);
}

/// @param announced  in the total: by the snapshot that the file is of
awaitable<std::filesystem::path> fetch_to_cache(file_request_ptr file, file_facts facts,
                                                bool announced) {
  auto found = co_await find_with_facts(file, facts, blob_lock::nobody);
  if (found) {
    if (announced && file->total) file->total->skip(1, facts.size);
    tell(*file, transfer_event::kind::cache_hit);
    co_return std::move(*found);
  }
  while (!found) {
    auto start = [file, facts](std::shared_ptr<cohub::observer> observer) {
      return fetch_blob(file, facts, std::move(observer));
    };
    co_await fetch_once(file, file->cache.layout().blob(facts.etag), facts.etag, std::move(start));
    // Nothing where the file system has no links and the content went to another path, or where
    // another process has the blob's lock.
    found = co_await find_placed(file, facts, blob_lock::nobody);
  }
  co_return std::move(*found);
}

/// What the Hub says of the file, or what the cache has of it instead.
struct resolved_file {
  std::optional<stored_file> stored{};
  file_facts facts{};  ///< if nothing is stored
};

awaitable<resolved_file> resolve_file(file_request_ptr file, bool remember) {
  resolved_file result;
  auto head = co_await ask_hub(file);
  if (head.failure && may_fall_back(head.failure) && !file->options.force_download) {
    result.stored = co_await find_as_of_old(file);
    if (result.stored) co_return result;
    head = co_await ask_hub_again(file, std::move(head));
  }
  if (head.failure) {
    if (remember && !may_fall_back(head.failure)) {
      co_await remember_absence(file, head);
    }
    throw_unavailable(*file, head.failure);
  }
  result.facts = std::move(head.facts);
  co_return result;
}

dry_run_file_info describe_stored(const file_request& file, stored_file stored) {
  dry_run_file_info info;
  info.commit_hash = std::move(stored.commit);
  info.filename = file.path;
  info.file_size = io::file(stored.path, io::file::mode::read).size();
  info.local_path = std::move(stored.path);
  info.is_cached = true;
  info.will_download = file.options.force_download;
  return info;
}

dry_run_file_info describe_facts(const file_request& file, const file_facts& facts) {
  dry_run_file_info info;
  info.commit_hash = facts.commit;
  info.filename = file.path;
  info.file_size = facts.size;
  info.local_path = file.cache.layout().pointer(facts.commit, file.path);
  info.is_cached = file.cache.find_file(facts.commit, file.path, facts.size) ||
                   file.cache.has_blob(facts.etag, facts.size);
  info.will_download = file.options.force_download || !info.is_cached;
  return info;
}

}  // namespace

awaitable<std::filesystem::path> download_to_cache(file_request_ptr file,
                                                   std::optional<file_facts> known) {
  const bool of_snapshot = known.has_value();
  if (!of_snapshot) {
    found_path found;
    if (!file->options.force_download) {
      found = co_await find_at_commit(file);
    }
    if (!found) {
      auto resolved = co_await resolve_file(file, true);
      if (resolved.stored) found = std::move(resolved.stored->path);
      known = std::move(resolved.facts);
    }
    if (found) {
      tell(*file, transfer_event::kind::cache_hit);
      co_return std::move(*found);
    }
  }
  co_return co_await fetch_to_cache(file, std::move(*known), of_snapshot);
}

awaitable<dry_run_file_info> plan_for_cache(file_request_ptr file) {
  auto found = co_await find_at_commit(file);
  resolved_file resolved;
  if (found) {
    resolved.stored.emplace();
    resolved.stored->commit = file->options.revision;
    resolved.stored->path = std::move(*found);
  } else {
    resolved = co_await resolve_file(file, false);
  }
  auto work = [file, resolved = std::move(resolved)] {
    if (resolved.stored) return describe_stored(*file, *resolved.stored);
    return describe_facts(*file, resolved.facts);
  };
  co_return co_await io::on_pool(file->shared->pool, std::move(work));
}

}  // namespace cohub::transfer
