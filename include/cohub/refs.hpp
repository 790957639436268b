#pragma once

#include "cohub/repository.hpp"

#include <optional>
#include <string>
#include <vector>

namespace cohub {

/// A branch, a tag or another name of a commit.
struct git_ref_info {
  std::string name{};  ///< "main", "v1.0"
  std::string ref{};   ///< "refs/heads/main", "refs/tags/v1.0", "refs/pr/3", "refs/convert/parquet"
  std::string target_commit{};  ///< 40 hex digits
};

/// All names of commits in a repository.
struct git_refs {
  std::vector<git_ref_info> branches{};
  std::vector<git_ref_info> converts{};  ///< what the Hub made of a dataset
  std::vector<git_ref_info> tags{};
  std::vector<git_ref_info> pull_requests{};  ///< where asked for
};

/// One commit of a revision's history.
struct git_commit_info {
  std::string commit_id{};  ///< 40 hex digits
  std::string title{};
  std::string message{};  ///< what follows the title
  std::vector<std::string> authors{};
  std::string created_at{};         ///< ISO 8601, UTC
  std::string formatted_title{};    ///< as HTML, where asked for
  std::string formatted_message{};  ///< as HTML, where asked for
};

struct list_repo_refs_options {
  repo_type type = repo_type::model;
  bool include_pull_requests = false;
  std::optional<std::string> token{};  ///< here and below; unset: the client's; "" sends none
};

struct list_repo_commits_options {
  repo_type type = repo_type::model;
  std::string revision = "main";
  std::optional<std::string> token{};
  bool formatted = false;  ///< with title and message as HTML
};

struct get_commit_diff_options {
  repo_type type = repo_type::model;
  bool raw = false;  ///< lines of modes, ids and paths in place of the texts, as git diff --raw
  std::optional<std::string> token{};
};

struct create_branch_options {
  repo_type type = repo_type::model;
  std::string
      revision{};  ///< what it starts from: a branch, a tag or a commit; empty: the default branch
  bool exist_ok = false;  ///< an existing branch is a success, wherever it is
  std::optional<std::string> token{};
};

struct delete_branch_options {
  repo_type type = repo_type::model;
  std::optional<std::string> token{};
};

struct create_tag_options {
  repo_type type = repo_type::model;
  std::string revision = "main";  ///< what it names
  std::string tag_message{};
  bool exist_ok = false;  ///< an existing tag is a success, whatever it names
  std::optional<std::string> token{};
};

struct delete_tag_options {
  repo_type type = repo_type::model;
  std::optional<std::string> token{};
};

struct super_squash_history_options {
  repo_type type = repo_type::model;
  std::string branch = "main";
  std::string commit_message{};  ///< empty: "Super-squash branch '<branch>' using cohub"
  std::optional<std::string> token{};
};

}  // namespace cohub
