#include "cohub/detail/operation.hpp"
#include "cohub/error.hpp"
#include "cohub/remote_safetensors.hpp"

#include "io/for_each_bounded.hpp"
#include "model/safetensors/remote_safetensors_state.hpp"
#include "model/safetensors/tensor_runs.hpp"

#include <algorithm>
#include <new>
#include <utility>

namespace cohub {

namespace model {

namespace {

constexpr std::size_t runs_in_flight = 4;
/// No element needs more.
constexpr std::size_t alignment = 64;

/// A tensor and the file it is in.
struct found_tensor {
  shard_ptr shard{};
  const tensor_info* info = nullptr;
};

std::string called(std::string_view name) { return "\"" + std::string(name.substr(0, 200)) + '"'; }

const std::string& file_of(const detail::remote_safetensors_state& model, const std::string& name) {
  const auto found = model.weight_map.find(name);
  if (found == model.weight_map.end())
    throw error(errc::invalid_argument, "looking for tensor " + called(name) + ", which " +
                                            model.repo_id + " does not have");
  return found->second;
}

found_tensor find_in(shard_ptr shard, const std::string& name) {
  const auto position = shard->names.find(shard->header.tensors, name);
  if (!position)
    throw error(errc::invalid_safetensors, "looking for tensor " + called(name) +
                                               " where the index says it is: " + shard->origin +
                                               " does not have it");
  if (const auto unknown = shard->unknown.find(name); unknown != shard->unknown.end())
    throw error(errc::invalid_safetensors, "loading tensor " + called(name) + " of " +
                                               shard->origin + ": unknown dtype " +
                                               unknown->second.substr(0, 40));
  found_tensor found;
  found.info = &shard->header.tensors[*position];
  found.shard = std::move(shard);
  return found;
}

awaitable<found_tensor> find_tensor(remote_model_ptr model, std::string name) {
  auto shard = co_await find_shard(model, file_of(*model, name));
  auto found = find_in(std::move(shard), name);
  co_return found;
}

/// Memory for the bytes from `begin` on of a file's data, aligned as they are there.
std::shared_ptr<std::byte[]> allocate(std::uint64_t begin, std::uint64_t size) {
  const auto shift = static_cast<std::size_t>(begin % alignment);
  auto* const memory = static_cast<std::byte*>(
      ::operator new (static_cast<std::size_t>(size) + shift, std::align_val_t{alignment}));
  return {memory + shift,
          [memory](std::byte*) { ::operator delete (memory, std::align_val_t{alignment}); }};
}

/// What one call loads.
struct load_plan {
  std::vector<std::string> names{};
  std::vector<std::string> files{};
  std::vector<shard_ptr> shards{};  // one a file
  std::vector<found_tensor> found{};
  std::vector<tensor_run> runs{};
  std::vector<loaded_tensor> loaded{};
};

std::vector<std::string> distinct_files(const detail::remote_safetensors_state& model,
                                        const std::vector<std::string>& names) {
  std::vector<std::string> files;
  for (const auto& name : names) files.push_back(file_of(model, name));
  std::sort(files.begin(), files.end());
  files.erase(std::unique(files.begin(), files.end()), files.end());
  return files;
}

void find_and_plan(const detail::remote_safetensors_state& model, load_plan& plan) {
  std::vector<wanted_tensor> wanted;
  for (const auto& name : plan.names) {
    const auto file = std::lower_bound(plan.files.begin(), plan.files.end(), file_of(model, name));
    wanted_tensor tensor;
    tensor.file = static_cast<std::size_t>(file - plan.files.begin());
    plan.found.push_back(find_in(plan.shards[tensor.file], name));
    tensor.begin = plan.found.back().info->begin;
    tensor.end = plan.found.back().info->end;
    wanted.push_back(tensor);
  }
  plan.runs = plan_tensor_runs(wanted);
  plan.loaded.resize(plan.names.size());
}

/// `plan` is lent by a caller that awaits in the same scope.
awaitable<void> load_run(load_plan& plan, std::size_t index) {
  const auto& run = plan.runs[index];
  const auto& shard = *plan.shards[run.file];
  const auto memory = allocate(run.begin, run.end - run.begin);
  const std::span bytes(memory.get(), static_cast<std::size_t>(run.end - run.begin));
  co_await shard.file.read_at(shard.header.data_offset + run.begin, bytes);
  for (const auto member : run.members) {
    const auto& info = *plan.found[member].info;
    const auto part = bytes.subspan(static_cast<std::size_t>(info.begin - run.begin),
                                    static_cast<std::size_t>(info.end - info.begin));
    plan.loaded[member] = loaded_tensor(info, memory, part);
  }
}

awaitable<std::vector<loaded_tensor>> load_all(remote_model_ptr model,
                                               std::vector<std::string> names) {
  load_plan plan;
  plan.names = std::move(names);
  plan.files = distinct_files(*model, plan.names);
  plan.shards.resize(plan.files.size());
  auto open_file = [&](std::size_t index) -> awaitable<void> {
    auto finding = find_shard(model, plan.files[index]);
    plan.shards[index] = co_await std::move(finding);
  };
  co_await io::for_each_bounded(plan.files.size(), model->options.max_workers,
                                std::move(open_file));
  find_and_plan(*model, plan);
  auto load_one = [&plan](std::size_t index) { return load_run(plan, index); };
  co_await io::for_each_bounded(plan.runs.size(), runs_in_flight, std::move(load_one));
  co_return std::move(plan.loaded);
}

awaitable<loaded_tensor> load_one(remote_model_ptr model, std::string name) {
  std::vector<std::string> names;
  names.push_back(std::move(name));
  auto loaded = co_await load_all(std::move(model), std::move(names));
  co_return std::move(loaded.front());
}

/// `into` is lent by the caller of the public member until the operation has ended.
awaitable<void> load_into(remote_model_ptr model, std::string name, std::span<std::byte> into) {
  const auto found = co_await find_tensor(std::move(model), name);
  const auto size = found.info->end - found.info->begin;
  if (into.size() != size)
    throw error(errc::invalid_argument, "loading tensor " + called(name) + ", which has " +
                                            std::to_string(size) + " bytes, into " +
                                            std::to_string(into.size()));
  co_await found.shard->file.read_at(found.shard->header.data_offset + found.info->begin, into);
}

}  // namespace

}  // namespace model

awaitable<loaded_tensor> remote_safetensors::load_tensor(std::string name) const {
  return detail::operation(model::load_one(state_, std::move(name)));
}

awaitable<void> remote_safetensors::load_tensor_into(std::string name,
                                                     std::span<std::byte> into) const {
  return detail::operation(model::load_into(state_, std::move(name), into));
}

awaitable<std::vector<loaded_tensor>> remote_safetensors::load_tensors(
    std::vector<std::string> names) const {
  return detail::operation(model::load_all(state_, std::move(names)));
}

}  // namespace cohub
