#pragma once

#include "cohub/observer.hpp"

#include <memory>
#include <string>
#include <utility>

namespace cohub::transfer {

/// Tells an observer what happened; null is nobody.
inline void report_event(const std::shared_ptr<cohub::observer>& observer,
                         transfer_event::kind what, std::string file, std::string detail = {}) {
  if (!observer) return;
  transfer_event event;
  event.what = what;
  event.file = std::move(file);
  event.detail = std::move(detail);
  observer->on_event(event);
}

}  // namespace cohub::transfer
