// Braces within the call are such a temporary, too.
#include "cohub/client.hpp"

cohub::awaitable<void> fetch(cohub::client hub) {
#ifdef MISUSE
  co_await hub.snapshot_download("org/model", {.revision = "v1"});
#else
  const cohub::snapshot_download_options options{.revision = "v1"};
  co_await hub.snapshot_download("org/model", options);
#endif
}
