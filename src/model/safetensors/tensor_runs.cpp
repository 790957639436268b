#include "model/safetensors/tensor_runs.hpp"

#include <algorithm>
#include <numeric>
#include <tuple>

namespace cohub::model {

namespace {

bool may_join(const tensor_run& run, const wanted_tensor& next, const run_limits& limits) {
  if (run.file != next.file) return false;
  if (next.end <= run.end) return true;
  const bool near = next.begin <= run.end || next.begin - run.end < limits.gap;
  return near && next.end - run.begin <= limits.size;
}

}  // namespace

std::vector<tensor_run> plan_tensor_runs(const std::vector<wanted_tensor>& wanted,
                                         run_limits limits) {
  std::vector<std::size_t> order(wanted.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(), [&wanted](std::size_t a, std::size_t b) {
    const auto key = [&wanted](std::size_t i) {
      return std::tuple(wanted[i].file, wanted[i].begin, wanted[i].end);
    };
    return key(a) < key(b);
  });
  std::vector<tensor_run> runs;
  for (const auto position : order) {
    const auto& next = wanted[position];
    if (runs.empty() || !may_join(runs.back(), next, limits)) {
      auto& fresh = runs.emplace_back();
      fresh.file = next.file;
      fresh.begin = next.begin;
      fresh.end = next.end;
    }
    auto& run = runs.back();
    run.end = std::max(run.end, next.end);
    run.members.push_back(position);
  }
  return runs;
}

}  // namespace cohub::model
