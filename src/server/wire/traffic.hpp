#pragma once

#include "cohub/local_hub.hpp"

#include "server/wire/message.hpp"

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <string_view>
#include <vector>

namespace cohub::server {

/// What came in, and what shall go wrong: the record of requests and the faults on order. Of one
/// executor.
class traffic {
 public:
  struct arrival {
    std::uint64_t number = 0;          ///< of the record
    std::optional<hub_fault> fault{};  ///< that befalls this request
  };

  arrival note(const request_head& head, bool content);
  void answered(std::uint64_t number, int status);

  void inject(hub_fault fault) { faults_.push_back({std::move(fault), 0, 0}); }
  void clear_faults() { faults_.clear(); }

  std::vector<hub_request> requests() const { return {records_.begin(), records_.end()}; }
  std::size_t count(std::string_view path_part, std::string_view method) const;
  void clear_requests();

 private:
  struct armed_fault {
    hub_fault what{};
    std::size_t seen = 0;
    std::size_t befallen = 0;
  };

  std::optional<hub_fault> next_fault(const request_head& head, bool content);

  std::vector<armed_fault> faults_;
  std::deque<hub_request> records_;
  std::uint64_t dropped_ = 0;  // records that are no longer kept: the number of the first one
};

}  // namespace cohub::server
