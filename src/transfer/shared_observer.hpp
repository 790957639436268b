#pragma once

#include "cohub/observer.hpp"

#include <cstddef>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

namespace cohub::transfer {

/// Tells several observers of one transfer, each by the name that the file has for it. Who listens
/// twice under the same name is told once.
class shared_observer final : public observer {
 public:
  void add(std::shared_ptr<observer> listener, std::string file);
  void remove(const std::shared_ptr<observer>& listener, const std::string& file);

  void on_progress(const transfer_progress& progress) override;
  void on_event(const transfer_event& event) override;

 private:
  struct entry {
    std::shared_ptr<observer> listener{};
    std::string file{};
    std::size_t count = 0;
  };
  std::vector<entry> listeners() const;

  mutable std::mutex mutex_;
  std::vector<entry> entries_{};
};

}  // namespace cohub::transfer
