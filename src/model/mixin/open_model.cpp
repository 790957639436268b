#include "cohub/detail/model_steps.hpp"
#include "cohub/detail/operation.hpp"
#include "cohub/error.hpp"
#include "cohub/load_context.hpp"

#include "cache/repo_cache.hpp"
#include "core/environment.hpp"
#include "hub/repo_id.hpp"
#include "hub/repo_path.hpp"
#include "io/file.hpp"
#include "io/for_each_bounded.hpp"
#include "io/on_pool.hpp"
#include "model/fetch_weights.hpp"
#include "transfer/absent_entry.hpp"

#include <exception>
#include <map>
#include <system_error>
#include <utility>

namespace cohub {

namespace fs = std::filesystem;

namespace detail {

struct load_state {
  client hub;
  std::string model_id;
  from_pretrained_options options;
  bool local = false;
  std::string revision{};
  std::optional<json::object> config{};
  fs::path config_path{};
  std::map<std::string, fs::path, std::less<>> files{};
};

}  // namespace detail

namespace {

constexpr std::uint64_t largest_config = 16u << 20;  // bytes
constexpr std::size_t files_at_a_time = 4;           // each in parallel ranges

/// A file of a local folder.
fs::path local_file(const fs::path& folder, std::string_view name) {
  if (const auto checked = hub::check_download_path(name); !checked)
    throw error(checked.error(), "looking for " + std::string(name) + " in " + folder.string());
  fs::path path = folder / fs::path(name);
  std::error_code failure;
  if (!fs::is_regular_file(path, failure))
    throw error(errc::entry_not_found, "looking for " + path.string());
  return path;
}

download_options download_options_of(const from_pretrained_options& options, std::string revision) {
  download_options result;
  result.revision = std::move(revision);
  result.cache_dir = options.cache_dir;
  result.force_download = options.force_download;
  result.local_files_only = options.local_files_only;
  result.token = options.token;
  result.observer = options.observer;
  return result;
}

/// How weights are fetched that may be in shards.
fetch_pretrained_options fetch_options_of(const from_pretrained_options& options,
                                          std::string revision, std::string file) {
  fetch_pretrained_options result;
  result.file = std::move(file);
  result.revision = std::move(revision);
  result.cache_dir = options.cache_dir;
  result.force_download = options.force_download;
  result.local_files_only = options.local_files_only;
  result.token = options.token;
  result.observer = options.observer;
  return result;
}

awaitable<bool> is_local_folder(asio::any_io_executor pool, std::string path) {
  auto work = [&path] {
    std::error_code failure;
    return fs::is_directory(path, failure);
  };
  const bool result = co_await io::on_pool(std::move(pool), std::move(work));
  co_return result;
}

cache::repo_cache cache_of(const detail::load_state& state) {
  const auto& chosen = state.options.cache_dir;
  const auto folder = chosen.empty() ? state.hub.cache_dir() : core::expand_home(chosen);
  return cache::repo_cache(cache::repo_layout(folder, repo_type::model, state.model_id));
}

/// Whether the cache remembers that the commit has no such file.
bool is_known_absent(const detail::load_state& state, std::string_view name) {
  return cache_of(state).try_to_load(state.options.revision, name).what ==
         cache::cached_file::knowledge::absent;
}

// The coroutines here that take a reference are awaited in the scope that owns what it refers to.

/// Where `config.json` would lie on this machine; where a model has none, what its revision is.
struct config_place {
  fs::path path{};       ///< empty: there is none
  std::string commit{};  ///< of a model without config; empty: not known
};

/// The commit that the revision of a model without config is now. The answer about the config told
/// it, or else the Hub is asked: the cache's ref is as old as the last answer that did tell, or
/// that could be noted, and old weights must not be taken for those of today. The state is lent by
/// the caller, who awaits this in the same scope; so it is below.
awaitable<std::string> ask_commit(const detail::load_state& state, std::string told) {
  if (!told.empty() || hub::is_commit_id(state.options.revision)) co_return told;
  const repo_info_options which{.revision = state.options.revision, .token = state.options.token};
  client hub = state.hub;
  auto info = co_await hub.repo_info(state.model_id, which);
  co_return std::move(info.sha);
}

/// The commit that the cache knows to have no config; nothing if it knows of none.
std::optional<std::string> cached_without_config(const detail::load_state& state) {
  if (!is_known_absent(state, "config.json")) return {};
  return cache_of(state).resolve(state.options.revision);
}

/// Only the absence of the config is tolerated: any other failure would come again with the
/// weights, and say less.
awaitable<config_place> find_config(const detail::load_state& state) {
  config_place found;
  if (state.local) {
    found.path = fs::path(state.model_id) / "config.json";
    co_return found;
  }
  std::exception_ptr unanswered;
  std::string told;
  try {
    const auto options = download_options_of(state.options, state.options.revision);
    client hub = state.hub;
    found.path = co_await hub.download_file(state.model_id, "config.json", options);
    co_return found;
  } catch (const transfer::absent_entry& failure) {
    told = failure.commit();
  } catch (const error& failure) {
    if (failure.code() == errc::local_entry_not_found)
      unanswered = std::current_exception();
    else if (failure.code() != errc::entry_not_found)
      throw;
  }
  if (!unanswered) {
    found.commit = co_await ask_commit(state, std::move(told));
    co_return found;
  }
  auto work = [&state] { return cached_without_config(state); };
  auto commit = co_await io::on_pool(state.hub.blocking_executor(), std::move(work));
  if (!commit) std::rethrow_exception(unanswered);
  found.commit = std::move(*commit);
  co_return found;
}

/// The commit whose snapshot a cached file lies in; empty if the path does not tell.
std::string commit_of(const fs::path& cached) {
  const auto name = cached.parent_path().filename().string();
  const bool tells =
      cached.parent_path().parent_path().filename() == "snapshots" && hub::is_commit_id(name);
  return tells ? name : std::string();
}

awaitable<void> read_config(detail::load_state& state) {
  auto found = co_await find_config(state);
  state.config_path = std::move(found.path);
  if (state.config_path.empty()) {
    if (!found.commit.empty()) state.revision = std::move(found.commit);
    co_return;
  }
  auto work = [&state] {
    std::error_code unreadable;  // which is told by who reads it
    if (state.local && !fs::exists(state.config_path, unreadable) && !unreadable) return;
    state.config =
        parse_config(io::read_file(state.config_path, largest_config), state.config_path.string());
  };
  co_await io::on_pool(state.hub.blocking_executor(), std::move(work));
  if (state.local) co_return;
  if (auto commit = commit_of(state.config_path); !commit.empty()) state.revision = commit;
}

awaitable<fs::path> fetch_file(std::shared_ptr<const detail::load_state> state, std::string name) {
  if (state->local) {
    auto work = [&state, &name] { return local_file(state->model_id, name); };
    co_return co_await io::on_pool(state->hub.blocking_executor(), std::move(work));
  }
  const auto options = download_options_of(state->options, state->revision);
  client hub = state->hub;
  co_return co_await hub.download_file(state->model_id, std::move(name), options);
}

/// A file, or weights in one file or in shards where the name is a pattern.
awaitable<fs::path> fetch_entry(std::shared_ptr<const detail::load_state> state, std::string name) {
  if (!model::is_weights_pattern(name)) {
    co_return co_await fetch_file(std::move(state), std::move(name));
  }
  auto options =
      fetch_options_of(state->options, state->revision, model::single_file_of(std::move(name)));
  co_return co_await model::fetch_weights(state->hub, state->model_id, std::move(options));
}

awaitable<load_context> open(client hub, std::string id_or_path, std::vector<std::string> files,
                             from_pretrained_options options,
                             std::function<void(const load_context&)> check) {
  if (!options.library_name.empty())
    hub = hub.identified_as(options.library_name, options.library_version);
  detail::load_state initial{std::move(hub), std::move(id_or_path), std::move(options)};
  auto state = std::make_shared<detail::load_state>(std::move(initial));
  state->revision = state->options.revision;
  state->local = co_await is_local_folder(state->hub.blocking_executor(), state->model_id);
  co_await read_config(*state);
  if (check) check(load_context(state));
  // Lends references to this frame: every child is awaited below.
  std::vector<fs::path> paths(files.size());
  auto fetch_one = [&](std::size_t i) -> awaitable<void> {
    auto fetching = fetch_entry(state, files[i]);
    auto path = co_await std::move(fetching);
    paths[i] = std::move(path);
  };
  co_await io::for_each_bounded(files.size(), files_at_a_time, std::move(fetch_one));
  for (std::size_t i = 0; i < files.size(); ++i) state->files.emplace(files[i], paths[i]);
  co_return load_context(std::move(state));
}

awaitable<fs::path> fetch(client hub, std::string id_or_path, fetch_pretrained_options options) {
  if (!options.library_name.empty())
    hub = hub.identified_as(options.library_name, options.library_version);
  const auto pool = hub.blocking_executor();
  const bool local = co_await is_local_folder(pool, id_or_path);
  if (local && options.file.empty()) co_return fs::path(id_or_path);
  if (local) {
    auto work = [&] { return local_file(id_or_path, options.file); };
    co_return co_await io::on_pool(pool, std::move(work));
  }
  if (!options.file.empty()) {
    download_options download;
    download.revision = options.revision;
    download.cache_dir = options.cache_dir;
    download.force_download = options.force_download;
    download.local_files_only = options.local_files_only;
    download.token = options.token;
    download.observer = options.observer;
    co_return co_await hub.download_file(std::move(id_or_path), options.file, download);
  }
  snapshot_download_options snapshot;
  snapshot.revision = options.revision;
  snapshot.cache_dir = options.cache_dir;
  snapshot.allow_patterns = options.allow_patterns;
  snapshot.ignore_patterns = options.ignore_patterns;
  snapshot.force_download = options.force_download;
  snapshot.local_files_only = options.local_files_only;
  snapshot.token = options.token;
  snapshot.observer = options.observer;
  co_return co_await hub.snapshot_download(std::move(id_or_path), snapshot);
}

}  // namespace

awaitable<fs::path> fetch_pretrained(client hub, std::string id_or_path,
                                     named<fetch_pretrained_options> options) {
  return detail::operation(fetch(std::move(hub), std::move(id_or_path), *std::move(options)));
}

awaitable<load_context> detail::open_model(client hub, std::string id_or_path,
                                           std::vector<std::string> files,
                                           from_pretrained_options options,
                                           std::function<void(const load_context&)> check) {
  return open(std::move(hub), std::move(id_or_path), std::move(files), std::move(options),
              std::move(check));
}

awaitable<load_context> open_pretrained(client hub, std::string id_or_path,
                                        std::vector<std::string> files,
                                        named<from_pretrained_options> options) {
  return detail::operation(
      open(std::move(hub), std::move(id_or_path), std::move(files), *std::move(options), nullptr));
}

load_context::load_context(std::shared_ptr<const detail::load_state> state)
    : state_(std::move(state)) {}

const std::string& load_context::model_id() const noexcept { return state_->model_id; }
bool load_context::is_local() const noexcept { return state_->local; }
const std::string& load_context::revision() const noexcept { return state_->revision; }
const from_pretrained_options& load_context::options() const noexcept { return state_->options; }
client load_context::hub() const { return state_->hub; }

const std::optional<boost::json::object>& load_context::config_object() const noexcept {
  return state_->config;
}

fs::path load_context::file(std::string_view name) const {
  const auto found = state_->files.find(name);
  if (found != state_->files.end()) return found->second;
  if (state_->local) return local_file(state_->model_id, name);
  throw error(
      errc::invalid_argument,
      "opening " + std::string(name) + " of " + state_->model_id +
          ": name it in model_info::weight_files, so that it is fetched before the hook runs");
}

awaitable<fs::path> load_context::download(std::string name) const {
  return detail::operation(fetch_file(state_, std::move(name)));
}

boost::json::value load_context::merged_config() const {
  boost::json::object merged;
  if (state_->config) merged = *state_->config;
  for (const auto& item : options().config_overrides) merged[item.key()] = item.value();
  return merged;
}

std::string load_context::config_origin() const {
  if (state_->config) return state_->config_path.string();
  return "the config of " + state_->model_id + ", which has no config.json";
}

void load_context::refuse_override(std::string_view key) const {
  throw error(errc::invalid_config, "loading " + state_->model_id + ": the override \"" +
                                        std::string(key) + "\" is no member of its config");
}

}  // namespace cohub
