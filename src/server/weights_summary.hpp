#pragma once

#include "server/hub_store.hpp"

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

namespace cohub::server {

class git_repository;

/// How many parameters a model's safetensors files hold.
struct weights_summary {
  std::map<std::string, std::uint64_t> parameters{};  ///< by type of number: "BF16"
  std::uint64_t total = 0;
};

/// Reads the headers of the safetensors files at the root of a commit; nothing if there are none
/// that can be read. Blocking.
std::optional<weights_summary> summarize_weights(const hub_store& store, const repo_record& record,
                                                 const git_repository& repository,
                                                 const std::string& commit);

/// Whether a number lies in a range such as "min:6B,max:128B", either end of which may be missing.
bool is_in_range(std::uint64_t number, std::string_view range);

}  // namespace cohub::server
