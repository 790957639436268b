// A model class that forgets its config is told so in one sentence.
#include "cohub/model_hub_mixin.hpp"

struct forgetful : cohub::model_hub_mixin<forgetful> {
#ifndef MISUSE
  cohub::no_config config() const { return {}; }
#endif
  void hub_save(const std::filesystem::path&) const {}
  static forgetful hub_load(cohub::load_context) { return {}; }
};

cohub::awaitable<void> load(cohub::client hub) {
  co_await forgetful::from_pretrained(hub, "org/model");
}
