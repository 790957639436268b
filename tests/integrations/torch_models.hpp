#pragma once

#include "cohub/torch_model_hub_mixin.hpp"

#include <boost/describe/class.hpp>

#include <torch/nn/modules/batchnorm.h>
#include <torch/nn/modules/container/sequential.h>
#include <torch/nn/modules/conv.h>
#include <torch/nn/modules/linear.h>

#include <cstdint>

namespace cohub::test {

struct net_config {
  std::int64_t hidden_size = 4;
  bool has_bias = true;
};
BOOST_DESCRIBE_STRUCT(net_config, (), (hidden_size, has_bias))

/// Parameters and buffers of its own and of children at two levels, a layer without bias, and a
/// layer registered twice. `exchange_test.py` has the same in Python.
struct net_impl : torch::nn::Module, torch_model_hub_mixin<net_impl> {
  explicit net_impl(net_config config = {})
      : config_(config),
        conv(torch::nn::Conv2dOptions(1, 2, 3).bias(false)),
        norm(2),
        head(torch::nn::LinearOptions(config.hidden_size, 2).bias(config.has_bias)) {
    register_module("conv", conv);
    register_module("norm", norm);
    body->push_back(torch::nn::Linear(8, config.hidden_size));
    body->push_back(torch::nn::Linear(config.hidden_size, config.hidden_size));
    register_module("body", body);
    register_module("head", head);
    register_module("tail", head);
    scale = register_parameter("scale", torch::full({1}, 0.5));
    steps = register_buffer("steps", torch::tensor({3}, torch::kInt64));
    halves = register_buffer("halves", torch::tensor({1.5, -2.0}).to(torch::kBFloat16));
    mask = register_buffer("mask", torch::tensor({1, 0, 1}).to(torch::kBool));
  }

  const net_config& config() const { return config_; }
  static model_info hub_info() { return model_info().library_name("nets").tags("tag1", "tag2"); }

  torch::Tensor forward(torch::Tensor input) {
    auto hidden = norm->forward(conv->forward(input)).flatten(1) * scale;
    return head->forward(body->forward(hidden));
  }

  net_config config_;
  torch::nn::Conv2d conv;
  torch::nn::BatchNorm2d norm;
  torch::nn::Sequential body;
  torch::nn::Linear head;
  torch::Tensor scale, steps, halves, mask;
};

/// Of the shape that the net takes.
inline torch::Tensor sample() { return torch::arange(16, torch::kFloat32).view({1, 1, 4, 4}) / 16; }

}  // namespace cohub::test
