#pragma once

#include "server/store/hub_store.hpp"
#include "server/store/weights_cache.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace cohub::server {

class git_repository;

/// Reads the headers of the safetensors files at the root of a commit, as many as a model has;
/// nothing if there are none that can be read. Blocking.
std::optional<weights_summary> summarize_weights(hub_store& store, const repo_record& record,
                                                 const git_repository& repository,
                                                 const std::string& commit);

/// Whether a number lies in a range such as "min:6B,max:128B", either end of which may be missing.
bool is_in_range(std::uint64_t number, std::string_view range);

}  // namespace cohub::server
