#pragma once

#include <git2.h>

/// Looking for renamed files compares each that came with each that went: only so much of it is
/// done.
namespace cohub::server {

/// Marks the renamed files of a diff: those of similar contents where few and small files came and
/// went, else those of the same contents.
void find_renamed(::git_repository* repository, git_diff* diff);

/// What two commits are merged by, with renamed files looked for by the same rule on both sides.
/// @param base  a commit that is in the history of both
git_merge_options merge_options_for(::git_repository* repository, const git_oid& base,
                                    const git_commit* ours, const git_commit* theirs);

}  // namespace cohub::server
