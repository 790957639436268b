// An info that needs an object is not passed over in silence.
#include "cohub/model_hub_mixin.hpp"

struct unstatic : cohub::model_hub_mixin<unstatic> {
#ifndef MISUSE
  static
#endif
      cohub::model_info
      hub_info() {
    return cohub::model_info().license("mit");
  }
  cohub::no_config config() const { return {}; }
  void hub_save(const std::filesystem::path&) const {}
  static unstatic hub_load(cohub::load_context) { return {}; }
};

cohub::awaitable<void> push(cohub::client hub) {
  const unstatic model;
  co_await model.push_to_hub(hub, "org/model");
}
