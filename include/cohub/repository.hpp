#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace cohub {

/// Which of the Hub's kinds of repository an id names.
enum class repo_type { model, dataset, space, kernel };

/// What `create_repo` answers.
struct repo_url {
  std::string url{};      ///< web page of the repository
  std::string repo_id{};  ///< "owner/name", also where a bare name was asked for
  repo_type type = repo_type::model;
};

/// A file stored as a large object.
struct lfs_info {
  std::string sha256{};            ///< 64 hex digits
  std::uint64_t size = 0;          ///< of the content, in bytes
  std::uint64_t pointer_size = 0;  ///< of the git blob that stands for it
};

/// One file of `repo_info::siblings`.
struct repo_sibling {
  std::string rfilename{};              ///< path in the repository
  std::optional<std::uint64_t> size{};  ///< with `files_metadata` only
  std::string blob_id{};                ///< git blob id, with `files_metadata` only
  std::optional<lfs_info> lfs{};        ///< with `files_metadata` only
};

/// What the Hub tells of a repository at one revision. All but `id` may be empty.
struct repo_info {
  std::string id{};  ///< "owner/name"
  std::string author{};
  std::string sha{};  ///< commit that the revision names
  bool is_private = false;
  std::string gated{};  ///< empty, "auto" or "manual"
  bool disabled = false;
  std::string created_at{};     ///< ISO 8601, UTC
  std::string last_modified{};  ///< ISO 8601, UTC
  std::vector<std::string> tags{};
  std::string library_name{};
  std::string pipeline_tag{};
  std::string sdk{};  ///< of a space
  std::vector<repo_sibling> siblings{};
  std::optional<std::uint64_t> downloads{};
  std::optional<std::uint64_t> likes{};
  /// All that the Hub said, as JSON: the fields above, and those that have no member here.
  std::string json{};
};

/// A file or folder of a revision's tree.
struct tree_entry {
  enum class kind { file, directory };

  kind type = kind::file;
  std::string path{};
  std::string oid{};  ///< git id: of the blob (of the pointer, for a large file) or of the tree
  std::uint64_t size = 0;         ///< of the content, also for a large file; 0 for a folder
  std::optional<lfs_info> lfs{};  ///< set for a large file
  std::string xet_hash{};         ///< of a large file that lies in Xet storage
};

/// Whose token it is.
struct user_info {
  std::string name{};
  std::string fullname{};
  std::string type{};  ///< "user" or "org"
  std::string email{};
  std::vector<std::string> orgs{};  ///< names of the organisations
  std::string token_name{};
  std::string token_role{};  ///< "read", "write", ...; an open set
};

struct create_repo_options {
  repo_type type = repo_type::model;
  std::optional<bool> is_private{};  ///< unset: the owner's default
  bool exist_ok = false;             ///< an existing repository is a success
  std::string space_sdk{};  ///< required for a space: "gradio", "streamlit", "docker", "static"
  std::optional<std::string> token{};  ///< unset: the client's; "" sends none
};

struct delete_repo_options {
  repo_type type = repo_type::model;
  bool missing_ok = false;  ///< a repository that does not exist is a success
  std::optional<std::string> token{};
};

struct repo_info_options {
  repo_type type = repo_type::model;
  std::string revision{};       ///< empty: the default branch
  bool files_metadata = false;  ///< fill size, blob id and lfs of the siblings
  /// Ask for these fields alone ("downloadsAllTime", "safetensors"), which are in `json`; excludes
  /// `files_metadata`. Empty: what the Hub tells by itself.
  std::vector<std::string> expand{};
  std::optional<std::string> token{};
};

struct list_repos_options {
  std::vector<std::string> search{};  ///< words of the id, each of which must occur
  std::string author{};               ///< user or organisation
  std::vector<std::string> filter{};  ///< tags: "text-generation", "license:mit", "language:en"
  std::string pipeline_tag{};         ///< of models
  std::optional<bool> gated{};
  std::string sort{};  ///< "downloads", "likes", "created_at", "last_modified", "trending_score"
  std::uint64_t limit = 0;            ///< the most to list; 0: all
  bool full = false;                  ///< with files, of models
  bool card_data = false;             ///< with the metadata of the card, in `repo_info::json`
  std::vector<std::string> expand{};  ///< as `repo_info_options::expand`; excludes the two above
  std::optional<std::string> token{};
};

struct list_repo_tree_options {
  repo_type type = repo_type::model;
  std::string revision = "main";
  std::string path_in_repo{};  ///< folder to list; empty: the root
  bool recursive = false;
  std::optional<std::string> token{};
};

struct file_exists_options {
  repo_type type = repo_type::model;
  std::string revision = "main";
  std::optional<std::string> token{};
};

struct move_repo_options {
  repo_type type = repo_type::model;
  std::optional<std::string> token{};
};

struct update_repo_settings_options {
  repo_type type = repo_type::model;
  std::optional<bool> is_private{};    ///< unset: stays
  std::optional<std::string> gated{};  ///< "auto", "manual", or "" for open to all; unset: stays
  std::optional<std::string> token{};
};

struct repo_exists_options {
  repo_type type = repo_type::model;
  std::optional<std::string> token{};
};

struct revision_exists_options {
  repo_type type = repo_type::model;
  std::optional<std::string> token{};
};

struct get_paths_info_options {
  repo_type type = repo_type::model;
  std::string revision = "main";
  std::optional<std::string> token{};
};

struct whoami_options {
  std::optional<std::string> token{};
};

}  // namespace cohub
