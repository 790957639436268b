#pragma once

#include "cohub/access_request.hpp"

#include <boost/system/result.hpp>

#include <string_view>
#include <vector>

namespace cohub::hub {

/// The answer about who wants access (hub-protocol, section 6.5); of another shape:
/// errc::invalid_response.
boost::system::result<std::vector<access_request>> read_access_requests(std::string_view body);

}  // namespace cohub::hub
