// A model class that lists its tensors, but cannot be made of its config, is told so in one
// sentence.
#include "cohub/model_hub_mixin.hpp"

#include <vector>

struct sealed : cohub::model_hub_mixin<sealed> {
#ifdef MISUSE
  sealed(cohub::no_config, int) {}
#else
  explicit sealed(cohub::no_config) {}
#endif
  cohub::no_config config() const { return {}; }
  static cohub::tensor_list hub_tensors(auto& self) {
    return cohub::tensor_list().add("w", self.weights);
  }
  std::vector<float> weights;
};

cohub::awaitable<void> load(cohub::client hub) {
  co_await sealed::from_pretrained(hub, "org/model");
}
