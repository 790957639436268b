#include "server/git/git_rename.hpp"

#include "server/git/git_handle.hpp"

#include <cstddef>
#include <cstdint>

namespace cohub::server {

namespace {

/// What takes a tenth of a second or so.
constexpr std::size_t most_pairs = 10'000;
constexpr std::uint64_t most_bytes = 16u << 20;
/// That one file may be the new name of: many, since ids alone are quick to compare.
constexpr std::size_t most_sources = 1000;

/// Whether the contents of what came and went may be compared with each other.
bool has_few_candidates(::git_repository* repository, git_diff* diff) {
  git_odb* raw = nullptr;
  git_check(git_repository_odb(&raw, repository), "opening the objects");
  const git_odb_ptr objects(raw);
  std::size_t came = 0, went = 0;
  std::uint64_t bytes = 0;
  const std::size_t count = git_diff_num_deltas(diff);
  for (std::size_t i = 0; i < count; ++i) {
    const auto* delta = git_diff_get_delta(diff, i);
    const bool added = delta->status == GIT_DELTA_ADDED;
    if (!added && delta->status != GIT_DELTA_DELETED) continue;
    ++(added ? came : went);
    // One alone is a pair with what comes yet.
    if (came * went > most_pairs || came + went > most_pairs) return false;
    std::size_t size = 0;
    git_object_t type = GIT_OBJECT_INVALID;
    const auto& file = added ? delta->new_file : delta->old_file;
    if (git_odb_read_header(&size, &type, raw, &file.id) == 0) bytes += size;
    if (bytes > most_bytes) return false;
  }
  return true;
}

git_tree_ptr tree_of(const git_commit* commit) {
  git_tree* tree = nullptr;
  git_check(git_commit_tree(&tree, commit), "reading a commit's tree");
  return git_tree_ptr(tree);
}

bool has_few_candidates(::git_repository* repository, git_tree* from, const git_commit* to) {
  const auto after = tree_of(to);
  git_diff* raw = nullptr;
  git_check(git_diff_tree_to_tree(&raw, repository, from, after.get(), nullptr),
            "comparing commits");
  const git_diff_ptr diff(raw);
  return has_few_candidates(repository, raw);
}

}  // namespace

void find_renamed(::git_repository* repository, git_diff* diff) {
  git_diff_find_options options{};
  git_check(git_diff_find_options_init(&options, GIT_DIFF_FIND_OPTIONS_VERSION),
            "looking for renamed files");
  options.flags = GIT_DIFF_FIND_RENAMES;
  options.rename_limit = most_sources;
  if (!has_few_candidates(repository, diff)) options.flags |= GIT_DIFF_FIND_EXACT_MATCH_ONLY;
  git_check(git_diff_find_similar(diff, &options), "looking for renamed files");
}

git_merge_options merge_options_for(::git_repository* repository, const git_oid& base,
                                    const git_commit* ours, const git_commit* theirs) {
  git_merge_options options{};
  git_check(git_merge_options_init(&options, GIT_MERGE_OPTIONS_VERSION), "merging");
  git_commit* raw = nullptr;
  git_check(git_commit_lookup(&raw, repository, &base), "reading a commit");
  const git_commit_ptr ancestor(raw);
  const auto from = tree_of(raw);
  // Beyond the limit, which 0 leaves to libgit2, only the same contents are looked for.
  if (!has_few_candidates(repository, from.get(), ours) ||
      !has_few_candidates(repository, from.get(), theirs))
    options.target_limit = 1;
  return options;
}

}  // namespace cohub::server
