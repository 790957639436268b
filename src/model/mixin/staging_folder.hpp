#pragma once

#include "cohub/awaitable.hpp"

#include <boost/asio/any_io_executor.hpp>

#include <filesystem>
#include <memory>

namespace cohub::model {

/// A temporary folder in which a model is put together, removed on the pool when the object goes.
class staging_folder {
 public:
  /// Makes one: under the system's temporary directory, or, for files that will be renamed into
  /// `destination`, in the part of it that uploads leave out.
  static awaitable<staging_folder> make(asio::any_io_executor pool,
                                        std::filesystem::path destination = {});

  staging_folder() = default;
  staging_folder(staging_folder&&) noexcept = default;
  staging_folder& operator=(staging_folder&&) noexcept = default;
  ~staging_folder();

  const std::filesystem::path& path() const noexcept;

  /// Removes it, and has done so when it returns.
  awaitable<void> remove();

 private:
  struct content;

  asio::any_io_executor pool_{};
  std::shared_ptr<content> content_{};
};

struct publish_rules {
  bool keeps_card = false;    ///< a `README.md` that is there stays
  bool keeps_staged = false;  ///< the staged files are needed further: they are linked, not renamed
  /// Weights of an older save that those of this one stand for go, and so does its `config.json` if
  /// this one has none.
  bool removes_old = true;
};

/// Puts the files of a folder into another one: weights, their indices, `config.json`, `README.md`.
/// An index that is replaced together with weights beside it goes before they come: what is there
/// in between is refused, and never a mixture that loads. Blocks.
void publish_folder(const std::filesystem::path& staged, const std::filesystem::path& destination,
                    const publish_rules& rules);

}  // namespace cohub::model
