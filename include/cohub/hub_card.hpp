#pragma once

#include "cohub/awaitable.hpp"
#include "cohub/client.hpp"
#include "cohub/commit.hpp"
#include "cohub/model_card.hpp"
#include "cohub/named.hpp"

#include <optional>
#include <string>
#include <vector>

/// Cards in repositories: their `README.md` (mixin-and-cards, sections 4.2, 4.5 and 4.6).
namespace cohub {

struct load_card_options {
  repo_type type = repo_type::model;
  std::string revision = "main";
  card_options reading{};
  std::optional<std::string> token{};
};

struct push_card_options {
  repo_type type = repo_type::model;
  std::string revision = "main";
  std::string commit_message{};  ///< empty: "Upload README.md with cohub"
  std::string commit_description{};
  bool create_pr = false;
  std::string parent_commit{};
  std::optional<std::string> token{};
};

struct metadata_update_options {
  push_card_options push{};  ///< empty `commit_message`: "Update metadata with cohub"
  bool overwrite = false;    ///< replace what has another value
};

/// Reads the card of a repository. What is odd in it (`model_card::warnings`) goes to the client's
/// log and observer.
/// @throws error  errc::entry_not_found: it has none; errc::invalid_card, with the line; what
///                `client::read_file` throws
/// @par Mirrors  ModelCard.load(), of a repository; `model_card::load` is of a file
awaitable<model_card> load_card(client hub, std::string repo_id,
                                named<load_card_options> options = {});

/// Has the Hub check a card; yields its warnings.
/// @throws error  errc::bad_request: what the Hub finds wrong with the metadata
/// @par Mirrors  RepoCard.validate(), which asks the public Hub whatever the endpoint
awaitable<std::vector<std::string>> validate_card(client hub, model_card card,
                                                  named<validate_card_options> options = {});

/// Has the Hub check a card and commits it, to a pull request if asked.
/// @throws error  errc::bad_request: what the Hub finds wrong with the metadata; what
///                `client::create_commit` throws
/// @par Mirrors  ModelCard.push_to_hub()
awaitable<commit_info> push_card(client hub, model_card card, std::string repo_id,
                                 named<push_card_options> options = {});

/// Changes metadata of a repository's card and commits it; comments stay, but for those beside
/// values that change. A member that has another value is an error unless `overwrite`; a null
/// removes one. Results in `model-index` are merged one by one into the element of the same name,
/// else into the first: a metric that is there gets its new value, another is appended; an index
/// without name gets that of the card, else the repository's id. A model or dataset without card
/// gets one of the default template. Without `push_card_options::parent_commit` it keeps what
/// others commit meanwhile: where the branch has moved it begins anew, up to ten times.
///
/// @throws error  errc::invalid_card: a member has another value, which is named; a space without
///                card; results for a dataset or space; what `load_card`, `client::repo_info` and
///                `push_card` throw
/// @par Mirrors  metadata_update(), which reads from main whatever the revision, drops comments and
///               undoes what others commit meanwhile; this reads where it writes
awaitable<commit_info> metadata_update(client hub, std::string repo_id, card_map metadata,
                                       named<metadata_update_options> options = {});

/// The same of a card in memory.
/// @param repo_id  for an index without name
void update_metadata(model_card& card, const card_map& metadata, bool overwrite,
                     const std::string& repo_id);

}  // namespace cohub
