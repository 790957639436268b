#pragma once

#include "cohub/awaitable.hpp"
#include "cohub/client.hpp"
#include "cohub/model_info.hpp"
#include "cohub/named.hpp"
#include "cohub/pretrained.hpp"

#include <xgboost/c_api.h>

#include <memory>
#include <string>

/// XGBoost on the Hub: a pair of functions, as frameworks without a class to inherit from have them
/// (mixin-and-cards, sections 1 and 7.8). Target `cohub::xgboost`.

namespace cohub {

/// Owns a booster.
class xgboost_booster {
 public:
  xgboost_booster() = default;
  explicit xgboost_booster(BoosterHandle handle) : handle_(handle) {}

  /// For XGBoost's functions; null if there is none.
  BoosterHandle get() const noexcept { return handle_.get(); }

 private:
  struct deleter {
    void operator()(void* handle) const noexcept { XGBoosterFree(handle); }
  };
  std::unique_ptr<void, deleter> handle_{};
};

struct push_to_hub_xgboost_options {
  /// What the model is called in the repository; ".json" is text that every version reads, ".ubj"
  /// the same in binary.
  std::string file = "model.json";
  model_info info{};           ///< of the card, beside the library's name and tag
  push_to_hub_options push{};  ///< its `config`, if set, must be an object
};

struct from_pretrained_xgboost_options {
  std::string file = "model.json";
  fetch_pretrained_options fetch{};  ///< its `file` and patterns do not matter
};

/// Pushes a booster in one commit: the model, a card, and `config.json` with the version of XGBoost
/// and the number of features beside what `push.config` has.
///
/// The booster must outlive the operation, unchanged.
/// @throws error  errc::invalid_argument: XGBoost cannot write the booster; errc::invalid_config: a
///                config that is no object; what `push_with` throws
/// @par Cancellation  as `client::create_commit`; may leave the repository, too
/// @par Mirrors  push_to_hub_fastai()
awaitable<commit_info> push_to_hub_xgboost(client hub, BoosterHandle booster, std::string repo_id,
                                           named<push_to_hub_xgboost_options> options = {});

/// Loads a booster from the Hub or a local folder, ready to predict. `config.json` is asked for
/// first: downloads are counted by it, and it tells the version; a model may lack it. Both files
/// come from one commit.
/// @throws error  errc::invalid_argument: XGBoost cannot read the file, or a newer one made it;
///                errc::invalid_config; what `client::download_file` throws
/// @par Mirrors  from_pretrained_fastai()
awaitable<xgboost_booster> from_pretrained_xgboost(
    client hub, std::string id_or_path, named<from_pretrained_xgboost_options> options = {});

}  // namespace cohub
