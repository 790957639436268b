#include "model/safetensors/tensor_runs.hpp"

#include <doctest/doctest.h>

#include <string>

using namespace cohub::model;

namespace {

/// "file:begin-end(members) ..."
std::string plan(const std::vector<wanted_tensor>& wanted, std::uint64_t gap, std::uint64_t size) {
  run_limits limits;
  limits.gap = gap;
  limits.size = size;
  std::string text;
  for (const auto& run : plan_tensor_runs(wanted, limits)) {
    text += std::to_string(run.file) + ':' + std::to_string(run.begin) + '-' +
            std::to_string(run.end) + '(';
    for (const auto member : run.members) text += std::to_string(member);
    text += ") ";
  }
  return text;
}

}  // namespace

TEST_CASE("tensors that lie side by side make one run, in whatever order they are wanted") {
  CHECK(plan({}, 10, 100).empty());
  CHECK(plan({{0, 5, 10}}, 10, 100) == "0:5-10(0) ");
  CHECK(plan({{0, 10, 20}, {0, 0, 10}, {0, 20, 30}}, 1, 100) == "0:0-30(102) ");
  CHECK(plan({{1, 0, 10}, {0, 10, 20}, {0, 0, 10}}, 1, 100) == "0:0-20(21) 1:0-10(0) ");
}

TEST_CASE("a small gap is read along, a wide one parts two runs") {
  CHECK(plan({{0, 0, 10}, {0, 19, 20}}, 10, 100) == "0:0-20(01) ");
  CHECK(plan({{0, 0, 10}, {0, 20, 30}}, 10, 100) == "0:0-10(0) 0:20-30(1) ");
}

TEST_CASE("a run is bounded, a tensor is not parted") {
  CHECK(plan({{0, 0, 60}, {0, 60, 100}, {0, 100, 101}}, 10, 100) == "0:0-100(01) 0:100-101(2) ");
  CHECK(plan({{0, 0, 500}, {0, 500, 501}}, 10, 100) == "0:0-500(0) 0:500-501(1) ");
}

TEST_CASE("a tensor that is wanted twice, or is empty, costs nothing more") {
  CHECK(plan({{0, 0, 500}, {0, 0, 500}}, 10, 100) == "0:0-500(01) ");
  CHECK(plan({{0, 7, 7}, {0, 0, 7}}, 1, 100) == "0:0-7(10) ");
}
