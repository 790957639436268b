#include "cohub/download_safetensors.hpp"

#include "cohub/detail/operation.hpp"
#include "cohub/error.hpp"

#include "hub/repo_id.hpp"
#include "hub/repo_path.hpp"
#include "io/file.hpp"
#include "io/for_each_bounded.hpp"
#include "io/on_pool.hpp"
#include "model/fetch_weights.hpp"
#include "model/safetensors/safetensors_index.hpp"

#include <exception>
#include <utility>

namespace cohub {

namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t largest_index = 100'000'000;  // bytes
constexpr std::size_t shards_at_a_time = 4;           // each in parallel ranges
constexpr std::string_view suffix_placeholder = "{suffix}";

/// The path of a file; empty if there is none. A cache may lack it though the model has it: that is
/// told by `not_cached`, which is lent by a caller that awaits in the same scope.
awaitable<fs::path> fetch_if_there(client hub, std::string id, fetch_pretrained_options options,
                                   std::exception_ptr& not_cached) {
  try {
    co_return co_await fetch_pretrained(std::move(hub), std::move(id), options);
  } catch (const error& failure) {
    if (failure.code() == errc::local_entry_not_found && !not_cached)
      not_cached = std::current_exception();
    if (failure.code() != errc::entry_not_found && failure.code() != errc::local_entry_not_found)
      throw;
  }
  co_return fs::path();
}

/// The commit whose snapshot a cached file lies in; empty for other places.
std::string commit_of(fs::path cached, const fs::path& name) {
  for (auto part = name.begin(); part != name.end(); ++part) cached = cached.parent_path();
  auto commit = cached.filename().string();
  if (cached.parent_path().filename() != "snapshots" || !hub::is_commit_id(commit)) commit.clear();
  return commit;
}

[[noreturn]] void fail_without_weights(const std::string& id, const std::string& file,
                                       const std::string& pickled) {
  throw error(errc::not_safetensors_repo,
              "looking for " + file + " and " + file + ".index.json in " + id +
                  (pickled.empty() ? std::string()
                                   : ": it has " + pickled +
                                         ", a pickle, which runs code when it is loaded; convert "
                                         "the model to safetensors"));
}

}  // namespace

awaitable<fs::path> model::fetch_weights(client hub, std::string id,
                                         fetch_pretrained_options options) {
  if (options.file.empty()) options.file = "model.safetensors";
  const std::string file = options.file;
  std::exception_ptr not_cached;
  auto single = co_await fetch_if_there(hub, id, options, not_cached);
  if (!single.empty()) co_return single;

  options.file = file + ".index.json";
  const auto index_path = co_await fetch_if_there(hub, id, options, not_cached);
  if (index_path.empty()) {
    if (not_cached) std::rethrow_exception(not_cached);
    // Not fetched whole: only looked for, so that the error can say what is there instead.
    std::string pickled = "pytorch_model.bin";
    bool is_there = false;
    auto work = [&id, &pickled, &is_there] {
      std::error_code ignored;
      is_there = fs::exists(fs::path(id) / pickled, ignored);
      return fs::is_directory(id, ignored);
    };
    const bool is_local = co_await io::on_pool(hub.blocking_executor(), std::move(work));
    if (!is_local && !options.local_files_only) {
      const file_exists_options where{.revision = options.revision, .token = options.token};
      is_there = co_await hub.file_exists(id, pickled, where);
    }
    if (!is_there) pickled.clear();
    fail_without_weights(id, file, pickled);
  }

  auto parse = [&index_path] {
    return model::parse_safetensors_index(io::read_file(index_path, largest_index),
                                          index_path.string());
  };
  const auto index = co_await io::on_pool(hub.blocking_executor(), std::move(parse));
  if (auto commit = commit_of(index_path, options.file); !commit.empty())
    options.revision = std::move(commit);
  const auto folder = fs::path(file).parent_path();
  // Lends references to this frame: every child is awaited below.
  auto fetch_shard = [&](std::size_t number) -> awaitable<void> {
    auto shard = options;
    shard.file = (folder / index.files[number]).generic_string();
    auto fetching = fetch_pretrained(hub, id, shard);
    co_await std::move(fetching);
  };
  co_await io::for_each_bounded(index.files.size(), shards_at_a_time, std::move(fetch_shard));
  co_return index_path;
}

bool model::is_weights_pattern(std::string_view name) noexcept {
  return name.find(suffix_placeholder) != name.npos;
}

std::string model::single_file_of(std::string pattern) {
  const auto at = pattern.find(suffix_placeholder);
  if (at != pattern.npos) pattern.erase(at, suffix_placeholder.size());
  return pattern;
}

awaitable<fs::path> download_safetensors(client hub, std::string id_or_path,
                                         named<fetch_pretrained_options> options) {
  return detail::operation(
      model::fetch_weights(std::move(hub), std::move(id_or_path), *std::move(options)));
}

awaitable<fs::path> download_safetensors(load_context context, std::string filename_pattern) {
  const auto& from = context.options();
  fetch_pretrained_options options;
  options.file = model::single_file_of(std::move(filename_pattern));
  options.revision = context.revision();
  options.cache_dir = from.cache_dir;
  options.force_download = from.force_download;
  options.local_files_only = from.local_files_only;
  options.token = from.token;
  options.library_name = from.library_name;
  options.library_version = from.library_version;
  options.observer = from.observer;
  return detail::operation(
      model::fetch_weights(context.hub(), context.model_id(), std::move(options)));
}

}  // namespace cohub
