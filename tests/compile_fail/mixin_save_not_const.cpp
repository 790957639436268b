// A hook that needs a changeable model is told so in one sentence.
#include "cohub/model_hub_mixin.hpp"

#ifdef MISUSE
#define MAYBE_CONST
#else
#define MAYBE_CONST const
#endif

struct net : cohub::model_hub_mixin<net> {
  cohub::no_config config() const { return {}; }
  void hub_save(const std::filesystem::path&) MAYBE_CONST {}
  static net hub_load(cohub::load_context) { return {}; }
};

cohub::awaitable<void> push(cohub::client hub) {
  const net model;
  co_await model.push_to_hub(hub, "org/model");
}
