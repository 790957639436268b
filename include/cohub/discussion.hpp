#pragma once

#include "cohub/repository.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace cohub {

/// A discussion, or a pull request, as a listing tells it.
struct discussion {
  std::uint64_t num = 0;  ///< counted together in a repository
  std::string title{};
  std::string author{};      ///< "deleted" where the account is gone
  std::string status{};      ///< "open", "closed", and of pull requests "draft" and "merged"
  std::string created_at{};  ///< ISO 8601, UTC
  std::string repo_id{};
  repo_type type = repo_type::model;
  bool is_pull_request = false;

  /// "refs/pr/N", where a pull request's commits are; empty for a discussion.
  std::string git_reference() const {
    return is_pull_request ? "refs/pr/" + std::to_string(num) : std::string();
  }
};

/// Something that happened in a discussion.
struct discussion_event {
  std::string id{};
  std::string type{};  ///< "comment", "status-change", "title-change", "commit"; an open set
  std::string author{};
  std::string created_at{};

  std::string content{};  ///< of a comment: its Markdown as it is now; empty if it is hidden
  bool edited = false;
  bool hidden = false;
  std::string new_status{};
  std::string old_title{};
  std::string new_title{};
  std::string summary{};  ///< of a commit
  std::string oid{};      ///< of a commit
};

struct discussion_with_details : discussion {
  std::vector<discussion_event> events{};
  std::string target_branch{};                   ///< of a pull request: "refs/heads/main"
  std::string merge_commit_oid{};                ///< of one that is merged
  std::vector<std::string> conflicting_files{};  ///< that keep it from being merged
  std::string diff{};  ///< of a pull request: what it changes, as git diff writes it
};

struct get_repo_discussions_options {
  repo_type type = repo_type::model;
  std::string author{};
  std::string discussion_type{};       ///< "all", "discussion" or "pull_request"; empty: all
  std::string discussion_status{};     ///< "all", "open" or "closed"; empty: all
  std::optional<std::string> token{};  ///< here and below; unset: the client's; "" sends none
};

struct discussion_options {
  repo_type type = repo_type::model;
  std::optional<std::string> token{};
};

struct create_discussion_options {
  repo_type type = repo_type::model;
  std::string description{};  ///< Markdown; empty: a line that says who opened it
  bool pull_request = false;  ///< a draft, whose commits go to `refs/pr/N`
  std::optional<std::string> token{};
};

struct change_discussion_status_options {
  repo_type type = repo_type::model;
  std::string comment{};  ///< beside the change; empty: none
  std::optional<std::string> token{};
};

struct merge_pull_request_options {
  repo_type type = repo_type::model;
  std::string comment{};  ///< beside the merge; empty: none
  std::optional<std::string> token{};
};

}  // namespace cohub
