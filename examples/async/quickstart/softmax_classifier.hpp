#pragma once

#include "iris.hpp"

#include <boost/describe/class.hpp>
#include <boost/describe/enum.hpp>

#include <array>
#include <cohub/model_hub_mixin.hpp>
#include <cstddef>
#include <optional>
#include <string>
#include <vector>

// The config: what it takes to build the model again. It becomes config.json.
BOOST_DEFINE_ENUM_CLASS(feature_scaling, none, standardize)

struct training_config {
  int epochs = 400;
  double learning_rate = 0.5;
};
BOOST_DESCRIBE_STRUCT(training_config, (), (epochs, learning_rate))

struct classifier_config {
  std::vector<std::string> classes;
  feature_scaling scaling = feature_scaling::standardize;
  std::optional<double> weight_decay;
  training_config training;
};
BOOST_DESCRIBE_STRUCT(classifier_config, (), (classes, scaling, weight_decay, training))

/// Multinomial logistic regression over four features.
class softmax_classifier : public cohub::model_hub_mixin<softmax_classifier> {
 public:
  static constexpr std::size_t features = 4;
  using feature_vector = std::array<double, features>;

  explicit softmax_classifier(classifier_config config);

  /// Full-batch gradient descent from zero: the same weights on every run.
  void train(const std::vector<iris_row>& rows);
  /// One logit a class.
  std::vector<double> logits(const feature_vector& sample) const;
  std::size_t predict(const feature_vector& sample) const;

  // What the mixin asks of a class.
  const classifier_config& config() const { return config_; }
  static cohub::tensor_list hub_tensors(auto& self) {
    return cohub::tensor_list()
        .add("weights", {self.bias_.size(), features}, self.weights_)
        .add("bias", self.bias_)
        .add("mean", self.mean_)
        .add("deviation", self.deviation_);
  }
  static cohub::model_info hub_info() {
    return cohub::model_info()
        .library_name("cohub")
        .license("mit")
        .pipeline_tag("tabular-classification")
        .tags("iris", "softmax");
  }

 private:
  feature_vector scaled(const feature_vector& sample) const;

  classifier_config config_;
  std::vector<double> weights_;  // classes x features, row-major
  std::vector<double> bias_;     // classes
  std::vector<double> mean_;     // features
  std::vector<double> deviation_;
};
