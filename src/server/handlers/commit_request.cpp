#include "server/handlers/commit_request.hpp"

#include "core/base64.hpp"
#include "core/hex.hpp"
#include "hub/commit_lines.hpp"
#include "hub/repo_path.hpp"
#include "server/failure.hpp"
#include "server/git/lfs_pointer.hpp"

#include <string_view>
#include <utility>
#include <variant>

namespace cohub::server {

namespace {

/// Of the names and brackets around a file's content.
constexpr std::size_t line_overhead = 1u << 20;
/// What it takes to remember a large object, its path apart.
constexpr std::size_t object_memory = 256;

failure too_large_file() {
  return {413, {}, "A file of the commit is too large: send it as a large object, by LFS"};
}

/// A path as an error's text can hold it, whatever is in it.
std::string shown(std::string_view path) {
  constexpr std::string_view digits = "0123456789abcdef";
  std::string text;
  for (const char c : path) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte >= 0x20 && byte != 0x7f)
      text += c;
    else
      text.append("\\x").append({digits[byte >> 4], digits[byte & 15]});
  }
  return text;
}

failure no_object(const std::string& path) {
  return bad_request("LFS pointer pointed to a file that does not exist: " + shown(path));
}

/// Turns lines into changes.
struct line_visitor {
  commit_request& request;
  git_repository& repository;
  const object_sizes& sizes;
  std::size_t file_limit;

  void operator()(const hub::commit_header&) const { throw bad_request("A second commit header"); }

  void operator()(const hub::commit_file& file) const {
    // Who commits the pointer itself, as git does, needs its object no less.
    if (file.content.size() <= lfs_pointer_limit)
      if (const auto pointer = read_lfs_pointer(file.content))
        need_object(pointer->sha256, pointer->size, file.path);
    if (file.content.size() > file_limit) throw too_large_file();
    leave(file.old_path, file.path);
    put(file.path, file.content);
  }

  void operator()(const hub::commit_lfs_file& file) const {
    if (!core::is_hex(file.sha256, 64))
      throw bad_request("Invalid object id of " + shown(file.path));
    const auto size = need_object(file.sha256, file.size, file.path);
    leave(file.old_path, file.path);
    put(file.path, write_lfs_pointer({file.sha256, size}));
  }

  void operator()(const hub::commit_deleted& gone) const {
    git_change change;
    change.what = gone.is_folder ? git_change::kind::remove_folder : git_change::kind::remove_file;
    change.path = checked_path(gone.path);
    request.changes.push_back(std::move(change));
  }

  /// Its size, which is `announced` unless that is 0.
  std::uint64_t need_object(const std::string& sha256, std::uint64_t announced,
                            const std::string& path) const {
    const auto size = require_object(sizes, sha256, path);
    if (announced != 0 && announced != size) throw no_object(path);
    request.objects.try_emplace(sha256, path);
    return size;
  }

  /// A file that is renamed is no longer where it was.
  void leave(const std::string& old_path, const std::string& path) const {
    if (old_path.empty() || old_path == path) return;
    git_change change;
    change.what = git_change::kind::remove_file;
    change.path = checked_path(old_path);
    request.changes.push_back(std::move(change));
  }

  void put(const std::string& path, std::string_view content) const {
    git_change change;
    change.path = checked_path(path);
    change.blob = repository.write_blob(content);
    request.changes.push_back(std::move(change));
  }
};

}  // namespace

void check_commit_message(std::string_view message) {
  if (message.find('\0') != message.npos) throw unprocessable("A commit's message has a NUL in it");
  const auto first = message.substr(0, message.find('\n'));
  if (first.find_first_not_of(" \t\r\v\f") == first.npos)
    throw unprocessable("The first line of a commit's message is blank");
}

std::string checked_path(const std::string& path) {
  auto checked = hub::check_path_in_repo(path);
  const bool strange = path.empty() || path.find('\0') != path.npos || path.ends_with('/') ||
                       path.find("//") != path.npos;
  if (!checked || strange || checked->empty())
    throw unprocessable("Invalid path in repo: \"" + shown(path) + '"');
  return std::move(*checked);
}

std::uint64_t require_object(const object_sizes& sizes, const std::string& sha256,
                             const std::string& path) {
  const auto size = sizes(sha256);
  if (!size) throw no_object(path);
  return *size;
}

std::string commit_request::message() const {
  return description.empty() ? summary : summary + "\n\n" + description;
}

commit_reader::commit_reader(git_repository& repository, object_sizes sizes, std::size_t file_limit)
    : repository_(repository),
      sizes_(std::move(sizes)),
      file_limit_(file_limit),
      line_limit_(core::base64_length(file_limit) + line_overhead) {}

std::size_t commit_reader::memory() const noexcept {
  // A line is there three times: as it came, its text, and the bytes that the text stands for.
  return 3 * begun_.size() + request_.changes.size() * sizeof(git_change) + path_bytes_ +
         request_.objects.size() * object_memory;
}

void commit_reader::take(std::string_view piece) {
  for (auto end = piece.find('\n'); end != piece.npos; end = piece.find('\n')) {
    const auto line = piece.substr(0, end);
    if (begun_.empty())
      read_line(line);
    else
      read_line(std::exchange(begun_, {}).append(line));
    piece.remove_prefix(end + 1);
  }
  if (begun_.size() + piece.size() > line_limit_) throw too_large_file();
  begun_ += piece;
}

void commit_reader::read_line(std::string_view line) {
  if (line.find_first_not_of(" \r\t") == line.npos) return;
  const auto parsed = hub::read_commit_line(line);
  if (!parsed) throw bad_request("Malformed line in the commit");
  if (has_header_) {
    const auto before = request_.changes.size();
    std::visit(line_visitor{request_, repository_, sizes_, file_limit_}, *parsed);
    for (auto i = before; i < request_.changes.size(); ++i)
      path_bytes_ += 2 * request_.changes[i].path.capacity();
    return;
  }
  const auto* header = std::get_if<hub::commit_header>(&*parsed);
  if (header == nullptr) throw bad_request("The commit does not begin with its header");
  request_.summary = header->summary;
  request_.description = header->description;
  request_.parent_commit = header->parent_commit;
  has_header_ = true;
}

commit_request commit_reader::finish() {
  read_line(std::exchange(begun_, {}));
  if (!has_header_) throw bad_request("The commit has no header");
  if (request_.summary.empty()) throw bad_request("The commit's summary is empty");
  return std::move(request_);
}

}  // namespace cohub::server
