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

/// Puts the files of `staged` into `destination` by rename, or as links where the staged ones are
/// needed further: weights, their indices, `config.json`, `README.md`. Weights of an older save go
/// that those of this one stand for. `README.md` in `destination` is kept if `keeps_card`; its
/// `config.json` goes if there is none in `staged`. Blocks.
void publish_folder(const std::filesystem::path& staged, const std::filesystem::path& destination,
                    bool keeps_card, bool keeps_staged);

}  // namespace cohub::model
