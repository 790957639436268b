#include "model/mixin/staging_folder.hpp"

#include "cohub/error.hpp"

#include "core/throw_system.hpp"
#include "io/file.hpp"
#include "io/on_pool.hpp"
#include "model/mixin/replaced_weights.hpp"
#include "model/private_folder.hpp"
#include "model/safetensors/filename_pattern.hpp"

#include <boost/asio/post.hpp>

#include <algorithm>
#include <optional>
#include <set>
#include <system_error>
#include <utility>
#include <vector>

namespace cohub::model {

namespace fs = std::filesystem;

namespace {

/// Another name for a file, or a copy of it.
void duplicate_file(const fs::path& from, const fs::path& to) {
  std::error_code failure;
  if (fs::is_symlink(from, failure)) {
    fs::copy_symlink(from, to, failure);
  } else {
    fs::create_hard_link(from, to, failure);
    // Some file systems have no links.
    if (failure) fs::copy_file(from, to, failure);
  }
  if (failure) core::throw_system(failure.value(), "copying " + from.string() + " to", to);
}

/// Puts files of a folder into another one, each in place of what is there in one step.
class publisher {
 public:
  publisher(const fs::path& staged, const fs::path& destination, bool keeps_staged)
      : staged_(staged), destination_(destination), keeps_staged_(keeps_staged) {}

  void publish(const fs::path& file) const {
    if (!keeps_staged_) return io::rename_file(staged_ / file, destination_ / file);
    // In the staged folder, which goes sooner or later: what a kill leaves is never pushed.
    const auto temporary = staged_ / io::temporary_name();
    try {
      duplicate_file(staged_ / file, temporary);
      io::rename_file(temporary, destination_ / file);
    } catch (...) {
      std::error_code ignored;
      fs::remove(temporary, ignored);
      throw;
    }
  }

  /// Removes the indices that come anew, where weights beside them are replaced: those of two saves
  /// must never be taken for what an index names.
  void remove_indices(const std::vector<fs::path>& files) const {
    std::error_code failure;
    std::set<fs::path> replaced;  // folders
    for (const auto& file : files)
      if (is_safetensors(file) && fs::exists(fs::symlink_status(destination_ / file, failure)))
        replaced.insert(file.parent_path());
    for (const auto& file : files) {
      if (!is_index(file) || !replaced.contains(file.parent_path())) continue;
      fs::remove(destination_ / file, failure);
      if (failure) core::throw_system(failure.value(), "removing", destination_ / file);
    }
  }

 private:
  static bool is_index(const fs::path& file) { return publishing_rank(file.generic_string()) == 1; }
  static bool is_safetensors(const fs::path& file) { return file.extension() == ".safetensors"; }

  const fs::path& staged_;
  const fs::path& destination_;
  bool keeps_staged_;
};

/// Removes the weights of an older save that those of this one stand for.
void remove_replaced_weights(const std::vector<fs::path>& published, const fs::path& destination) {
  std::set<std::string> names;
  for (const auto& file : published) names.insert(file.generic_string());
  std::vector<std::string> there;
  std::error_code failure;
  for (const auto& folder : weight_folders(names))
    for (fs::directory_iterator item(destination / folder, failure), end; !failure && item != end;
         item.increment(failure))
      there.push_back((fs::path(folder) / item->path().filename()).generic_string());
  if (failure) core::throw_system(failure.value(), "listing", destination);
  for (const auto& name : replaced_weights(names, names, there)) {
    fs::remove(destination / name, failure);
    if (failure)
      core::throw_system(failure.value(), "removing what an older save left:", destination / name);
  }
}

}  // namespace

struct staging_folder::content {
  explicit content(const fs::path& destination) {
    if (destination.empty())
      elsewhere.emplace();
    else
      beside.emplace(destination);
  }
  const fs::path& path() const noexcept { return beside ? beside->path() : elsewhere->path(); }

  std::optional<io::temporary_directory> elsewhere{};
  std::optional<private_folder> beside{};
};

awaitable<staging_folder> staging_folder::make(asio::any_io_executor pool, fs::path destination) {
  auto work = [&destination] { return std::make_shared<content>(destination); };
  auto making = io::on_pool(pool, std::move(work));
  staging_folder result;
  result.content_ = co_await std::move(making);
  result.pool_ = std::move(pool);
  co_return result;
}

staging_folder::~staging_folder() {
  if (!content_) return;
  try {
    asio::post(pool_, [removed = std::move(content_)]() mutable { removed.reset(); });
  } catch (...) {
    content_.reset();  // out of memory: better here than never
  }
}

const fs::path& staging_folder::path() const noexcept { return content_->path(); }

awaitable<void> staging_folder::remove() {
  auto work = [removed = std::move(content_)]() mutable { removed.reset(); };
  co_await io::on_pool(pool_, std::move(work));
}

void publish_folder(const fs::path& staged, const fs::path& destination,
                    const publish_rules& rules) {
  std::error_code failure;
  std::vector<fs::path> files;
  for (fs::recursive_directory_iterator item(staged, failure), end; !failure && item != end;
       item.increment(failure)) {
    const auto status = item->symlink_status();
    const auto relative = item->path().lexically_relative(staged);
    if (fs::is_directory(status)) {
      io::create_directories(destination / relative);
    } else if (fs::is_regular_file(status) || fs::is_symlink(status)) {
      files.push_back(relative);
    } else {
      throw error(errc::invalid_argument, "saving a model: its hook wrote " + relative.string() +
                                              ", which is no file, link or folder");
    }
  }
  if (failure) core::throw_system(failure.value(), "listing", staged);
  // A reader that comes between sees old files, new ones it can load, or shards without an index,
  // which it refuses: weights first, then the index that names them, then what describes them.
  std::sort(files.begin(), files.end(), [](const fs::path& a, const fs::path& b) {
    return std::make_pair(publishing_rank(a.generic_string()), a) <
           std::make_pair(publishing_rank(b.generic_string()), b);
  });
  const auto description = std::find_if(files.begin(), files.end(), [](const fs::path& file) {
    return publishing_rank(file.generic_string()) > 1;
  });
  const publisher to_destination(staged, destination, rules.keeps_staged);
  to_destination.remove_indices(files);
  for (auto file = files.begin(); file != description; ++file) to_destination.publish(*file);
  if (rules.removes_old) remove_replaced_weights(files, destination);
  if (rules.removes_old && !fs::exists(staged / "config.json", failure)) {
    fs::remove(destination / "config.json", failure);
    if (failure) core::throw_system(failure.value(), "removing", destination / "config.json");
  }
  for (auto file = description; file != files.end(); ++file) {
    if (rules.keeps_card && *file == "README.md" && fs::exists(destination / *file, failure))
      continue;
    to_destination.publish(*file);
  }
}

}  // namespace cohub::model
