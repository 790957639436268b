// An info that nobody could call is not passed over in silence.
#include "cohub/model_hub_mixin.hpp"

class shy : public cohub::model_hub_mixin<shy> {
#ifndef MISUSE
 public:
#endif
  static cohub::model_info hub_info() { return cohub::model_info().license("mit"); }

 public:
  cohub::no_config config() const { return {}; }
  void hub_save(const std::filesystem::path&) const {}
  static shy hub_load(cohub::load_context) { return {}; }
};

cohub::awaitable<void> push(cohub::client hub) {
  const shy model;
  co_await model.push_to_hub(hub, "org/model");
}
