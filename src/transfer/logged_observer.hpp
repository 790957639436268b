#pragma once

#include "cohub/observer.hpp"

#include <memory>
#include <utility>

namespace cohub::transfer {

/// Hears for two: tells the log what happens, and an observer that besides how far it is. The total
/// passes it by, since that is kept for each observer itself.
class logged_observer final : public observer {
 public:
  /// @param own  may be null
  /// @param log  not null
  logged_observer(std::shared_ptr<observer> own, std::shared_ptr<observer> log)
      : own_(std::move(own)), log_(std::move(log)) {}

  void on_progress(const transfer_progress& progress) override {
    if (own_) own_->on_progress(progress);
  }
  void on_event(const transfer_event& event) override {
    if (own_) own_->on_event(event);
    log_->on_event(event);
  }

 private:
  std::shared_ptr<observer> own_;
  std::shared_ptr<observer> log_;
};

}  // namespace cohub::transfer
