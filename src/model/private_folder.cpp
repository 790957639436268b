#include "model/private_folder.hpp"

#include "cohub/error.hpp"

#include <system_error>

namespace cohub::model {

namespace fs = std::filesystem;

namespace {

constexpr int most_attempts = 1000;

/// Whether a folder may have been lacking only because another process, the last one in it, removed
/// it just then. Seen in the middle, it is there for one call and gone for the next.
bool is_of_leaving(const error& failure) {
  return failure.code() == boost::system::errc::no_such_file_or_directory ||
         failure.code() == boost::system::errc::file_exists;
}

/// The lock of a folder; not open if another has it, or if the folder is gone.
io::file lock_of(const fs::path& folder) {
  try {
    io::file opened(folder, io::file::mode::read);
    std::error_code ignored;
    if (opened.try_lock() && fs::exists(folder, ignored)) return opened;
  } catch (const error& failure) {
    if (failure.code() != boost::system::errc::no_such_file_or_directory) throw;
  }
  return {};
}

/// Removes the folders beside `own` that nobody holds.
void remove_left(const fs::path& own) {
  // Where the file system has no locks everybody gets each of them.
  if (lock_of(own).is_open()) return;
  std::error_code ignored;
  for (fs::directory_iterator item(own.parent_path(), ignored), end; !ignored && item != end;
       item.increment(ignored)) {
    if (item->path() == own || !item->path().filename().string().starts_with("cohub-")) continue;
    try {
      const auto lock = lock_of(item->path());
      std::error_code failure;  // leaves it to the next one
      if (lock.is_open()) fs::remove_all(item->path(), failure);
    } catch (const error&) {
      // Another user's.
    }
  }
}

}  // namespace

private_folder::private_folder(const fs::path& destination)
    : parent_(destination / ".cache" / "huggingface") {
  for (int attempt = 1; !lock_.is_open(); ++attempt) {
    try {
      make_folder();
    } catch (const error& failure) {
      if (attempt == most_attempts || !is_of_leaving(failure)) throw;
    }
  }
  remove_left(folder_->path());
}

/// Leaves it unlocked where whoever cleans up took it for a find, between its making and its
/// locking.
void private_folder::make_folder() {
  io::create_directories(parent_);
  folder_.emplace(parent_);
  lock_ = lock_of(folder_->path());
}

private_folder::~private_folder() {
  std::error_code ignored;
  folder_.reset();
  fs::remove(parent_, ignored);  // both only if nothing else is in them
  fs::remove(parent_.parent_path(), ignored);
}

}  // namespace cohub::model
