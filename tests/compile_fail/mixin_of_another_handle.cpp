// A hook that yields something else than the handle is told so in one sentence.
#include "cohub/model_hub_mixin.hpp"

#include <memory>

#ifdef MISUSE
struct net : cohub::model_hub_mixin<net> {
#else
struct net : cohub::model_hub_mixin<net, std::shared_ptr<net> > {
#endif
  cohub::no_config config() const { return {}; }
  void hub_save(const std::filesystem::path&) const {}
  static std::shared_ptr<net> hub_load(cohub::load_context) { return std::make_shared<net>(); }
};

cohub::awaitable<void> load(cohub::client hub) { co_await net::from_pretrained(hub, "org/model"); }
