#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

/// Folders that files are downloaded to directly, with the Python client's bookkeeping beside them
/// (hub-protocol, section 4.7).
namespace cohub::cache {

/// What is known of a file in a local folder.
struct local_metadata {
  std::string commit{};
  std::string etag{};
  double timestamp = 0;  ///< seconds since 1970, when it was written
};

/// Three lines, or nothing if the text is anything else.
std::optional<local_metadata> parse_local_metadata(std::string_view text);
std::string write_local_metadata(const local_metadata& metadata);

/// The name that stands for `basename` in names of partial files: short, whatever its length.
std::string hashed_name(std::string_view basename);

/// One such folder. Functions but the path arithmetic block: they belong on the pool.
class local_folder {
 public:
  explicit local_folder(std::filesystem::path root);

  const std::filesystem::path& root() const noexcept { return root_; }
  std::filesystem::path bookkeeping() const { return root_ / ".cache" / "huggingface"; }
  std::filesystem::path file(std::string_view path) const;
  std::filesystem::path metadata_file(std::string_view path) const;
  std::filesystem::path lock_file(std::string_view path) const;
  /// Where a partial file of ours may be, to which a suffix is added.
  std::filesystem::path partial(std::string_view path, std::string_view etag) const;
  /// Removes the partial files of `path` with other etags than this one, which nobody continues any
  /// more. For who has the file's lock.
  void remove_other_partials(std::string_view path, std::string_view etag) const noexcept;
  std::filesystem::path tree(std::string_view commit) const;

  /// Makes the folder for listings; refuses links as `prepare` does.
  void prepare_trees() const;

  /// Makes the folders for one file, `.gitignore` and CACHEDIR.TAG. A parent that is a link, and so
  /// could lead out of the folder, is refused with errc::invalid_path.
  void prepare(std::string_view path) const;

  /// Just before a file gets its place: refuses links that were laid since `prepare`, and removes
  /// the notes on what was there, which a process that is killed then must not leave beside it.
  void clear_place(std::string_view path) const;

  /// The commit that the folder was brought to last, by what is noted of its files, else by the
  /// only listing; nothing if there is no telling.
  std::optional<std::string> last_commit() const;

  bool has_file(std::string_view path) const;
  /// Nothing if there is none that can be read, if the file is gone, or if it was changed since.
  std::optional<local_metadata> read_metadata(std::string_view path) const;
  /// Writes what is known of a file now.
  void write_metadata(std::string_view path, std::string_view commit, std::string_view etag) const;

 private:
  void check_way(std::string_view path) const;
  std::filesystem::path note(std::string_view path, std::string_view suffix) const;

  std::filesystem::path root_;
};

}  // namespace cohub::cache
