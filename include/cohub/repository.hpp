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

/// The commit that changed a file or folder last.
struct last_commit_info {
  std::string oid{};  ///< 40 hex digits
  std::string title{};
  std::string date{};  ///< ISO 8601, UTC
};

/// What scans of a file found.
struct file_security_info {
  std::string status{};  ///< "safe", "unscanned", ...; an open set
  std::string json{};    ///< all that the Hub said of it

  bool safe() const { return status == "safe"; }
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
  std::optional<last_commit_info> last_commit{};  ///< with `expand` only
  std::optional<file_security_info> security{};   ///< with `expand` only, where the Hub scans
};

/// A large object that a repository holds, whichever commits name it.
struct lfs_file_info {
  std::string file_oid{};   ///< what `permanently_delete_lfs_files` names it by
  std::string filename{};   ///< a path that it has, or had
  std::string oid{};        ///< its sha256
  std::string pushed_at{};  ///< ISO 8601, UTC
  std::string ref{};        ///< where it was pushed to; may be empty
  std::uint64_t size = 0;   ///< in bytes
};

/// A repository of one's own, and the room it takes.
struct repo_storage_info {
  std::string id{};            ///< "owner/name"
  std::string type{};          ///< "model", "dataset", "space", "bucket"; an open set
  std::string updated_at{};    ///< ISO 8601, UTC
  std::string visibility{};    ///< "public", "private" or "protected"
  std::uint64_t storage = 0;   ///< in bytes
  double storage_percent = 0;  ///< of all that the owner has
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

/// A secret or a variable of a space.
struct space_variable {
  std::string key{};
  std::string value{};
  std::string description{};  ///< may be empty
};

/// Something that a space sees as a folder.
struct space_volume {
  std::string type = "model";  ///< "model", "dataset", "space" or "bucket"
  std::string source{};        ///< "owner/name"
  std::string mount_path{};    ///< in the space: "/data"
  std::string revision{};      ///< may be empty
  std::string path{};          ///< the folder of it; empty: all
  std::optional<bool> read_only{};
};

struct create_repo_options {
  repo_type type = repo_type::model;
  std::optional<bool> is_private{};  ///< unset: `visibility`
  bool exist_ok = false;             ///< an existing repository is a success
  std::string space_sdk{};  ///< "gradio", "streamlit", "docker", "static"; empty: the template's
  std::optional<std::string> token{};  ///< unset: the client's; "" sends none
  /// "public", "private", or of a space "protected"; excludes `is_private`. Empty: the owner's
  /// default.
  std::string visibility{};
  std::string resource_group_id{};  ///< of an organisation that has such groups
  std::string region{};             ///< "us" or "eu"; empty: the owner's default
  // Of a space; ignored where it is none.
  std::string space_hardware{};                    ///< "cpu-basic", "t4-medium", ...; an open set
  std::string space_storage{};                     ///< "small", "medium" or "large"
  std::optional<std::int64_t> space_sleep_time{};  ///< idle seconds before it sleeps; -1: never
  std::vector<space_variable> space_secrets{};
  std::vector<space_variable> space_variables{};
  std::vector<space_volume> space_volumes{};
  std::string space_template{};  ///< what it begins as: id or name of one that the Hub offers
};

struct duplicate_repo_options {
  repo_type type = repo_type::model;
  std::optional<bool> is_private{};    ///< unset: `visibility`
  std::string visibility{};            ///< as `create_repo_options`; empty: as the original
  bool exist_ok = false;               ///< an existing repository is a success
  std::optional<std::string> token{};  ///< unset: the client's; "" sends none
  // Of a space, as `create_repo_options`.
  std::string space_hardware{};
  std::string space_storage{};
  std::optional<std::int64_t> space_sleep_time{};
  std::vector<space_variable> space_secrets{};
  std::vector<space_variable> space_variables{};
  std::vector<space_volume> space_volumes{};
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
  /// `files_metadata` and `security_status`. Empty: what the Hub tells by itself.
  std::vector<std::string> expand{};
  std::optional<std::string> token{};
  bool security_status = false;  ///< with what scans of the files found, in `json`
};

/// Of each kind of repository its own filters count, and those that have no note.
struct list_repos_options {
  std::vector<std::string> search{};  ///< words of the id, each of which must occur
  std::string author{};               ///< user or organisation
  std::vector<std::string> filter{};  ///< tags: "text-generation", "license:mit", "language:en"
  std::string pipeline_tag{};         ///< of models
  std::optional<bool> gated{};
  std::vector<std::string> apps{};  ///< of models: programs that run them ("ollama", "vllm")
  std::string inference{};          ///< of models: "warm"
  std::vector<std::string> inference_provider{};  ///< of models; "all": by any
  std::string num_parameters{};                   ///< of models: "min:6B,max:128B"
  std::vector<std::string> trained_dataset{};     ///< of models: ids of datasets
  // Of datasets, each with its prefix one of the tags: "en" of `language` is "language:en".
  std::string benchmark{};  ///< "official"
  std::vector<std::string> language{};
  std::vector<std::string> language_creators{};
  std::vector<std::string> multilinguality{};
  std::vector<std::string> size_categories{};
  std::vector<std::string> task_categories{};
  std::vector<std::string> task_ids{};
  std::vector<std::string> datasets{};  ///< of spaces: that they use
  std::vector<std::string> models{};    ///< of spaces: that they use
  bool linked = false;                  ///< of spaces: those that use a model or a dataset
  std::string sort{};  ///< "downloads", "likes", "created_at", "last_modified", "trending_score"
  std::uint64_t limit = 0;            ///< the most to list; 0: all
  bool full = false;                  ///< with files, of models; with all there is, of the others
  bool card_data = false;             ///< with the metadata of the card, in `repo_info::json`
  bool fetch_config = false;          ///< with the configuration, of models, in `repo_info::json`
  std::vector<std::string> expand{};  ///< as `repo_info_options::expand`; excludes the three above
  std::optional<std::string> token{};
};

struct list_repo_tree_options {
  repo_type type = repo_type::model;
  std::string revision = "main";
  std::string path_in_repo{};  ///< folder to list; empty: the root
  bool recursive = false;
  std::optional<std::string> token{};
  bool expand = false;  ///< with last commits and security; the pages are smaller
};

struct list_repo_files_options {
  repo_type type = repo_type::model;
  std::string revision = "main";
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
  /// "public", "private", or of a space "protected"; excludes `is_private`. Empty: stays.
  std::string visibility{};
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
  bool expand = false;  ///< with last commits and security
};

struct auth_check_options {
  repo_type type = repo_type::model;
  bool write = false;  ///< whether one may write, too
  std::optional<std::string> token{};
};

struct get_full_repo_name_options {
  std::string organization{};  ///< empty: the token's user, whom the Hub is asked for
  std::optional<std::string> token{};
};

struct list_user_repos_options {
  std::string organization{};  ///< empty: the token's user
  std::optional<std::string> token{};
};

struct list_lfs_files_options {
  repo_type type = repo_type::model;
  std::optional<std::string> token{};
};

struct permanently_delete_lfs_files_options {
  repo_type type = repo_type::model;
  bool rewrite_history = true;  ///< remove what points to them from all commits
  std::optional<std::string> token{};
};

struct whoami_options {
  std::optional<std::string> token{};
};

}  // namespace cohub
