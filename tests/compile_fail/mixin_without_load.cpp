// A model class that forgets how it is loaded is told so in one sentence.
#include "cohub/model_hub_mixin.hpp"

struct forgetful : cohub::model_hub_mixin<forgetful> {
  cohub::no_config config() const { return {}; }
  void hub_save(const std::filesystem::path&) const {}
#ifndef MISUSE
  static forgetful hub_load(cohub::load_context) { return {}; }
#endif
};

cohub::awaitable<void> load(cohub::client hub) {
  co_await forgetful::from_pretrained(hub, "org/model");
}
