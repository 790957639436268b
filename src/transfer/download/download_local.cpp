#include "transfer/download/download_local.hpp"

#include "cohub/error.hpp"

#include "cache/local_dir.hpp"
#include "hub/file_metadata.hpp"
#include "hub/repo_id.hpp"
#include "io/file.hpp"
#include "io/file_identity.hpp"
#include "io/on_pool.hpp"
#include "transfer/download/download_claim.hpp"
#include "transfer/download/file_question.hpp"
#include "transfer/download/whole_file.hpp"
#include "transfer/not_cached.hpp"
#include "transfer/report_event.hpp"

#include <system_error>
#include <type_traits>
#include <utility>
#include <vector>

namespace cohub::transfer {

namespace {

/// What hashing a file found, as long as the file stays as it was.
struct hashed_file {
  io::file_identity seen{};
  std::string sha256{};
};

struct local_request {
  file_request_ptr file;
  cache::local_folder folder;
  std::optional<hashed_file> hashed{};
};
using local_ptr = std::shared_ptr<local_request>;

bool has_commit(const local_request& local) {
  const auto& options = local.file->options;
  if (!hub::is_commit_id(options.revision)) return false;
  if (!local.folder.has_file(local.file->path)) return false;
  const auto metadata = local.folder.read_metadata(local.file->path);
  return metadata && metadata->commit == options.revision;
}

/// What can be told of the file in the folder without reading it.
enum class verdict { absent, outdated, current, to_hash };

/// What is noted of a file may be of one that was there before.
bool has_size(const local_request& local, const file_facts& facts) {
  std::error_code gone;
  return std::filesystem::file_size(local.folder.file(local.file->path), gone) == facts.size &&
         !gone;
}

verdict judge(const local_request& local, const file_facts& facts) {
  const auto& path = local.file->path;
  if (!local.folder.has_file(path)) return verdict::absent;
  if (const auto metadata = local.folder.read_metadata(path))
    return metadata->etag == facts.etag && has_size(local, facts) ? verdict::current
                                                                  : verdict::outdated;
  // Nothing is noted: the content tells, if the etag is its checksum.
  if (hub::kind_of_etag(facts.etag) != hub::etag_kind::sha256) return verdict::outdated;
  const auto now = io::identify_file(local.folder.file(path));
  if (now.size != facts.size) return verdict::outdated;
  if (!local.hashed || local.hashed->seen != now) return verdict::to_hash;
  return local.hashed->sha256 == facts.etag ? verdict::current : verdict::outdated;
}

template <class Question>
awaitable<std::invoke_result_t<Question&>> ask(local_ptr local, Question question) {
  co_return co_await io::on_pool(local->file->shared->pool, std::move(question));
}

/// Whether the checksum of the file in the folder is the one that is asked for.
awaitable<bool> hash_and_compare(local_ptr local, file_facts facts) {
  const auto path = local->folder.file(local->file->path);
  auto identify = [path] { return io::identify_file(path); };
  auto identifying = ask(local, std::move(identify));
  hashed_file hashed;
  hashed.seen = co_await std::move(identifying);
  hashed.sha256 = co_await hash_whole(local->file->shared, path);
  const bool same = hashed.sha256 == facts.etag;
  local->hashed = std::move(hashed);
  co_return same;
}

/// Whether the file in the folder is the one that is asked for.
awaitable<bool> is_up_to_date(local_ptr local, file_facts facts) {
  auto judging = [local, facts] { return judge(*local, facts); };
  const auto known = co_await ask(local, std::move(judging));
  if (known == verdict::to_hash) {
    co_return co_await hash_and_compare(local, facts);
  }
  co_return known == verdict::current;
}

/// The file in the main cache; empty if it is not there.
std::filesystem::path find_in_cache(const local_request& local, const file_facts& facts) {
  const auto cached = local.file->cache.find_file(facts.commit, local.file->path, facts.size);
  if (!cached) return {};
  std::error_code failure;
  return std::filesystem::canonical(*cached, failure);
}

/// Copies the file out of the main cache; false if that fails.
awaitable<bool> copy_from_cache(local_ptr local, file_facts facts, std::filesystem::path from) {
  auto clear = [local] { local->folder.clear_place(local->file->path); };
  co_await io::on_pool(local->file->shared->pool, std::move(clear));
  const auto& path = local->file->path;
  auto temporary = local->folder.partial(path, facts.etag).parent_path() / io::temporary_name();
  bool copied = true;
  try {
    co_await copy_whole(local->file->shared, from, std::move(temporary), local->folder.file(path));
  } catch (const error&) {  // it is fetched instead
    copied = false;
  }
  co_return copied;
}

/// What is there of a file, in the folder and in the main cache.
struct found_file {
  verdict here = verdict::absent;
  std::filesystem::path cached{};
};

/// Whether the file is there, or can be had without a download. Under its lock.
awaitable<bool> check_satisfied(local_ptr local, file_facts facts) {
  if (local->file->options.force_download) co_return false;
  auto look = [local, facts] {
    found_file found;
    found.here = judge(*local, facts);
    if (found.here != verdict::current) found.cached = find_in_cache(*local, facts);
    return found;
  };
  const auto found = co_await ask(local, std::move(look));
  bool there = found.here == verdict::current;
  if (found.here == verdict::to_hash) {
    there = co_await hash_and_compare(local, facts);
  }
  if (!there && !found.cached.empty()) {
    there = co_await copy_from_cache(local, facts, found.cached);
  }
  co_return there;
}

/// Makes the folders for the file, and clears away what killed processes left in those of ours.
awaitable<void> prepare_folders(local_ptr local, file_facts facts) {
  auto prepare = [local] { local->folder.prepare(local->file->path); };
  co_await io::on_pool(local->file->shared->pool, std::move(prepare));
  std::vector<std::filesystem::path> folders;
  folders.push_back(local->folder.bookkeeping());
  folders.push_back(local->folder.partial(local->file->path, facts.etag).parent_path());
  co_await sweep(local->file->shared, std::move(folders));
}

/// Brings the content to its place, as the one who does so for everybody who asks for it now.
awaitable<void> fetch_file(local_ptr local, file_facts facts,
                           std::shared_ptr<cohub::observer> observer) {
  const auto& path = local->file->path;
  co_await prepare_folders(local, facts);
  const auto held = co_await claim(local->file, local->folder.lock_file(path), observer);
  const bool there = co_await check_satisfied(local, facts);
  if (!there) {
    auto settings = content_settings_of(*local->file, observer);
    settings.before_placing = [local] { local->folder.clear_place(local->file->path); };
    co_await download_content(local->file->shared, describe_content(*local->file, facts),
                              local->folder.partial(path, facts.etag), local->folder.file(path),
                              std::move(settings));
  }
  auto work = [local, facts] {
    local->folder.write_metadata(local->file->path, facts.commit, facts.etag);
    // Small ones have none, and a folder of many need not be read for each.
    if (facts.size > small_size) local->folder.remove_other_partials(local->file->path, facts.etag);
  };
  co_await io::on_pool(local->file->shared->pool, std::move(work));
  const auto end = there ? transfer_event::kind::cache_hit : transfer_event::kind::finished;
  report_event(observer, end, path);
}

/// Whether the file is there and known to be of this commit: then there is nothing to write.
bool is_settled(const local_request& local, const file_facts& facts) {
  const auto& path = local.file->path;
  if (local.file->options.force_download || !local.folder.has_file(path)) return false;
  const auto metadata = local.folder.read_metadata(path);
  return metadata && metadata->commit == facts.commit && metadata->etag == facts.etag &&
         has_size(local, facts);
}

awaitable<void> fetch_to_folder(local_ptr local, file_facts facts) {
  auto looking = [local, facts] { return is_settled(*local, facts); };
  const bool settled = co_await ask(local, std::move(looking));
  if (settled) {
    tell(*local->file, transfer_event::kind::cache_hit);
    co_return;
  }
  auto start = [local, facts](std::shared_ptr<cohub::observer> observer) {
    return fetch_file(local, facts, std::move(observer));
  };
  const auto destination = std::filesystem::absolute(local->folder.file(local->file->path));
  co_await fetch_once(local->file, destination, facts.etag, std::move(start));
}

local_ptr make_local(file_request_ptr file) {
  cache::local_folder folder(file->options.local_dir);
  return std::make_shared<local_request>(local_request{std::move(file), std::move(folder), {}});
}

/// What the Hub says of the file; nothing where it cannot tell and a file is there.
awaitable<std::optional<file_facts>> ask_facts(local_ptr local) {
  const auto& file = local->file;
  std::optional<file_facts> facts;
  auto head = co_await ask_hub(file);
  if (head.failure && may_fall_back(head.failure) && !file->options.force_download) {
    auto is_there = [local] { return local->folder.has_file(local->file->path); };
    const bool there = co_await ask(local, std::move(is_there));
    if (there) co_return facts;
    head = co_await ask_hub_again(file, std::move(head));
  }
  if (head.failure) throw_unavailable(*file, head.failure);
  facts = std::move(head.facts);
  co_return facts;
}

dry_run_file_info describe_local(const local_request& local) {
  dry_run_file_info info;
  info.filename = local.file->path;
  info.local_path = local.folder.file(local.file->path);
  info.file_size = io::file(info.local_path, io::file::mode::read).size();
  if (const auto metadata = local.folder.read_metadata(local.file->path))
    info.commit_hash = metadata->commit;
  info.is_cached = true;
  info.will_download = local.file->options.force_download;
  return info;
}

dry_run_file_info describe_facts(const local_request& local, const file_facts& facts,
                                 bool is_current) {
  dry_run_file_info info;
  info.commit_hash = facts.commit;
  info.filename = local.file->path;
  info.local_path = local.folder.file(local.file->path);
  info.file_size = facts.size;
  info.is_cached =
      is_current ||
      local.file->cache.find_file(facts.commit, local.file->path, facts.size).has_value();
  info.will_download = local.file->options.force_download || !info.is_cached;
  return info;
}

}  // namespace

awaitable<std::filesystem::path> download_to_local_dir(file_request_ptr file,
                                                       std::optional<file_facts> known) {
  const auto local = make_local(file);
  auto destination = local->folder.file(file->path);
  // What is known says more than the commit, and is compared with what is there in any case.
  if (!known && !file->options.force_download) {
    auto at_commit = [local] { return has_commit(*local); };
    const bool has_it = co_await ask(local, std::move(at_commit));
    if (has_it) {
      tell(*file, transfer_event::kind::cache_hit);
      co_return destination;
    }
  }
  if (!known) {
    known = co_await ask_facts(local);
  }
  if (!known) {
    tell(*file, transfer_event::kind::cache_hit);
    tell(*file, transfer_event::kind::warning,
         "what is in the folder already is given: the Hub did not say whether it is up to date");
    co_return destination;
  }
  co_await fetch_to_folder(local, std::move(*known));
  co_return destination;
}

awaitable<dry_run_file_info> plan_for_local_dir(file_request_ptr file,
                                                std::optional<file_facts> known) {
  const auto local = make_local(file);
  auto at_commit = [local] { return has_commit(*local); };
  const bool has_it = co_await ask(local, std::move(at_commit));
  std::optional<file_facts> facts;
  if (!has_it && known) {
    facts = std::move(known);
  } else if (!has_it) {
    facts = co_await ask_facts(local);
  }
  bool is_current = false;
  if (facts) {
    is_current = co_await is_up_to_date(local, *facts);
  }
  auto work = [local, facts = std::move(facts), is_current] {
    return facts ? describe_facts(*local, *facts, is_current) : describe_local(*local);
  };
  co_return co_await io::on_pool(file->shared->pool, std::move(work));
}

}  // namespace cohub::transfer
