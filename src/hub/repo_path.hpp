#pragma once

#include <boost/system/result.hpp>

#include <string>
#include <string_view>

namespace cohub::hub {

/// Normalises a path that a commit writes or deletes, or refuses it: errc::invalid_path
/// (hub-protocol, sections 7.1 and 12.8; `a/../b` and back-slashes, which the Hub refuses, are
/// refused here too, and so is what is not UTF-8, which no request can carry).
boost::system::result<std::string> check_path_in_repo(std::string_view path);

/// Refuses a name that, joined to a folder, could leave it on any system (hub-protocol,
/// section 4.2), or that is empty or holds control characters: errc::invalid_path. So is what leads
/// into git's own folder, which no repository can hold: its configuration names programs to run.
/// For names from callers and from listings.
boost::system::result<void> check_download_path(std::string_view path);

}  // namespace cohub::hub
