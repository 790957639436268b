#include "transfer/folder/commit_size.hpp"

#include <array>

namespace cohub::transfer {

namespace {

constexpr std::array<std::size_t, 10> sizes{20, 50, 75, 100, 125, 200, 250, 400, 600, 1000};
constexpr auto fast_enough = std::chrono::seconds(40);

}  // namespace

std::size_t commit_size::files() const noexcept { return sizes[step_]; }

void commit_size::made(std::size_t files, std::chrono::steady_clock::duration took) noexcept {
  if (took > fast_enough) {
    if (step_ > 0) --step_;
  } else if (files >= sizes[step_] && step_ + 1 < sizes.size()) {
    ++step_;
  }
}

bool commit_size::failed(std::size_t files) noexcept {
  const bool is_least = step_ == 0;
  if (!is_least) --step_;
  return files > 1 && (!is_least || files > sizes[0]);
}

}  // namespace cohub::transfer
