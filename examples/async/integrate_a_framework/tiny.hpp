#pragma once

#include <vector>

/// The framework: models y = w x + b over vectors. It knows nothing of any Hub.
namespace tiny {

struct linear {
  std::vector<double> weights;
  double bias = 0;

  double operator()(const std::vector<double>& x) const {
    double y = bias;
    for (std::size_t i = 0; i < weights.size(); ++i) y += weights[i] * x[i];
    return y;
  }
};

}  // namespace tiny
