#pragma once

#include "cohub/awaitable.hpp"
#include "cohub/observer.hpp"
#include "cohub/repository.hpp"

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace cohub {

/// Content of unknown length that the caller produces: a checkpoint while it is written, an answer
/// of another server.
class upload_source {
 public:
  virtual ~upload_source() = default;
  /// Fills the front of `buffer`, which outlives the call; 0 only at the end. Called on the
  /// client's executor, once at a time; what it throws ends the commit.
  virtual awaitable<std::size_t> read(std::span<std::byte> buffer) = 0;
};

/// Adds or replaces one file.
struct commit_operation_add {
  /// Text or binary content held in memory.
  struct bytes {
    bytes() = default;
    explicit bytes(std::string content) : data(std::move(content)) {}  // no aggregate: named.hpp
    std::string data{};
  };

  std::string path_in_repo{};
  /// A file on disk, bytes, or a source. A source is read once, at the start of the commit, into an
  /// unnamed file below `client_config::upload_state_dir`, and hashed meanwhile.
  std::variant<std::filesystem::path, bytes, std::shared_ptr<upload_source>> content{};
  /// Only so many bytes of the file on disk, which others may go on appending to; of a small file
  /// that another has replaced meanwhile, all of the other one. Unset: all of it; a small file as
  /// it is when the commit is made. A large one whose content changes during the upload is
  /// `errc::content_mismatch`.
  std::optional<std::uint64_t> first_bytes{};
};

/// Deletes one file, or a folder with all that is in it.
struct commit_operation_delete {
  std::string path_in_repo{};
  bool is_folder = false;  ///< also implied by a final '/'
};

/// Adds a file that a repository has: a large one without moving its bytes, a small one by way of
/// the local cache.
struct commit_operation_copy {
  std::string src_path_in_repo{};
  std::string path_in_repo{};
  std::string src_revision{};  ///< empty: the commit's own revision, or main of another repository
  std::string src_repo_id{};   ///< empty: the repository that is committed to
  std::optional<repo_type> src_repo_type{};  ///< unset: the commit's
};

using commit_operation =
    std::variant<commit_operation_add, commit_operation_delete, commit_operation_copy>;

struct create_commit_options {
  repo_type type = repo_type::model;
  std::string revision = "main";  ///< an existing branch or `refs/pr/N`
  std::string commit_description{};
  bool create_pr = false;       ///< open a pull request instead of committing to the branch
  std::string parent_commit{};  ///< not empty: where a pull request starts, and where the head of
                                ///< a branch has to be, else it is errc::commit_conflict
  /// Where the branch has moved on, make the commit on top of what is there now, a few times if
  /// need be. What others changed meanwhile in the same files is overwritten.
  bool rebase = false;
  std::size_t num_threads = 8;  ///< large files, or parts of them, sent at once; cut to 1 to 256
  std::size_t num_hash_threads = 2;  ///< files hashed at once, on the client's pool; cut likewise
  std::optional<std::string> token{};
  std::shared_ptr<cohub::observer> observer{};
};

struct validate_card_options {
  repo_type type = repo_type::model;
  std::optional<std::string> token{};
};

struct upload_file_options {
  repo_type type = repo_type::model;
  std::string revision = "main";
  std::string commit_message{};  ///< empty: "Upload <path> with cohub"
  std::string commit_description{};
  bool create_pr = false;
  std::string parent_commit{};
  bool rebase = false;               ///< as `create_commit_options::rebase`, and so are the limits
  std::size_t num_threads = 8;       ///< parts sent at once; cut to 1 to 256
  std::size_t num_hash_threads = 2;  ///< files hashed at once; cut likewise
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
  bool rebase = false;          ///< as `create_commit_options::rebase`, and so are the limits
  std::size_t num_threads = 8;  ///< large files, or parts of them, sent at once; cut to 1 to 256
  std::size_t num_hash_threads = 2;  ///< files hashed at once; cut likewise
  std::optional<std::vector<std::string>>
      allow_patterns{};  ///< see path relative to the local folder
  std::vector<std::string> ignore_patterns{};
  std::vector<std::string>
      delete_patterns{};  ///< remote files, relative to `path_in_repo`, to delete
  std::vector<commit_operation> additional{};  ///< of the same commit; patterns do not matter
  std::optional<std::string> token{};
  std::shared_ptr<cohub::observer> observer{};
};

struct upload_large_folder_options {
  repo_type type = repo_type::model;
  std::string revision = "main";
  std::optional<bool> is_private{};  ///< of a repository that is made; unset: the owner's default
  std::string space_sdk{};           ///< of a space that is made
  /// Large files, or parts of them, sent at once; a quarter as many files are hashed. 0 is 1.
  std::size_t num_workers = 16;
  std::optional<std::vector<std::string>>
      allow_patterns{};  ///< see path relative to the local folder
  std::vector<std::string> ignore_patterns{};
  std::optional<std::string> token{};
  std::shared_ptr<cohub::observer> observer{};
};

struct delete_file_options {
  repo_type type = repo_type::model;
  std::string revision = "main";
  std::string commit_message{};  ///< empty: "Delete <path> with cohub"
  std::string commit_description{};
  bool create_pr = false;
  std::string parent_commit{};
  bool rebase = false;  ///< as `create_commit_options::rebase`; what others deleted stays deleted
  std::optional<std::string> token{};
  std::shared_ptr<cohub::observer> observer{};
};

/// What an upload of a large folder did, earlier runs included where `files` are counted.
struct upload_large_folder_info {
  std::uint64_t files = 0;      ///< of the folder, that the patterns keep
  std::uint64_t committed = 0;  ///< by this run
  std::uint64_t unchanged = 0;  ///< were in the repository, or committed by an earlier run
  std::uint64_t ignored = 0;    ///< by the repository's .gitignore
  std::uint64_t left_out = 0;   ///< gone, or did not stay as they were: a warning named them
  std::uint64_t commits = 0;    ///< made by this run
  std::string oid{};            ///< of the last one; empty: there was nothing to commit
};

/// What became of a commit.
struct commit_info {
  std::string commit_url{};
  std::string commit_message{};
  std::string commit_description{};
  std::string oid{};       ///< 40 hex digits
  bool unchanged = false;  ///< nothing to do: no commit was made and `oid` is the head as it was
  std::vector<std::string> ignored{};  ///< additions that the repository's .gitignore keeps out
  std::string pr_url{};                ///< of the pull request, if one was opened
  std::string pr_revision{};           ///< `refs/pr/N`
  std::optional<unsigned> pr_num{};
  std::string repo_id{};   ///< "owner/name" of the repository, as it was asked for
  std::string repo_url{};  ///< its web page
};

}  // namespace cohub
