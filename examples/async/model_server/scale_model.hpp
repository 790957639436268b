#pragma once

#include <boost/describe/class.hpp>

#include <cohub/model_hub_mixin.hpp>
#include <vector>

struct scale_config {
  double scale = 1;
};
BOOST_DESCRIBE_STRUCT(scale_config, (), (scale))

/// y = scale * x, with a layer of weights that do nothing but take time to load.
class scale_model : public cohub::model_hub_mixin<scale_model> {
 public:
  explicit scale_model(scale_config config = {}) : config_(config), ballast_(1 << 20, 1.0f) {}
  double operator()(double x) const { return config_.scale * x; }

  const scale_config& config() const { return config_; }
  static cohub::tensor_list hub_tensors(auto& self) {
    return cohub::tensor_list().add("ballast", self.ballast_);
  }

 private:
  scale_config config_;
  std::vector<float> ballast_;
};
