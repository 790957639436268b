#include "cache/layout.hpp"

#include "cohub/error.hpp"

#include "cache/leftover.hpp"
#include "hub/file_metadata.hpp"
#include "hub/repo_id.hpp"
#include "hub/repo_path.hpp"
#include "io/file.hpp"

namespace cohub::cache {

namespace {

std::filesystem::path checked_path(std::string_view name) {
  if (const auto outcome = hub::check_download_path(name); !outcome)
    throw error(outcome.error(), "using \"" + std::string(name) + "\" as a path in the cache");
  return std::filesystem::path(name).lexically_normal();
}

std::string checked_etag(std::string_view etag) {
  // Nor may content bear the name of what a download leaves behind, to be deleted with that.
  if (!hub::is_safe_file_name(etag) || leftover_kind(etag))
    throw error(errc::invalid_response, "using an etag of the server as a file name");
  return std::string(etag);
}

std::string checked_commit(std::string_view commit) {
  if (!hub::is_commit_id(commit))
    throw error(errc::invalid_response, "using \"" + std::string(commit) + "\" as a commit id");
  return std::string(commit);
}

}  // namespace

std::string repo_folder_name(repo_type type, std::string_view repo_id) {
  if (const auto outcome = hub::check_repo_id(repo_id); !outcome)
    throw error(outcome.error(), "using \"" + std::string(repo_id) + "\" as a repository id");
  std::string name(hub::plural(type));
  name += "--";
  for (const char c : repo_id) {
    if (c == '/')
      name += "--";
    else
      name += c;
  }
  return name;
}

repo_layout::repo_layout(std::filesystem::path cache_dir, repo_type type, std::string_view repo_id)
    : cache_dir_(io::absolute_path(cache_dir)),
      folder_(cache_dir_ / repo_folder_name(type, repo_id)) {}

std::filesystem::path repo_layout::blob(std::string_view etag) const {
  return blobs() / checked_etag(etag);
}

std::filesystem::path repo_layout::ref(std::string_view revision) const {
  return refs() / checked_path(revision);
}

std::filesystem::path repo_layout::snapshot(std::string_view commit) const {
  return snapshots() / checked_commit(commit);
}

std::filesystem::path repo_layout::pointer(std::string_view commit, std::string_view path) const {
  return snapshot(commit) / checked_path(path);
}

std::filesystem::path repo_layout::no_exist(std::string_view commit, std::string_view path) const {
  return folder_ / ".no_exist" / checked_commit(commit) / checked_path(path);
}

std::filesystem::path repo_layout::tree(std::string_view commit) const {
  return folder_ / "trees" / (checked_commit(commit) + ".json");
}

std::filesystem::path repo_layout::lock(std::string_view etag) const {
  return cache_dir_ / ".locks" / folder_.filename() / (checked_etag(etag) + ".lock");
}

std::filesystem::path repo_layout::snapshot_lock(std::string_view commit) const {
  return cache_dir_ / ".locks" / folder_.filename() / snapshot_lock_name(checked_commit(commit));
}

std::string snapshot_lock_name(std::string_view commit) {
  return std::string(commit) + ".snapshot";
}

std::string link_text(std::string_view path, std::string_view etag) {
  const auto normal = checked_path(path);
  std::string text = "../";  // out of the commit's folder, and out of snapshots/
  for (auto part = normal.begin(); part != normal.end(); ++part) text += "../";
  return text + "blobs/" + checked_etag(etag);
}

std::string_view cachedir_tag() noexcept {
  return "Signature: 8a477f597d28d172789f06886806bc55\n"
         "# This file marks a cache directory of cohub and huggingface_hub.\n"
         "# Backup programs may leave the folder out: all of it can be downloaded again.\n"
         "# Specification: https://bford.info/cachedir/\n";
}

}  // namespace cohub::cache
