#pragma once

#include "cohub/awaitable.hpp"
#include "cohub/client.hpp"
#include "cohub/load_context.hpp"
#include "cohub/named.hpp"
#include "cohub/pretrained.hpp"

#include <filesystem>
#include <string>

namespace cohub {

/// Fetches the weights of a model: `model.safetensors`, or the index and all the shards it names,
/// at one commit, several at a time. Yields the path of the file or of the index, for
/// `safetensors_model`. A local folder is looked into, not copied.
///
/// @param options  `file` names another file than `model.safetensors`, its index is
///                 `<file>.index.json`; patterns do not matter
/// @throws error  errc::not_safetensors_repo: neither is there, and the text tells if there are
///                pickled weights instead; errc::entry_not_found: a shard is missing; what
///                `fetch_pretrained` throws
/// @par Cancellation  finished files stay, partial ones can be continued
awaitable<std::filesystem::path> download_safetensors(client hub, std::string id_or_path,
                                                      named<fetch_pretrained_options> options = {});

/// The same with every parameter that `from_pretrained` was given, and at the commit of the config:
/// for awaitable load hooks.
/// @param filename_pattern  as in `save_state_dict_options`
awaitable<std::filesystem::path> download_safetensors(
    load_context context, std::string filename_pattern = "model{suffix}.safetensors");

}  // namespace cohub
