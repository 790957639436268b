// A model class that forgets a hook is told so in one sentence.
#include "cohub/model_hub_mixin.hpp"

struct forgetful : cohub::model_hub_mixin<forgetful> {
  cohub::no_config config() const { return {}; }
#ifndef MISUSE
  void hub_save(const std::filesystem::path&) const {}
#endif
  static forgetful hub_load(cohub::load_context) { return {}; }
};

cohub::awaitable<void> push(cohub::client hub) {
  const forgetful model;
  co_await model.push_to_hub(hub, "org/model");
}
