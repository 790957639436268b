#include "cohub/error.hpp"

#include "cache/local_dir.hpp"
#include "hub/file_metadata.hpp"
#include "hub/repo_id.hpp"
#include "io/file.hpp"
#include "io/on_pool.hpp"
#include "transfer/file_request.hpp"
#include "transfer/front_digest.hpp"
#include "transfer/progress_reporter.hpp"

#include <unistd.h>

#include <system_error>
#include <utility>
#include <vector>

/// Downloads into a local folder (hub-protocol, section 4.7).
namespace cohub::transfer {

namespace {

struct local_request {
  file_request_ptr file;
  cache::local_folder folder;
};
using local_ptr = std::shared_ptr<const local_request>;

bool has_commit(const local_request& local) {
  const auto& options = local.file->options;
  if (!hub::is_commit_id(options.revision)) return false;
  if (!local.folder.has_file(local.file->path)) return false;
  const auto metadata = local.folder.read_metadata(local.file->path);
  return metadata && metadata->commit == options.revision;
}

/// Whether a file that nothing is noted about has this sha256.
bool has_content(const std::filesystem::path& path, const file_facts& facts) {
  if (hub::kind_of_etag(facts.etag) != hub::etag_kind::sha256) return false;
  const io::file content(path, io::file::mode::read);
  if (content.size() != facts.size) return false;
  front_digest digest(hub::etag_kind::sha256, facts.size);
  digest.catch_up(content, facts.size, facts.size);
  return digest.hex() == facts.etag;
}

/// Copies the file out of the main cache, if it has it.
bool copy_from_cache(const local_request& local, const file_facts& facts) {
  const auto cached = local.file->cache.find_file(facts.commit, local.file->path);
  if (!cached) return false;
  const auto copy =
      local.folder.partial(local.file->path, facts.etag).string() + ".cohub." + io::random_suffix();
  std::error_code failure;
  std::filesystem::copy_file(std::filesystem::canonical(*cached, failure), copy, failure);
  if (failure) {
    ::unlink(copy.c_str());
    return false;
  }
  io::rename_file(copy, local.folder.file(local.file->path));
  return true;
}

/// Whether the file in the folder is the one that is asked for.
bool is_up_to_date(const local_request& local, const file_facts& facts) {
  const auto& path = local.file->path;
  if (!local.folder.has_file(path)) return false;
  const auto metadata = local.folder.read_metadata(path);
  return metadata ? metadata->etag == facts.etag : has_content(local.folder.file(path), facts);
}

/// Whether the file is there, or can be had without a download.
bool is_satisfied(const local_request& local, const file_facts& facts) {
  const auto& path = local.file->path;
  local.folder.prepare(path);
  if (local.file->options.force_download) return false;
  if (!is_up_to_date(local, facts) && !copy_from_cache(local, facts)) return false;
  local.folder.write_metadata(path, facts.commit, facts.etag);
  return true;
}

template <class Question>
awaitable<bool> ask(local_ptr local, Question question) {
  auto asking = io::on_pool(local->file->shared->pool, std::move(question));
  const bool answer = co_await std::move(asking);
  co_return answer;
}

awaitable<bool> check_satisfied(local_ptr local, file_facts facts) {
  auto question = [local, facts = std::move(facts)] { return is_satisfied(*local, facts); };
  auto asking = ask(local, std::move(question));
  const bool yes = co_await std::move(asking);
  co_return yes;
}

/// Brings the content to its place, as the one who does so for everybody who asks for it now.
awaitable<void> fetch_file(local_ptr local, file_facts facts,
                           std::shared_ptr<cohub::observer> observer) {
  const auto& path = local->file->path;
  auto locking = lock_for(local->file, local->folder.lock_file(path), observer);
  const auto lock = co_await std::move(locking);
  auto checking = check_satisfied(local, facts);  // whoever had the lock may have brought it
  const bool brought = co_await std::move(checking);
  if (brought) {
    report_event(observer, transfer_event::kind::cache_hit, path);
    co_return;
  }
  std::vector<std::filesystem::path> folders;
  folders.push_back(local->folder.partial(path, facts.etag).parent_path());
  auto sweeping = sweep(local->file->shared, std::move(folders));
  co_await std::move(sweeping);
  auto fetching = fetch_content(local->file, facts, local->folder.partial(path, facts.etag),
                                local->folder.file(path), observer);
  co_await std::move(fetching);
  auto work = [local, facts] {
    local->folder.write_metadata(local->file->path, facts.commit, facts.etag);
  };
  auto noting = io::on_pool(local->file->shared->pool, std::move(work));
  co_await std::move(noting);
  report_event(observer, transfer_event::kind::finished, path);
}

awaitable<void> fetch_to_folder(local_ptr local, file_facts facts) {
  auto checking = check_satisfied(local, facts);
  const bool there = co_await std::move(checking);
  if (there) {
    tell(*local->file, transfer_event::kind::cache_hit);
    co_return;
  }
  auto start = [local, facts](std::shared_ptr<cohub::observer> observer) {
    return fetch_file(local, facts, std::move(observer));
  };
  const auto destination = std::filesystem::absolute(local->folder.file(local->file->path));
  auto fetching = fetch_once(local->file, destination, facts.etag, std::move(start));
  co_await std::move(fetching);
}

local_ptr make_local(file_request_ptr file) {
  cache::local_folder folder(file->options.local_dir);
  return std::make_shared<const local_request>(local_request{std::move(file), std::move(folder)});
}

/// What the Hub says of the file; nothing where it cannot tell and a file is there.
awaitable<std::optional<file_facts>> ask_facts(local_ptr local) {
  const auto& file = local->file;
  std::optional<file_facts> facts;
  auto asking = ask_hub(file);
  auto head = co_await std::move(asking);
  if (head.failure && may_fall_back(head.failure) && !file->options.force_download) {
    auto is_there = [local] { return local->folder.has_file(local->file->path); };
    auto looking = ask(local, std::move(is_there));
    const bool there = co_await std::move(looking);
    if (there) co_return facts;
    auto asking_again = ask_hub_again(file, std::move(head));
    head = co_await std::move(asking_again);
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

dry_run_file_info describe_facts(const local_request& local, const file_facts& facts) {
  dry_run_file_info info;
  info.commit_hash = facts.commit;
  info.filename = local.file->path;
  info.local_path = local.folder.file(local.file->path);
  info.file_size = facts.size;
  info.is_cached = is_up_to_date(local, facts) ||
                   local.file->cache.find_file(facts.commit, local.file->path).has_value();
  info.will_download = local.file->options.force_download || !info.is_cached;
  return info;
}

}  // namespace

awaitable<std::filesystem::path> download_to_local_dir(file_request_ptr file,
                                                       std::optional<file_facts> known) {
  const auto local = make_local(file);
  auto destination = local->folder.file(file->path);
  if (!file->options.force_download) {
    auto at_commit = [local] { return has_commit(*local); };
    auto asking_commit = ask(local, std::move(at_commit));
    const bool has_it = co_await std::move(asking_commit);
    if (has_it) {
      tell(*file, transfer_event::kind::cache_hit);
      co_return destination;
    }
  }
  if (!known) {
    auto asking = ask_facts(local);
    known = co_await std::move(asking);
  }
  if (!known) {
    tell(*file, transfer_event::kind::cache_hit, "the Hub did not say whether it is up to date");
    co_return destination;
  }
  auto fetching = fetch_to_folder(local, std::move(*known));
  co_await std::move(fetching);
  co_return destination;
}

awaitable<dry_run_file_info> plan_for_local_dir(file_request_ptr file) {
  const auto local = make_local(file);
  auto at_commit = [local] { return has_commit(*local); };
  auto asking_commit = ask(local, std::move(at_commit));
  const bool has_it = co_await std::move(asking_commit);
  std::optional<file_facts> facts;
  if (!has_it) {
    auto asking = ask_facts(local);
    facts = co_await std::move(asking);
  }
  auto work = [local, facts = std::move(facts)] {
    return facts ? describe_facts(*local, *facts) : describe_local(*local);
  };
  auto describing = io::on_pool(file->shared->pool, std::move(work));
  auto info = co_await std::move(describing);
  co_return info;
}

}  // namespace cohub::transfer
