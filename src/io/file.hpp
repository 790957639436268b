#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>

namespace cohub::io {

/// An open file descriptor with positional, blocking reads and writes: for the pool, never the
/// executor. Failures throw `cohub::error` with the system's code and the path.
class file {
 public:
  enum class mode {
    read,                ///< must exist
    write_new,           ///< must not exist; created with the umask's mode
    write_new_private,   ///< must not exist; created for its owner alone (0600)
    read_write,          ///< created if missing, kept as it is otherwise; a symlink is refused
    read_write_private,  ///< as read_write; created for its owner alone (0600)
  };

  file() = default;
  file(std::filesystem::path path, mode how);
  file(file&& other) noexcept;
  file& operator=(file&& other) noexcept;
  ~file();

  /// A new file in `folder` that has no name, and goes with the object unless `link_as` gives it
  /// one: whatever kills the process, nothing is left behind. Nothing where the file system has no
  /// such files. `created` is `write_new` or `write_new_private`.
  static std::optional<file> make_unnamed(const std::filesystem::path& folder, mode created);

  /// A new file in `folder` for the object alone, which goes with it; its owner's (0600).
  static file make_scratch(const std::filesystem::path& folder);

  bool is_open() const noexcept { return descriptor_ >= 0; }
  int native_handle() const noexcept { return descriptor_; }
  const std::filesystem::path& path() const noexcept { return path_; }
  std::uint64_t size() const;

  /// Reads until `buffer` is full or the file ends; the number of bytes read.
  std::size_t read_at(std::uint64_t offset, std::span<std::byte> buffer) const;
  /// Writes all of `bytes`.
  void write_at(std::uint64_t offset, std::span<const std::byte> bytes);
  void truncate(std::uint64_t size);
  /// Waits until content is on the disk.
  void sync();
  enum class lock {
    taken,    ///< others who ask are refused
    refused,  ///< somebody else has it
    none      ///< the file system has no locks: nobody is kept out
  };
  lock ask_lock();
  /// False if somebody else has the lock.
  bool try_lock() { return ask_lock() != lock::refused; }
  /// Whether the path still stands for this file: another process may have replaced or removed it.
  bool is_in_place() const noexcept;
  /// Gives a file without a name its name, with all of its content. False if that cannot be, for
  /// example because something is there already.
  bool link_as(const std::filesystem::path& name);
  void close();
  /// Another descriptor of the same open file: it has the locks, too.
  file duplicate() const;

 private:
  file(std::filesystem::path path, int descriptor) noexcept
      : path_(std::move(path)), descriptor_(descriptor) {}

  std::filesystem::path path_;
  int descriptor_ = -1;
};

/// Reads a whole file of at most `limit` bytes; a larger one is an error.
std::string read_file(const std::filesystem::path& path, std::uint64_t limit);

/// What a written file must survive.
enum class durability {
  process,  ///< a crash of this process: no sync
  machine   ///< a crash of the machine: file and folder are synced
};

/// Replaces `path` by `content`: a reader sees the old file or the new one, never a part. What
/// needs a temporary name has it beside `path`, or in `temporary_directory`, which must be on the
/// same file system. `created` is `write_new`, or `write_new_private` for a secret.
void write_file_atomically(const std::filesystem::path& path, std::span<const std::byte> content,
                           durability survives = durability::process,
                           const std::filesystem::path& temporary_directory = {},
                           file::mode created = file::mode::write_new);
void write_file_atomically(const std::filesystem::path& path, std::string_view content,
                           durability survives = durability::process,
                           const std::filesystem::path& temporary_directory = {},
                           file::mode created = file::mode::write_new);
/// The same for content that `write` puts into the file that it is given.
void write_file_atomically(const std::filesystem::path& path,
                           const std::function<void(file& to)>& write,
                           durability survives = durability::process,
                           const std::filesystem::path& temporary_directory = {},
                           file::mode created = file::mode::write_new);

/// Renames, replacing the destination, and syncs the folder if asked.
void rename_file(const std::filesystem::path& from, const std::filesystem::path& to,
                 durability survives = durability::process);

/// Makes a rename or a new name in `folder` survive a crash of the machine.
void sync_folder(const std::filesystem::path& folder);

/// Creates a folder and its parents; a failure names the path.
/// @param survives  what those that are made are to survive
void create_directories(const std::filesystem::path& path,
                        durability survives = durability::process);

/// Throws `cohub::error` where the working folder is gone.
std::filesystem::path absolute_path(const std::filesystem::path& path);

/// Creates a folder that only its owner may enter, in one that is there; does nothing if it is
/// there itself, whoever may enter it.
void create_private_directory(const std::filesystem::path& path);

/// Eight random hex digits.
std::string random_suffix();

/// ".tmp-" and a random suffix: the name of a file or folder of ours that is not finished, or is on
/// its way out.
std::string temporary_name();
bool is_temporary_name(std::string_view name) noexcept;

/// A folder under the system's temporary directory (or `parent`), 0700, removed with all in it when
/// the object goes.
class temporary_directory {
 public:
  explicit temporary_directory(const std::filesystem::path& parent = {});
  temporary_directory(temporary_directory&& other) noexcept;
  temporary_directory& operator=(temporary_directory&&) = delete;
  ~temporary_directory();
  const std::filesystem::path& path() const noexcept { return path_; }

 private:
  std::filesystem::path path_;
};

}  // namespace cohub::io
