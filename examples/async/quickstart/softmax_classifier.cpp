#include "softmax_classifier.hpp"

#include <algorithm>
#include <cmath>

softmax_classifier::softmax_classifier(classifier_config config)
    : config_(std::move(config)),
      weights_(config_.classes.size() * features),
      bias_(config_.classes.size()),
      mean_(features),
      deviation_(features, 1.0) {}

softmax_classifier::feature_vector softmax_classifier::scaled(const feature_vector& sample) const {
  feature_vector result{};
  for (std::size_t f = 0; f < features; ++f) result[f] = (sample[f] - mean_[f]) / deviation_[f];
  return result;
}

std::vector<double> softmax_classifier::logits(const feature_vector& sample) const {
  const auto x = scaled(sample);
  std::vector<double> result = bias_;
  for (std::size_t c = 0; c < result.size(); ++c)
    for (std::size_t f = 0; f < features; ++f) result[c] += weights_[c * features + f] * x[f];
  return result;
}

std::size_t softmax_classifier::predict(const feature_vector& sample) const {
  const auto scores = logits(sample);
  return static_cast<std::size_t>(std::max_element(scores.begin(), scores.end()) - scores.begin());
}

void softmax_classifier::train(const std::vector<iris_row>& rows) {
  const auto count = static_cast<double>(rows.size());
  if (config_.scaling == feature_scaling::standardize) {
    for (std::size_t f = 0; f < features; ++f) {
      double sum = 0;
      double squares = 0;
      for (const auto& row : rows) sum += row.measures[f];
      mean_[f] = sum / count;
      for (const auto& row : rows) squares += std::pow(row.measures[f] - mean_[f], 2);
      deviation_[f] = std::sqrt(squares / count);
    }
  }
  const double rate = config_.training.learning_rate;
  const double decay = config_.weight_decay.value_or(0.0);
  for (int epoch = 0; epoch < config_.training.epochs; ++epoch) {
    std::vector<double> weight_slope(weights_.size());
    std::vector<double> bias_slope(bias_.size());
    for (const auto& row : rows) {
      auto p = logits(row.measures);
      const double top = *std::max_element(p.begin(), p.end());
      double total = 0;
      for (double& value : p) total += value = std::exp(value - top);
      const auto x = scaled(row.measures);
      for (std::size_t c = 0; c < p.size(); ++c) {
        const double error = p[c] / total - (c == row.species ? 1.0 : 0.0);
        bias_slope[c] += error / count;
        for (std::size_t f = 0; f < features; ++f)
          weight_slope[c * features + f] += error * x[f] / count;
      }
    }
    for (std::size_t i = 0; i < weights_.size(); ++i)
      weights_[i] -= rate * (weight_slope[i] + decay * weights_[i]);
    for (std::size_t c = 0; c < bias_.size(); ++c) bias_[c] -= rate * bias_slope[c];
  }
}
