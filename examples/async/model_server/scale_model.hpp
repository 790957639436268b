#pragma once

#include <boost/describe/class.hpp>

#include <cohub/model_hub_mixin.hpp>
#include <cohub/safetensors.hpp>
#include <filesystem>
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
  void hub_save(const std::filesystem::path& folder) const {
    std::vector<cohub::tensor_source> tensors;
    tensors.push_back(cohub::tensor_of("ballast", {ballast_.size()}, ballast_));
    cohub::save_safetensors(folder / "model.safetensors", std::move(tensors));
  }
  static scale_model hub_load(cohub::load_context context) {
    scale_model model(context.config<scale_config>());
    const cohub::safetensors_file file(context.file("model.safetensors"));
    model.ballast_ = file.tensor("ballast").to_vector<float>();
    return model;
  }

 private:
  scale_config config_;
  std::vector<float> ballast_;
};
