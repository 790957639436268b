// Options must have a name: g++ 12 destroys a temporary twice when it stands beside co_await.
#include "cohub/client.hpp"

cohub::awaitable<void> fetch(cohub::client hub) {
#ifdef MISUSE
  co_await hub.download_file("org/model", "config.json", cohub::download_options{.revision = "v1"});
#else
  const cohub::download_options options{.revision = "v1"};
  co_await hub.download_file("org/model", "config.json", options);
#endif
}
