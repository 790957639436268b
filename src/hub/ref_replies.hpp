#pragma once

#include "cohub/refs.hpp"

#include <boost/system/result.hpp>

#include <string_view>
#include <vector>

/// Answers about branches, tags and the history (hub-protocol, sections 6.2 and 6.5). A body of
/// another shape is errc::invalid_response.
namespace cohub::hub {

boost::system::result<git_refs> read_refs(std::string_view body);
boost::system::result<std::vector<git_commit_info>> read_commits(std::string_view body);

}  // namespace cohub::hub
