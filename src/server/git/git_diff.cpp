#include "server/git/git_diff.hpp"

#include "server/git/git_handle.hpp"
#include "server/git/git_rename.hpp"

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <utility>

namespace cohub::server {

namespace {

/// Texts of more bytes are told of as binary files are: nobody reads such a diff.
constexpr git_off_t largest_text = 10 << 20;
/// Of all texts that one diff looks at, even where little of them has changed.
constexpr std::uint64_t most_text = 64u << 20;
/// For all of a diff: some texts take very long to be compared.
constexpr std::chrono::seconds most_time{5};

git_commit_ptr open_commit(::git_repository* repository, const std::string& commit) {
  const git_oid id = to_oid(commit);
  git_commit* raw = nullptr;
  git_check(git_commit_lookup(&raw, repository, &id), "reading a commit");
  return git_commit_ptr(raw);
}

git_tree_ptr open_tree(::git_repository* repository, const std::string& commit) {
  const auto owner = open_commit(repository, commit);
  git_tree* tree = nullptr;
  git_check(git_commit_tree(&tree, owner.get()), "reading a commit's tree");
  return git_tree_ptr(tree);
}

struct bounded_text {
  std::string text{};
  std::size_t limit = 0;
  std::chrono::steady_clock::time_point deadline{};
};

int append_line(const git_diff_delta*, const git_diff_hunk*, const git_diff_line* line,
                void* given) {
  auto& out = *static_cast<bounded_text*>(given);
  if (out.text.size() + line->content_len + 1 > out.limit) return GIT_EUSER;
  // Each file has a first line of its own.
  const bool head = line->origin == GIT_DIFF_LINE_FILE_HDR;
  if (head && std::chrono::steady_clock::now() > out.deadline) return GIT_EUSER;
  if (line->origin == GIT_DIFF_LINE_CONTEXT || line->origin == GIT_DIFF_LINE_ADDITION ||
      line->origin == GIT_DIFF_LINE_DELETION)
    out.text += line->origin;
  out.text.append(line->content, line->content_len);
  return 0;
}

git_diff_ptr compare(::git_repository* repository, const std::string& from, const std::string& to,
                     diff_format format) {
  const auto before = open_tree(repository, from);
  const auto after = open_tree(repository, to);
  git_diff_options options{};
  git_check(git_diff_options_init(&options, GIT_DIFF_OPTIONS_VERSION), "comparing commits");
  options.max_size = largest_text;
  // libgit2 compares texts also where nobody asks for what differs in them.
  if (format == diff_format::raw) options.flags |= GIT_DIFF_FORCE_BINARY;
  git_diff* raw = nullptr;
  git_check(git_diff_tree_to_tree(&raw, repository, before.get(), after.get(), &options),
            "comparing commits");
  return git_diff_ptr(raw);
}

/// Whether so much text has changed that nobody shall wait for what has changed in it.
bool has_much_text(::git_repository* repository, git_diff* diff) {
  git_odb* raw = nullptr;
  git_check(git_repository_odb(&raw, repository), "opening the objects");
  const git_odb_ptr objects(raw);
  std::uint64_t bytes = 0;
  for (std::size_t i = 0; i < git_diff_num_deltas(diff); ++i) {
    const auto* delta = git_diff_get_delta(diff, i);
    if (git_oid_equal(&delta->old_file.id, &delta->new_file.id) != 0) continue;
    for (const auto* file : {&delta->old_file, &delta->new_file}) {
      std::size_t size = 0;
      git_object_t type = GIT_OBJECT_INVALID;
      if (git_oid_is_zero(&file->id) != 0) continue;
      if (git_odb_read_header(&size, &type, raw, &file->id) != 0) continue;
      if (size <= static_cast<std::uint64_t>(largest_text)) bytes += size;
    }
    if (bytes > most_text) return true;
  }
  return false;
}

/// The files that are not the same in both.
std::vector<std::string> differing_files(::git_repository* repository, const std::string& ours,
                                         const std::string& theirs) {
  const auto diff = compare(repository, ours, theirs, diff_format::raw);
  std::vector<std::string> files;
  for (std::size_t i = 0; i < git_diff_num_deltas(diff.get()); ++i)
    files.emplace_back(git_diff_get_delta(diff.get(), i)->new_file.path);
  return files;
}

}  // namespace

std::optional<std::string> write_diff(const std::filesystem::path& repository,
                                      const std::string& from, const std::string& to,
                                      diff_format format, std::size_t limit) {
  const auto owner = open_git(repository);
  const auto diff = compare(owner.get(), from, to, format);
  find_renamed(owner.get(), diff.get());
  if (format == diff_format::patch && has_much_text(owner.get(), diff.get())) return std::nullopt;
  bounded_text out;
  out.limit = limit;
  out.deadline = std::chrono::steady_clock::now() + most_time;
  const auto as = format == diff_format::raw ? GIT_DIFF_FORMAT_RAW : GIT_DIFF_FORMAT_PATCH;
  const int code = git_diff_print(diff.get(), as, append_line, &out);
  if (code == GIT_EUSER) return std::nullopt;
  git_check(code, "writing a diff");
  return std::move(out.text);
}

std::optional<std::string> merge_base(const std::filesystem::path& repository,
                                      const std::string& one, const std::string& other) {
  const auto owner = open_git(repository);
  const git_oid first = to_oid(one);
  const git_oid second = to_oid(other);
  git_oid base{};
  const int code = git_merge_base(&base, owner.get(), &first, &second);
  if (code == GIT_ENOTFOUND) return std::nullopt;
  git_check(code, "looking for a merge base");
  return to_hex(base);
}

std::vector<std::string> conflicting_files(const std::filesystem::path& repository,
                                           const std::string& ours, const std::string& theirs) {
  const auto owner = open_git(repository);
  const auto base = merge_base(repository, ours, theirs);
  if (!base) return differing_files(owner.get(), ours, theirs);
  const auto our_commit = open_commit(owner.get(), ours);
  const auto their_commit = open_commit(owner.get(), theirs);
  const auto options =
      merge_options_for(owner.get(), to_oid(*base), our_commit.get(), their_commit.get());
  git_index* merged = nullptr;
  // Names that libgit2 does not write keep it from merging anything.
  if (git_merge_commits(&merged, owner.get(), our_commit.get(), their_commit.get(), &options) < 0)
    return differing_files(owner.get(), ours, theirs);
  const git_index_ptr index(merged);
  std::vector<std::string> files;
  if (git_index_has_conflicts(merged) == 0) return files;
  git_index_conflict_iterator* raw = nullptr;
  git_check(git_index_conflict_iterator_new(&raw, merged), "reading conflicts");
  const git_owner<git_index_conflict_iterator, git_index_conflict_iterator_free> iterator(raw);
  const git_index_entry* ancestor = nullptr;
  const git_index_entry* our_side = nullptr;
  const git_index_entry* their_side = nullptr;
  while (git_index_conflict_next(&ancestor, &our_side, &their_side, raw) == 0)
    for (const auto* side : {our_side, their_side, ancestor})
      if (side != nullptr) {
        files.emplace_back(side->path);
        break;
      }
  std::sort(files.begin(), files.end());
  files.erase(std::unique(files.begin(), files.end()), files.end());
  return files;
}

}  // namespace cohub::server
