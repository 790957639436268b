// A class that names another one in its base by a slip cannot be made: the mixin would take it for
// that other class.
#include "cohub/model_hub_mixin.hpp"

struct right : cohub::model_hub_mixin<right> {
  cohub::no_config config() const { return {}; }
  void hub_save(const std::filesystem::path&) const {}
  static right hub_load(cohub::load_context) { return {}; }
};

#ifdef MISUSE
struct copied : cohub::model_hub_mixin<right> {
#else
struct copied : cohub::model_hub_mixin<copied> {
#endif
  copied() {}
  cohub::no_config config() const { return {}; }
  void hub_save(const std::filesystem::path&) const {}
  static copied hub_load(cohub::load_context) { return {}; }
};

cohub::awaitable<void> push(cohub::client hub) {
  const copied model;
  co_await model.push_to_hub(hub, "org/model");
}
