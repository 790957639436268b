// A LibTorch module that is trained, pushed and loaded again: one base class is all it takes.
//
//   torch_on_the_hub      starts an embedded Hub in this process; HF_ENDPOINT names another

#include "own_hub.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/describe/class.hpp>

#include <torch/nn/functional/activation.h>
#include <torch/nn/functional/loss.h>
#include <torch/nn/modules/linear.h>
#include <torch/nn/pimpl.h>
#include <torch/optim/adam.h>

#include <cohub/torch_model_hub_mixin.hpp>
#include <iostream>

namespace asio = boost::asio;

struct sine_config {
  int hidden_size = 32;
};
BOOST_DESCRIBE_STRUCT(sine_config, (), (hidden_size))

/// Learns y = sin(x).
struct sine_impl : torch::nn::Module, cohub::torch_model_hub_mixin<sine_impl> {
  explicit sine_impl(sine_config config = {})
      : config_(config), in(1, config.hidden_size), out(config.hidden_size, 1) {
    register_module("in", in);
    register_module("out", out);
  }
  const sine_config& config() const { return config_; }
  static cohub::model_info hub_info() {
    return cohub::model_info().license("mit").tags("regression");
  }
  torch::Tensor forward(torch::Tensor x) { return out(torch::tanh(in(x))); }

  sine_config config_;
  torch::nn::Linear in, out;
};
TORCH_MODULE_IMPL(sine, sine_impl);

double train(sine& model) {
  torch::optim::Adam optimizer(model->parameters(), torch::optim::AdamOptions(0.01));
  const auto x = torch::linspace(-3, 3, 64).unsqueeze(1);
  double loss = 0;
  for (int step = 0; step < 300; ++step) {
    optimizer.zero_grad();
    const auto difference = torch::nn::functional::mse_loss(model->forward(x), torch::sin(x));
    difference.backward();
    optimizer.step();
    loss = difference.item<double>();
  }
  return loss;
}

cohub::awaitable<bool> push_and_load(cohub::client hub) {
  sine model(sine_config{.hidden_size = 16});
  std::cout << "Trained to a loss of " << train(model) << "\n";
  const auto id = co_await hub.get_full_repo_name("sine");  // "me/sine"
  const auto commit = co_await model->push_to_hub(hub, id);
  std::cout << "Pushed as " << commit.commit_url << "\n";
  sine loaded(co_await sine_impl::from_pretrained(hub, id));
  const auto x = torch::full({1, 1}, 0.5);
  model->eval();
  std::cout << "sin(0.5) is about " << loaded->forward(x).item<float>() << ", by a model of "
            << loaded->config().hidden_size << " hidden units\n";
  co_return torch::equal(loaded->forward(x), model->forward(x));
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
    std::cerr << "torch_on_the_hub: " << e.what() << "\n";
  }
  std::cout << (identical ? "The loaded module answers as the trained one.\n"
                          : "Something differs.\n");
  return identical ? 0 : 1;
}
