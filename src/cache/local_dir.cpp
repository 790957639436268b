#include "cache/local_dir.hpp"

#include "cohub/error.hpp"

#include "cache/leftover.hpp"
#include "cache/repo_cache.hpp"
#include "core/base64.hpp"
#include "core/digest.hpp"
#include "core/take_line.hpp"
#include "hub/file_metadata.hpp"
#include "hub/repo_id.hpp"
#include "hub/repo_path.hpp"
#include "io/file.hpp"

#include <boost/algorithm/string/predicate.hpp>
#include <climits>

#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <charconv>
#include <chrono>
#include <cmath>
#include <utility>
#include <vector>

namespace cohub::cache {

namespace {

constexpr std::uint64_t metadata_limit = 4096;
constexpr std::size_t longest_suffix = std::string_view(".metadata").size();

std::filesystem::path checked_path(std::string_view name) {
  if (const auto outcome = hub::check_download_path(name); !outcome)
    throw error(outcome.error(), "using \"" + std::string(name) + "\" as a path in a folder");
  return std::filesystem::path(name).lexically_normal();
}

/// Whether a path leads to where it is noted what the folder's files are: a repository that has
/// such files could pass its content off as another's. Some file systems do not tell letter cases
/// apart.
bool is_bookkeeping(const std::filesystem::path& relative) {
  auto part = relative.begin();
  for (const std::string_view name : {".cache", "huggingface"}) {
    if (part == relative.end() || !boost::iequals(part->native(), name)) return false;
    ++part;
  }
  return true;
}

/// Parents below `root` must be real folders.
void refuse_links(const std::filesystem::path& root, const std::filesystem::path& below) {
  auto walked = root;
  for (const auto& part : below) {
    walked /= part;
    struct stat status {};
    if (::lstat(walked.c_str(), &status) < 0) return;
    if (S_ISLNK(status.st_mode))
      throw error(errc::invalid_path,
                  "writing below " + walked.string() + ", which is a link and not a folder");
  }
}

}  // namespace

std::optional<local_metadata> parse_local_metadata(std::string_view text) {
  const auto commit = core::take_line(text);
  const auto etag = core::take_line(text);
  const auto time = core::take_line(text);
  if (!commit || !etag || !time || etag->empty() || !hub::is_commit_id(*commit)) return {};
  local_metadata metadata;
  const auto [end, failure] =
      std::from_chars(time->data(), time->data() + time->size(), metadata.timestamp);
  if (failure != std::errc() || end != time->data() + time->size()) return {};
  if (!std::isfinite(metadata.timestamp)) return {};
  metadata.commit = *commit;
  metadata.etag = *etag;
  return metadata;
}

std::string write_local_metadata(const local_metadata& metadata) {
  std::array<char, 64> digits{};
  const auto [end, failure] = std::to_chars(digits.data(), digits.data() + digits.size(),
                                            metadata.timestamp, std::chars_format::fixed, 6);
  const std::string_view time(digits.data(), failure == std::errc()
                                                 ? static_cast<std::size_t>(end - digits.data())
                                                 : std::size_t{0});
  std::string text = metadata.commit + '\n' + metadata.etag + '\n';
  text += time;
  return text + '\n';
}

std::string hashed_name(std::string_view basename) {
  core::digest name(core::digest::algorithm::sha1);
  name.update(basename);
  name.update(std::string_view(".metadata"));
  return core::base64url_encode(name.raw_digest());
}

local_folder::local_folder(std::filesystem::path root) : root_(std::move(root)) {}

std::filesystem::path local_folder::file(std::string_view path) const {
  const auto relative = checked_path(path);
  if (is_bookkeeping(relative))
    throw error(errc::invalid_path, "using \"" + std::string(path) +
                                        "\" as a path in a folder, where downloads keep notes");
  return root_ / relative;
}

std::filesystem::path local_folder::metadata_file(std::string_view path) const {
  return note(path, ".metadata");
}

std::filesystem::path local_folder::lock_file(std::string_view path) const {
  return note(path, ".lock");
}

std::filesystem::path local_folder::note(std::string_view path, std::string_view suffix) const {
  const auto normal = checked_path(path);
  auto name = normal.filename().string();
  // Where Python has no name to give: its suffix is one too many for the file system.
  if (name.size() + longest_suffix > NAME_MAX) name = hashed_name(name);
  return bookkeeping() / "download" / normal.parent_path() / name.append(suffix);
}

std::filesystem::path local_folder::partial(std::string_view path, std::string_view etag) const {
  if (!hub::is_safe_file_name(etag))
    throw error(errc::invalid_response, "using an etag of the server as a file name");
  const auto normal = checked_path(path);
  return bookkeeping() / "download" / normal.parent_path() /
         (hashed_name(normal.filename().string()) + "." + std::string(etag));
}

void local_folder::remove_other_partials(std::string_view path,
                                         std::string_view etag) const noexcept {
  try {
    const auto mine = partial(path, etag);
    const auto prefix = hashed_name(checked_path(path).filename().string()) + '.';
    std::error_code failure;
    std::filesystem::directory_iterator entry(mine.parent_path(), failure);
    for (; !failure && entry != std::filesystem::directory_iterator(); entry.increment(failure)) {
      const auto name = entry->path().filename().native();
      const bool is_other = name.starts_with(prefix) &&
                            leftover_kind(name) == cached_incomplete_file_info::kind::partial &&
                            !name.starts_with(mine.filename().native() + '.');
      if (is_other) ::unlink(entry->path().c_str());
    }
  } catch (...) {  // they take disk, no more
  }
}

std::filesystem::path local_folder::tree(std::string_view commit) const {
  if (!hub::is_commit_id(commit))
    throw error(errc::invalid_response, "using \"" + std::string(commit) + "\" as a commit id");
  return bookkeeping() / "trees" / (std::string(commit) + ".json");
}

void local_folder::prepare_trees() const {
  const auto trees = std::filesystem::path(".cache") / "huggingface" / "trees";
  refuse_links(root_, trees);
  io::create_directories(root_ / trees);
}

void local_folder::check_way(std::string_view path) const {
  const auto parent = checked_path(path).parent_path();
  refuse_links(root_, parent);
  refuse_links(root_, std::filesystem::path(".cache") / "huggingface" / "download" / parent);
}

void local_folder::clear_place(std::string_view path) const {
  check_way(path);
  std::error_code ignored;
  std::filesystem::remove(metadata_file(path), ignored);
}

void local_folder::prepare(std::string_view path) const {
  check_way(path);
  const auto parent = checked_path(path).parent_path();
  io::create_directories(root_ / parent);
  io::create_directories(bookkeeping() / "download" / parent);
  const auto ignore = bookkeeping() / ".gitignore";
  std::error_code ignored;
  if (!std::filesystem::exists(ignore, ignored)) io::write_file_atomically(ignore, "*");
  write_cachedir_tag(bookkeeping());
}

std::optional<std::string> local_folder::last_commit() const {
  namespace fs = std::filesystem;
  std::error_code failure;
  local_metadata newest;
  for (fs::recursive_directory_iterator at(bookkeeping() / "download", failure), end;
       !failure && at != end; at.increment(failure)) {
    if (at->path().extension() != ".metadata") continue;
    try {
      auto noted = parse_local_metadata(io::read_file(at->path(), metadata_limit));
      if (noted && noted->timestamp >= newest.timestamp) newest = std::move(*noted);
    } catch (const error&) {  // none that can be read
    }
  }
  if (!newest.commit.empty()) return newest.commit;
  std::vector<std::string> listed;
  for (fs::directory_iterator at(bookkeeping() / "trees", failure), end; !failure && at != end;
       at.increment(failure))
    if (auto commit = at->path().stem().string();
        at->path().extension() == ".json" && hub::is_commit_id(commit))
      listed.push_back(std::move(commit));
  if (listed.size() != 1) return {};
  return listed.front();
}

bool local_folder::has_file(std::string_view path) const {
  std::error_code ignored;
  return std::filesystem::is_regular_file(file(path), ignored);
}

std::optional<local_metadata> local_folder::read_metadata(std::string_view path) const {
  const auto described = metadata_file(path);
  std::error_code ignored;
  if (!std::filesystem::is_regular_file(described, ignored)) return {};
  std::optional<local_metadata> metadata;
  try {
    metadata = parse_local_metadata(io::read_file(described, metadata_limit));
  } catch (const error&) {
  }
  if (!metadata) return {};
  struct stat status {};
  if (::stat(file(path).c_str(), &status) < 0) return {};
  const double modified = static_cast<double>(status.st_mtim.tv_sec) +
                          static_cast<double>(status.st_mtim.tv_nsec) * 1e-9;
  if (modified - 1 > metadata->timestamp) return {};
  return metadata;
}

void local_folder::write_metadata(std::string_view path, std::string_view commit,
                                  std::string_view etag) const {
  check_way(path);
  local_metadata metadata;
  metadata.commit = commit;
  metadata.etag = etag;
  metadata.timestamp =
      std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
  io::write_file_atomically(metadata_file(path), write_local_metadata(metadata));
}

}  // namespace cohub::cache
