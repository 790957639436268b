#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace cohub::model {

/// A tensor that is to be fetched.
struct wanted_tensor {
  std::size_t file = 0;     ///< which of the files it lies in
  std::uint64_t begin = 0;  ///< of its bytes in the file
  std::uint64_t end = 0;
};

/// Tensors that are fetched by one read.
struct tensor_run {
  std::size_t file = 0;
  std::uint64_t begin = 0;
  std::uint64_t end = 0;
  std::vector<std::size_t> members{};  ///< positions in what was planned
};

struct run_limits {
  std::uint64_t gap = 64 * 1024;   ///< less than this lies between neighbours of a run
  std::uint64_t size = 32u << 20;  ///< of a run, unless one tensor is larger: it is held as a whole
};

/// Puts together what lies side by side. The same tensor may be wanted twice.
std::vector<tensor_run> plan_tensor_runs(const std::vector<wanted_tensor>& wanted,
                                         run_limits limits = {});

}  // namespace cohub::model
