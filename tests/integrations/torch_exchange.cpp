// One side of exchange_test.py: saves or loads the net of torch_models.hpp.
//
//   torch_exchange save FOLDER MAX_SHARD_SIZE    names of the state dict, then the output
//   torch_exchange load FOLDER                   output of the loaded net

#include "integrations/torch_models.hpp"

#include <iomanip>
#include <iostream>
#include <string_view>

int main(int argc, char** argv) {
  if (argc < 3) return 2;
  cohub::test::net_impl net;
  net.eval();
  if (std::string_view(argv[1]) == "save") {
    const cohub::save_state_dict_options options{.max_shard_size = argc > 3 ? argv[3] : "5GB"};
    cohub::save_torch_model(net, argv[2], options);
    for (const auto& item : cohub::state_dict_of(net)) std::cout << item.first << ' ';
    std::cout << '\n';
  } else {
    cohub::load_torch_model(net, argv[2]);
  }
  const auto output = net.forward(cohub::test::sample()).contiguous();
  for (std::int64_t i = 0; i < output.numel(); ++i)
    std::cout << std::setprecision(9) << output.data_ptr<float>()[i] << ' ';
  std::cout << '\n';
  return 0;
}
