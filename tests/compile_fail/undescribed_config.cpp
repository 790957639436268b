// A config of which nothing is known is told so in one sentence.
#include "cohub/model_hub_mixin.hpp"

#include <boost/describe/class.hpp>

struct my_config {
  int size = 1;
};
#ifndef MISUSE
BOOST_DESCRIBE_STRUCT(my_config, (), (size))
#endif

struct net : cohub::model_hub_mixin<net> {
  my_config config() const { return {}; }
  void hub_save(const std::filesystem::path&) const {}
  static net hub_load(cohub::load_context) { return {}; }
};

cohub::awaitable<void> push(cohub::client hub) {
  const net model;
  co_await model.push_to_hub(hub, "org/model");
}
