#pragma once

#include "cohub/observer.hpp"

#include "core/logger.hpp"

#include <memory>
#include <utility>

namespace cohub::transfer {

/// Writes the events of transfers to the log.
class event_log final : public observer {
 public:
  explicit event_log(std::shared_ptr<const core::logger> log) : log_(std::move(log)) {}
  void on_event(const transfer_event& event) override;

 private:
  std::shared_ptr<const core::logger> log_;
};

}  // namespace cohub::transfer
