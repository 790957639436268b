#pragma once

#include "cohub/local_hub.hpp"

#include "server/wire/message.hpp"

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
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
    /// Held while the request is answered, by those that a fault with `beyond_at_once` spared.
    std::vector<std::shared_ptr<const void>> places{};
  };

  arrival note(const request_head& head, bool content);
  void answered(std::uint64_t number, int status);

  void inject(hub_fault fault) { faults_.emplace_back().what = std::move(fault); }
  void clear_faults() { faults_.clear(); }

  std::vector<hub_request> requests() const { return {records_.begin(), records_.end()}; }
  std::size_t count(std::string_view path_part, std::string_view method) const;
  void clear_requests();

 private:
  struct armed_fault {
    hub_fault what{};
    std::size_t seen = 0;
    std::size_t befallen = 0;
    std::shared_ptr<const void> place = std::make_shared<char>();  // as often as it is taken
  };

  void find_fault(const request_head& head, bool content, arrival& found);

  std::vector<armed_fault> faults_;
  std::deque<hub_request> records_;
  std::uint64_t dropped_ = 0;  // records that are no longer kept: the number of the first one
};

}  // namespace cohub::server
