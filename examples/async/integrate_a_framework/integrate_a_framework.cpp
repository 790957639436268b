// Two ways to put a framework on the Hub, side by side: a pair of functions for a class that cannot
// be changed, and the mixin for one that can.
//
//   integrate_a_framework     starts an embedded Hub in this process; HF_ENDPOINT names another

#include "own_hub.hpp"
#include "tiny.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/describe/class.hpp>

#include <cohub/model_hub_mixin.hpp>
#include <cohub/on_pool.hpp>
#include <cohub/safetensors.hpp>
#include <filesystem>
#include <iostream>
#include <string>

namespace asio = boost::asio;
namespace fs = std::filesystem;

// What both ways share: weights in a file that every framework reads.
void write_weights(const tiny::linear& model, const fs::path& folder) {
  std::vector<cohub::tensor_source> tensors;
  tensors.push_back(cohub::tensor_of("weights", {model.weights.size()}, model.weights));
  const std::vector<double> bias{model.bias};
  tensors.push_back(cohub::tensor_of("bias", {1}, bias));
  cohub::save_safetensors(folder / "model.safetensors", std::move(tensors));
}

tiny::linear read_weights(const fs::path& file) {
  const cohub::safetensors_file tensors(file);
  tiny::linear model;
  model.weights = tensors.tensor("weights").to_vector<double>();
  model.bias = tensors.tensor("bias").to_vector<double>().at(0);
  return model;
}

// ---- The first way: helpers. Total control, and every parameter and card is yours to write.

cohub::awaitable<cohub::commit_info> push_to_hub_tiny(cohub::client hub, tiny::linear model,
                                                      std::string repo_id) {
  const std::function<void(const fs::path&)> write = [model](const fs::path& folder) {
    write_weights(model, folder);
    cohub::model_card card;
    card.data()["library_name"] = "tiny";
    card.data()["tags"] = std::vector<std::string>{"tiny"};
    card.text() = "# A tiny model\n";
    card.save(folder / "README.md");
  };
  const cohub::push_to_hub_options options{.commit_message = "Push a tiny model"};
  auto pushing = cohub::push_with(hub, std::move(repo_id), write, options);
  auto commit = co_await std::move(pushing);
  co_return commit;
}

cohub::awaitable<tiny::linear> from_pretrained_tiny(cohub::client hub, std::string id_or_path) {
  const cohub::fetch_pretrained_options options{.file = "model.safetensors"};
  auto fetching = cohub::fetch_pretrained(hub, std::move(id_or_path), options);
  const auto file = co_await std::move(fetching);
  auto read = [file] { return read_weights(file); };  // blocks, so not here
  auto reading = cohub::on_pool(hub.blocking_executor(), std::move(read));
  auto model = co_await std::move(reading);
  co_return model;
}

// ---- The second way: the mixin. The class says what it is; the rest is done for it.

struct scaled_config {
  double scale = 1;
};
BOOST_DESCRIBE_STRUCT(scaled_config, (), (scale))

class scaled_linear : public cohub::model_hub_mixin<scaled_linear> {
 public:
  explicit scaled_linear(tiny::linear inner = {}, scaled_config config = {})
      : inner_(std::move(inner)), config_(config) {}
  double operator()(const std::vector<double>& x) const { return config_.scale * inner_(x); }

  const scaled_config& config() const { return config_; }
  void hub_save(const fs::path& folder) const { write_weights(inner_, folder); }
  static scaled_linear hub_load(cohub::load_context context) {
    return scaled_linear(read_weights(context.file("model.safetensors")),
                         context.config<scaled_config>());
  }
  static cohub::model_info hub_info() {
    return cohub::model_info().library_name("tiny").license("mit").tags("tiny");
  }

 private:
  tiny::linear inner_;
  scaled_config config_;
};

cohub::awaitable<bool> both_ways(cohub::client hub) {
  const tiny::linear model{{0.5, -2, 3}, 1};
  const std::vector<double> x{1, 2, 3};

  // In full ("me/tiny-by-helpers"), whoever's token it is.
  const auto helper_id = co_await hub.get_full_repo_name("tiny-by-helpers");
  const auto helped = co_await push_to_hub_tiny(hub, model, helper_id);
  const auto by_helper = co_await from_pretrained_tiny(hub, helper_id);
  std::cout << "Helpers: " << model(x) << " before, " << by_helper(x) << " after; "
            << helped.commit_url << "\n";

  const scaled_config config{.scale = 10};
  const scaled_linear scaled(model, config);
  const auto mixin_id = co_await hub.get_full_repo_name("tiny-by-mixin");
  const auto mixed = co_await scaled.push_to_hub(hub, mixin_id);
  const auto by_mixin = co_await scaled_linear::from_pretrained(hub, mixin_id);
  std::cout << "Mixin:   " << scaled(x) << " before, " << by_mixin(x) << " after; "
            << mixed.commit_url << "\n";
  const auto card = co_await hub.read_file(mixin_id, "README.md");
  std::cout << "\nThe mixin's card:\n" << card << "\n";
  co_return by_helper(x) == model(x) && by_mixin(x) == scaled(x);
}

int main() {
  asio::io_context context;
  own_hub hub(context.get_executor());
  bool identical = false;
  asio::co_spawn(context, both_ways(hub.client()), [&](std::exception_ptr failure, bool same) {
    identical = same;
    hub.stop_serving();
    if (failure) std::rethrow_exception(failure);
  });
  try {
    context.run();
  } catch (const std::exception& e) {
    std::cerr << "integrate_a_framework: " << e.what() << "\n";
  }
  std::cout << (identical ? "Both ways give the same predictions.\n" : "Something differs.\n");
  return identical ? 0 : 1;
}
