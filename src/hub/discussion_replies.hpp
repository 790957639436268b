#pragma once

#include "cohub/discussion.hpp"

#include <boost/system/result.hpp>

#include <cstdint>
#include <string_view>
#include <vector>

/// Answers about discussions (hub-protocol, section 6.5). A body of another
/// shape is errc::invalid_response.
namespace cohub::hub {

struct discussions_page {
  std::vector<discussion> discussions{};
  std::uint64_t count = 0;  ///< in all
  std::uint64_t start = 0;  ///< of this page
};
boost::system::result<discussions_page> read_discussions(std::string_view body);
boost::system::result<discussion_with_details> read_discussion(std::string_view body);
/// The number in the answer to a new one.
boost::system::result<std::uint64_t> read_discussion_number(std::string_view body);
/// The event in the answer to a change, under the key that it goes by.
boost::system::result<discussion_event> read_event(std::string_view body, std::string_view key);

}  // namespace cohub::hub
