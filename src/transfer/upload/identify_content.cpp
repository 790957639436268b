#include "transfer/upload/identify_content.hpp"

#include "cohub/error.hpp"

#include "io/file_identity.hpp"
#include "io/on_pool.hpp"
#include "transfer/progress_reporter.hpp"
#include "transfer/upload/upload_journal.hpp"

#include <cstdint>
#include <memory>
#include <string>
#include <utility>

namespace cohub::transfer {

namespace {

constexpr std::uint64_t worth_remembering = 1u << 20;  // a shorter file is hashed again as fast

/// The sha256 of a large file: known from the way here, from an earlier process, or computed. `add`
/// is lent by the caller, who awaits this in the same scope.
awaitable<std::string> hash_large(context_ptr shared, commit_ptr commit, const planned_add& add) {
  auto known = add.content->known_sha256();
  if (!known.empty()) co_return known;
  const auto content = add.content;
  const auto journal = add.size >= worth_remembering ? shared->journal : nullptr;
  const bool kept = journal && content->identity() != nullptr;
  if (kept) {
    auto look = [journal, content] { return journal->find_hash(*content->identity()); };
    auto found = co_await io::on_pool(shared->pool, std::move(look));
    if (found) co_return std::move(*found);
  }
  auto progress = std::make_shared<progress_reporter>(commit->observer, add.path,
                                                      transfer_progress::direction::hash, add.size);
  auto sha256 = co_await sha256_of(content, shared->pool, std::move(progress));
  auto check = [journal, content, kept, sha256] {
    content->check_unchanged();
    if (kept && content->is_settled()) journal->keep_hash(*content->identity(), sha256);
  };
  co_await io::on_pool(shared->pool, std::move(check));
  co_return sha256;
}

}  // namespace

awaitable<bool> identify_content(context_ptr shared, commit_ptr commit, std::size_t index) {
  auto& add = commit->plan->adds[index];
  if (add.mode == hub::upload_mode::lfs) {
    if (add.sha256.empty()) add.sha256 = co_await hash_large(shared, commit, add);
    add.unchanged = !add.refilled && add.sha256 == add.oid_there;
    co_return !add.unchanged && !add.uploaded;
  }
  if (!add.oid_there.empty() && !add.refilled) {
    const auto blob_id = co_await git_blob_id_of(add.content, shared->pool);
    add.unchanged = blob_id == add.oid_there;
  }
  co_return false;
}

awaitable<void> require_same(context_ptr shared, upload_content_ptr content, std::string path,
                             std::string sha256) {
  auto check = [content] { return content->check_unchanged(); };
  const bool certain = co_await io::on_pool(shared->pool, std::move(check));
  if (certain) co_return;
  const auto now = co_await sha256_of(content, shared->pool);
  if (now != sha256)
    throw error(errc::content_mismatch, "uploading " + path + ", which was changed meanwhile");
}

}  // namespace cohub::transfer
