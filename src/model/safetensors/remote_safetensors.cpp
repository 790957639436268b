#include "cohub/remote_safetensors.hpp"

#include "cohub/detail/operation.hpp"
#include "cohub/error.hpp"

#include "core/throw_system.hpp"
#include "io/for_each_bounded.hpp"
#include "io/on_pool.hpp"
#include "model/safetensors/describe_safetensors.hpp"
#include "model/safetensors/remote_safetensors_state.hpp"
#include "model/safetensors/safetensors_index.hpp"

#include <algorithm>
#include <cerrno>
#include <exception>
#include <utility>

namespace cohub {

namespace model {

namespace {

const std::string single_file = "model.safetensors";
const std::string index_file = "model.safetensors.index.json";

/// What the first request of a header brings: as many bytes as the Python client asks for.
constexpr std::uint64_t first_read = 100'001;

open_file_options open_options(const remote_safetensors_options& options) {
  open_file_options opening;
  opening.type = options.type;
  opening.revision = options.revision;
  opening.cache_dir = options.cache_dir;
  opening.local_files_only = options.local_files_only;
  opening.token = options.token;
  opening.observer = options.observer;
  opening.read_ahead = 0;  // what is read is known
  return opening;
}

std::size_t within(std::uint64_t bytes, std::uint64_t size) {
  return static_cast<std::size_t>(std::min(bytes, size));
}

/// The bytes up to the end of the header, or more. `shard` is lent by a caller that awaits in the
/// same scope.
awaitable<std::vector<std::byte>> read_header(const safetensors_shard& shard,
                                              safetensors_options limits) {
  const auto size = shard.file.size();
  std::vector<std::byte> start(within(first_read, size));
  co_await shard.file.read_at(0, start);
  // A header that claims to go beyond the end of the file is refused when it is parsed.
  const auto wanted = within(safetensors_header_size(start, shard.origin, limits), size);
  if (wanted > start.size()) {
    const auto there = start.size();
    start.resize(wanted);
    co_await shard.file.read_at(there, std::span(start).subspan(there));
  }
  co_return start;
}

/// `model.safetensors`; null if there is none. A cache may lack it though the model has it: that is
/// told by `not_cached`, which is lent as above.
awaitable<shard_ptr> open_single(client hub, std::string repo_id,
                                 remote_safetensors_options options,
                                 std::exception_ptr& not_cached) {
  shard_ptr shard;
  try {
    shard =
        co_await open_shard(std::move(hub), std::move(repo_id), single_file, std::move(options));
  } catch (const error& failure) {
    if (failure.code() == errc::local_entry_not_found) not_cached = std::current_exception();
    if (failure.code() != errc::entry_not_found && !not_cached) throw;
  }
  co_return shard;
}

awaitable<remote_file> open_index(client hub, std::string repo_id,
                                  remote_safetensors_options options,
                                  std::exception_ptr not_cached) {
  remote_file file;
  bool absent = false;
  try {
    const auto how = open_options(options);
    file = co_await hub.open_file(repo_id, index_file, how);
  } catch (const error& failure) {
    absent = failure.code() == errc::entry_not_found;
    if (!absent && failure.code() != errc::local_entry_not_found) throw;
    if (!absent && !not_cached) not_cached = std::current_exception();
  }
  if (file) co_return file;
  if (not_cached) std::rethrow_exception(not_cached);
  throw error(errc::not_safetensors_repo, "looking for " + single_file + " and " + index_file +
                                              " in " + repo_id + " at " + options.revision);
}

awaitable<void> read_index(remote_model_ptr model, std::exception_ptr not_cached) {
  const auto file =
      co_await open_index(model->hub, model->repo_id, model->options, std::move(not_cached));
  if (file.size() > model->options.max_index_bytes)
    core::throw_system(EFBIG, "reading " + index_file + " of " + model->repo_id + ": it has " +
                                  std::to_string(file.size()) + " bytes (max_index_bytes)");
  std::string text(static_cast<std::size_t>(file.size()), '\0');
  co_await file.read_at(0, std::as_writable_bytes(std::span(text)));
  auto work = [&text, &model] {
    return parse_safetensors_index(text, model->repo_id + '/' + index_file);
  };
  auto index = co_await io::on_pool(model->hub.blocking_executor(), std::move(work));
  model->sharded = true;
  model->options.revision = file.commit();
  model->metadata = std::move(index.metadata);
  model->weight_map = std::move(index.weight_map);
  for (auto& name : index.files) model->shards.emplace(std::move(name), nullptr);
}

awaitable<remote_model_ptr> open_model(client hub, std::string repo_id,
                                       remote_safetensors_options options) {
  if (options.max_workers == 0)
    throw error(errc::invalid_argument, "remote_safetensors_options::max_workers must not be 0");
  std::exception_ptr not_cached;
  auto single = co_await open_single(hub, repo_id, options, not_cached);
  detail::remote_safetensors_state initial{std::move(hub), std::move(repo_id), std::move(options)};
  const auto model = std::make_shared<detail::remote_safetensors_state>(std::move(initial));
  if (!single) {
    co_await read_index(model, std::move(not_cached));
    co_return model;
  }
  model->options.revision = single->file.commit();
  for (const auto& tensor : single->header.tensors)
    model->weight_map.emplace(tensor.name, single_file);
  model->shards.emplace(single_file, std::move(single));
  co_return model;
}

awaitable<safetensors_file_metadata> read_file_metadata(client hub, std::string repo_id,
                                                        std::string path,
                                                        remote_safetensors_options options) {
  const auto shard =
      co_await open_shard(std::move(hub), std::move(repo_id), std::move(path), options);
  auto metadata = describe_safetensors(shard->header, shard->unknown);
  co_return metadata;
}

awaitable<safetensors_repo_metadata> read_repo_metadata(remote_model_ptr model) {
  std::vector<std::string> files;
  for (const auto& [name, shard] : model->shards) files.push_back(name);
  safetensors_repo_metadata repo;
  auto describe_file = [&](std::size_t index) -> awaitable<void> {
    auto opening = find_shard(model, files[index]);
    const auto shard = co_await std::move(opening);
    repo.files_metadata.emplace(files[index], describe_safetensors(shard->header, shard->unknown));
  };
  co_await io::for_each_bounded(files.size(), model->options.max_workers, std::move(describe_file));
  repo.commit = model->options.revision;
  repo.metadata = model->metadata;
  repo.sharded = model->sharded;
  repo.weight_map = model->weight_map;
  repo.parameter_count = sum_parameter_counts(repo.files_metadata);
  co_return repo;
}

awaitable<safetensors_repo_metadata> open_and_read_metadata(client hub, std::string repo_id,
                                                            remote_safetensors_options options) {
  auto model = co_await open_model(std::move(hub), std::move(repo_id), std::move(options));
  co_return co_await read_repo_metadata(std::move(model));
}

awaitable<remote_safetensors> open(client hub, std::string repo_id,
                                   remote_safetensors_options options) {
  auto model = co_await open_model(std::move(hub), std::move(repo_id), std::move(options));
  co_return remote_safetensors(std::move(model));
}

}  // namespace

awaitable<shard_ptr> open_shard(client hub, std::string repo_id, std::string path,
                                remote_safetensors_options options) {
  const auto shard = std::make_shared<safetensors_shard>();
  shard->origin = repo_id + '/' + path;
  const auto how = open_options(options);
  shard->file = co_await hub.open_file(std::move(repo_id), std::move(path), how);
  const safetensors_options limits{.max_header_bytes = options.max_header_bytes};
  auto start = co_await read_header(*shard, limits);
  auto work = [&shard, &start, &limits] {
    shard->header =
        parse_open_header(start, shard->file.size(), shard->origin, limits, shard->unknown);
    shard->names = name_index(shard->header.tensors);
  };
  co_await io::on_pool(hub.blocking_executor(), std::move(work));
  co_return shard;
}

awaitable<shard_ptr> find_shard(remote_model_ptr model, std::string path) {
  if (const auto there = model->shards.at(path)) co_return there;
  auto opened = co_await open_shard(model->hub, model->repo_id, path, model->options);
  auto& place = model->shards.at(path);
  if (!place) place = std::move(opened);  // else another operation was faster
  co_return place;
}

}  // namespace model

awaitable<safetensors_file_metadata> parse_safetensors_file_metadata(
    client hub, std::string repo_id, std::string path, named<remote_safetensors_options> options) {
  return detail::operation(model::read_file_metadata(std::move(hub), std::move(repo_id),
                                                     std::move(path), *std::move(options)));
}

awaitable<safetensors_repo_metadata> get_safetensors_metadata(
    client hub, std::string repo_id, named<remote_safetensors_options> options) {
  return detail::operation(
      model::open_and_read_metadata(std::move(hub), std::move(repo_id), *std::move(options)));
}

awaitable<remote_safetensors> open_safetensors(client hub, std::string repo_id,
                                               named<remote_safetensors_options> options) {
  return detail::operation(model::open(std::move(hub), std::move(repo_id), *std::move(options)));
}

remote_safetensors::remote_safetensors(
    std::shared_ptr<detail::remote_safetensors_state> state) noexcept
    : state_(std::move(state)) {}

const std::string& remote_safetensors::commit() const noexcept { return state_->options.revision; }
bool remote_safetensors::sharded() const noexcept { return state_->sharded; }

const std::optional<boost::json::object>& remote_safetensors::metadata() const noexcept {
  return state_->metadata;
}

const std::map<std::string, std::string, std::less<>>& remote_safetensors::weight_map()
    const noexcept {
  return state_->weight_map;
}

awaitable<safetensors_repo_metadata> remote_safetensors::get_metadata() const {
  return detail::operation(model::read_repo_metadata(state_));
}

}  // namespace cohub
