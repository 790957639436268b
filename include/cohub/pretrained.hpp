#pragma once

#include "cohub/client.hpp"
#include "cohub/model_card.hpp"
#include "cohub/named.hpp"

#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

/// Pushing and fetching models by hand, for frameworks that have no class to put the mixin on
/// (mixin-and-cards, section 7.8). `model_hub_mixin` is made of the same steps.

namespace cohub {

struct push_to_hub_options {
  std::string commit_message = "Push model using cohub.";
  std::string commit_description{};
  std::optional<bool>
      is_private{};  ///< of a repository that is created; unset: the owner's default
  std::optional<std::string> token{};  ///< unset: the client's
  std::string branch{};                ///< an existing one; empty: "main"
  bool create_pr = false;              ///< open a pull request; excludes another branch than "main"
  std::string parent_commit{};  ///< not empty: where a pull request starts, and where the head of
                                ///< a branch has to be, else it is errc::commit_conflict
  std::optional<std::vector<std::string>> allow_patterns{};  ///< unset: all files that were written
  std::vector<std::string> ignore_patterns{};
  std::vector<std::string> delete_patterns{};  ///< remote files that go in the same commit
  /// Every push replaces the remote `README.md`; with this, one that is there stays, whatever
  /// `delete_patterns` say.
  bool keep_remote_card = false;
  /// An object that is written to `config.json` in place of the model's own, also an empty one;
  /// unset or null: the model's. Where a model has no config, one that is in the repository stays:
  /// `delete_patterns` can name it.
  std::optional<boost::json::value> config{};
  template_variables model_card_variables{};  ///< for the template of the card; they win
  /// Changes the generated card, for classes that cannot be given a `generate_model_card`; where
  /// none is generated, it is given an empty one. A card that the hook wrote is left alone. Called
  /// on the pool.
  std::function<void(model_card&)> edit_card{};
  /// Who asks, put into the user agent: "fastai", "2.7". Empty: as the client was told.
  std::string library_name{};
  std::string library_version{};
  std::shared_ptr<cohub::observer> observer{};
};

struct save_pretrained_options {
  std::optional<boost::json::value> config{};  ///< as in `push_to_hub_options`
  template_variables model_card_variables{};
  std::function<void(model_card&)> edit_card{};  ///< as in `push_to_hub_options`
  bool push_to_hub = false;                      ///< push what was saved, too
  std::string repo_id{};                         ///< where to; empty: the name of the folder
  push_to_hub_options push{};  ///< how; its `config`, card and variables yield to the ones here
};

struct from_pretrained_options {
  std::string revision = "main";      ///< branch, tag, `refs/pr/N` or commit
  std::filesystem::path cache_dir{};  ///< empty: the client's
  bool force_download = false;
  bool local_files_only = false;
  std::optional<std::string> token{};
  /// Laid over the members of `config.json`. One that the config does not have is an error.
  boost::json::object config_overrides{};
  boost::json::object extra{};  ///< for the load hook, which knows what it means
  std::string library_name{};   ///< as in `push_to_hub_options`
  std::string library_version{};
  std::shared_ptr<cohub::observer> observer{};
};

struct fetch_pretrained_options {
  std::string file{};  ///< one file to fetch; empty: all that the patterns keep
  std::optional<std::vector<std::string>> allow_patterns{};
  std::vector<std::string> ignore_patterns{};
  std::string revision = "main";
  std::filesystem::path cache_dir{};
  bool force_download = false;
  bool local_files_only = false;
  std::optional<std::string> token{};
  std::string library_name{};  ///< as in `push_to_hub_options`
  std::string library_version{};
  std::shared_ptr<cohub::observer> observer{};
};

/// Creates the repository if it is missing, lets `write` fill an empty temporary folder, and
/// uploads that in one commit. `write` runs on the client's blocking pool; what it leaves out is
/// added: `config.json` and a card, if the options have them. Weights that the repository had and
/// that those written stand for, in one file or in shards, go in the same commit.
///
/// Name the function object first: g++ 12 miscompiles an inline lambda that captures by value.
/// @throws error  errc::invalid_argument: `create_pr` with another branch than "main", a `config`
///                that is no object; what is thrown by `write`, `client::create_repo` and
///                `client::upload_folder`
/// @par Cancellation  as `client::create_commit`; may leave the repository, too
/// @par Mirrors  push_to_hub_fastai()
awaitable<commit_info> push_with(client hub, std::string repo_id,
                                 std::function<void(const std::filesystem::path&)> write,
                                 named<push_to_hub_options> options = {});

/// The path of one file of a model, or of the folder with all that the patterns keep. An existing
/// local folder is used as it is, without a request. The Hub counts a download where `config.json`
/// is asked for, which a single `file` does not: `open_pretrained` does.
/// @throws error  what `client::download_file` and `client::snapshot_download` throw;
///                errc::entry_not_found: the local folder lacks the file
/// @par Mirrors  from_pretrained_fastai()
awaitable<std::filesystem::path> fetch_pretrained(client hub, std::string id_or_path,
                                                  named<fetch_pretrained_options> options = {});

}  // namespace cohub
