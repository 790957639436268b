#pragma once

#include "cohub/commit.hpp"

namespace cohub::transfer {

/// The options of the commit that an operation makes: those of the same name that it has itself.
template <class Options>
create_commit_options commit_options_of(const Options& options) {
  create_commit_options commit;
  commit.type = options.type;
  commit.revision = options.revision;
  commit.token = options.token;
  commit.observer = options.observer;
  if constexpr (requires { options.parent_commit; }) {
    commit.commit_description = options.commit_description;
    commit.create_pr = options.create_pr;
    commit.parent_commit = options.parent_commit;
    commit.rebase = options.rebase;
  }
  if constexpr (requires { options.num_threads; }) {
    commit.num_threads = options.num_threads;
    commit.num_hash_threads = options.num_hash_threads;
  }
  return commit;
}

}  // namespace cohub::transfer
