// An XGBoost model that is trained, pushed and loaded again by a pair of functions.
//
//   xgboost_on_the_hub      starts an embedded Hub in this process; HF_ENDPOINT names another

#include "own_hub.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>

#include <cmath>
#include <cohub/xgboost.hpp>
#include <iostream>
#include <stdexcept>
#include <vector>

namespace asio = boost::asio;

void check(int status) {
  if (status != 0) throw std::runtime_error(XGBGetLastError());
}

/// Points of a square, and whether they lie in a circle.
class points {
 public:
  points() {
    std::vector<float> coordinates, labels;
    for (int i = 0; i < 400; ++i) {
      const auto x = static_cast<float>(i % 20) / 10 - 1, y = static_cast<float>(i / 20) / 10 - 1;
      coordinates.insert(coordinates.end(), {x, y});
      labels.push_back(x * x + y * y < 0.5f ? 1.0f : 0.0f);
    }
    check(XGDMatrixCreateFromMat(coordinates.data(), labels.size(), 2, NAN, &matrix_));
    check(XGDMatrixSetFloatInfo(matrix_, "label", labels.data(), labels.size()));
  }
  points(points&&) = delete;
  ~points() { XGDMatrixFree(matrix_); }

  cohub::xgboost_booster train() const {
    BoosterHandle handle = nullptr;
    check(XGBoosterCreate(&matrix_, 1, &handle));
    cohub::xgboost_booster booster(handle);
    check(XGBoosterSetParam(handle, "objective", "binary:logistic"));
    check(XGBoosterSetParam(handle, "nthread", "1"));
    for (int round = 0; round < 10; ++round) check(XGBoosterUpdateOneIter(handle, round, matrix_));
    return booster;
  }
  std::vector<float> predict(BoosterHandle booster) const {
    bst_ulong count = 0;
    const float* values = nullptr;
    check(XGBoosterPredict(booster, matrix_, 0, 0, 0, &count, &values));
    return {values, values + count};
  }

 private:
  DMatrixHandle matrix_ = nullptr;
};

cohub::awaitable<bool> push_and_load(cohub::client hub) {
  const points data;
  const auto booster = data.train();
  cohub::push_to_hub_xgboost_options options;
  options.info.license("mit").tags("circle");
  const auto id = co_await hub.get_full_repo_name("circle");  // "me/circle"
  const auto commit = co_await cohub::push_to_hub_xgboost(hub, booster.get(), id, options);
  std::cout << "Pushed as " << commit.commit_url << "\n";
  const auto loaded = co_await cohub::from_pretrained_xgboost(hub, id);
  const auto predictions = data.predict(loaded.get());
  std::cout << "The middle is in the circle by " << predictions[210] << ", the corner by "
            << predictions[0] << "\n";
  co_return predictions == data.predict(booster.get());
}

int main() {
  asio::io_context context;
  own_hub hub(context.get_executor());
  bool identical = false;
  asio::co_spawn(context, push_and_load(hub.client()), [&](std::exception_ptr failure, bool same) {
    identical = same;
    hub.stop_serving();
    if (failure) std::rethrow_exception(failure);
  });
  try {
    context.run();
  } catch (const std::exception& e) {
    std::cerr << "xgboost_on_the_hub: " << e.what() << "\n";
  }
  std::cout << (identical ? "The loaded booster predicts as the trained one.\n"
                          : "Something differs.\n");
  return identical ? 0 : 1;
}
