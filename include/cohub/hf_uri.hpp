#pragma once

#include "cohub/repository.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace cohub {

/// A place on the Hub, as people write it.
struct hf_uri {
  repo_type type = repo_type::model;
  std::string id{};                       ///< "owner/name"
  std::optional<std::string> revision{};  ///< unset: none is named
  std::string path_in_repo{};             ///< empty: the repository itself
  bool is_folder = false;  ///< the path is written with a final '/', or as a `tree` web address
};

/// Reads `hf://[models|datasets|spaces|kernels/]owner/name[@revision][/path]`, or the web address
/// of a repository, file or folder (`https://huggingface.co/owner/name/blob/main/file`; blob,
/// resolve, raw or tree; the scheme may be left out).
///
/// In an `hf://` address the revision ends at the next '/' (a '/' of its own is written "%2F"),
/// except for `refs/pr/N` and `refs/convert/name`. Query and fragment of a web address are dropped.
///
/// @param endpoint  a Hub whose web addresses are read besides those of huggingface.co and hf.co;
///                  empty: that of `HF_ENDPOINT`
/// @throws error  errc::invalid_url, with the reason: also for a bucket, which is no repository
/// @par Mirrors  parse_hf_uri()
hf_uri parse_hf_uri(std::string_view text, std::string_view endpoint = {});

/// Whether a text is meant as such an address: it begins with "hf://", "http://" or "https://", or
/// with a host whose web addresses are read.
bool is_hf_uri(std::string_view text, std::string_view endpoint = {});

}  // namespace cohub
