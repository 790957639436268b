#pragma once

#include "cohub/remote_safetensors.hpp"

#include "model/safetensors/name_index.hpp"
#include "model/safetensors/safetensors_header.hpp"

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>

namespace cohub::model {

/// One file of a model, open, with its header.
struct safetensors_shard {
  remote_file file{};
  std::string origin{};  ///< for errors
  safetensors_header header{};
  unknown_dtypes unknown{};
  name_index names{};
};
using shard_ptr = std::shared_ptr<const safetensors_shard>;

}  // namespace cohub::model

namespace cohub::detail {

struct remote_safetensors_state {
  client hub;
  std::string repo_id{};
  remote_safetensors_options options{};  // the revision is the commit, once it is known
  bool sharded = false;
  std::optional<boost::json::object> metadata{};
  std::map<std::string, std::string, std::less<>> weight_map{};
  std::map<std::string, model::shard_ptr, std::less<>> shards{};  // null: not needed yet
};

}  // namespace cohub::detail

namespace cohub::model {

using remote_model_ptr = std::shared_ptr<detail::remote_safetensors_state>;

/// Opens a file and reads its header.
awaitable<shard_ptr> open_shard(client hub, std::string repo_id, std::string path,
                                remote_safetensors_options options);

/// A file of the model, opened if it has not been yet.
awaitable<shard_ptr> find_shard(remote_model_ptr model, std::string path);

}  // namespace cohub::model
