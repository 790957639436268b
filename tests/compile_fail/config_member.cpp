// A member that cannot be written to config.json is refused with what to do about it.
#include "cohub/model_config.hpp"

#include <boost/describe/class.hpp>

struct handle {
  void* pointer = nullptr;
};

struct my_config {
  int size = 1;
#ifdef MISUSE
  handle device{};
#else
  cohub::transient<handle> device{};
#endif
};
BOOST_DESCRIBE_STRUCT(my_config, (), (size, device))

boost::json::value write() { return cohub::config_to_json(my_config()); }
