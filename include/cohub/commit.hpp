#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "cohub/observer.hpp"
#include "cohub/repository.hpp"

namespace cohub {

/// Adds or replaces one file.
struct commit_operation_add {
  /// Text or binary content held in memory.
  struct bytes {
    std::string data{};
  };

  std::string path_in_repo{};
  std::variant<std::filesystem::path, bytes> content{};  ///< a file on disk, or bytes
};

/// Deletes one file, or a folder with all that is in it.
struct commit_operation_delete {
  std::string path_in_repo{};
  bool is_folder = false;  ///< also implied by a final '/'
};

using commit_operation = std::variant<commit_operation_add, commit_operation_delete>;

struct create_commit_options {
  repo_type type = repo_type::model;
  std::string revision = "main";  ///< an existing branch or `refs/pr/N`
  std::string commit_description{};
  bool create_pr = false;        ///< open a pull request instead of committing to the branch
  std::string parent_commit{};   ///< not empty: fail with `errc::commit_conflict` if the head is another
  std::optional<std::string> token{};
  std::shared_ptr<cohub::observer> observer{};
};

struct upload_file_options {
  repo_type type = repo_type::model;
  std::string revision = "main";
  std::string commit_message{};  ///< empty: "Upload <path> with cohub"
  std::string commit_description{};
  bool create_pr = false;
  std::string parent_commit{};
  std::optional<std::string> token{};
  std::shared_ptr<cohub::observer> observer{};
};

struct upload_folder_options {
  repo_type type = repo_type::model;
  std::string revision = "main";
  std::string path_in_repo{};    ///< folder in the repository; empty: the root
  std::string commit_message{};  ///< empty: "Upload folder using cohub"
  std::string commit_description{};
  bool create_pr = false;
  std::string parent_commit{};
  std::optional<std::vector<std::string>> allow_patterns{};  ///< see path relative to the local folder
  std::vector<std::string> ignore_patterns{};
  std::vector<std::string> delete_patterns{};  ///< remote files, relative to `path_in_repo`, to delete
  std::optional<std::string> token{};
  std::shared_ptr<cohub::observer> observer{};
};

/// What became of a commit.
struct commit_info {
  std::string commit_url{};
  std::string commit_message{};
  std::string commit_description{};
  std::string oid{};  ///< 40 hex digits
  bool unchanged = false;  ///< nothing to do: no commit was made and `oid` is the head as it was
  std::string pr_url{};    ///< of the pull request, if one was opened
  std::string pr_revision{};         ///< `refs/pr/N`
  std::optional<unsigned> pr_num{};
};

}  // namespace cohub
