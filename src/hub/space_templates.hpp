#pragma once

#include <boost/system/result.hpp>

#include <string>
#include <string_view>
#include <vector>

namespace cohub::hub {

/// A space that the Hub offers as the beginning of others.
struct space_template {
  std::string name{};  ///< for people: "JupyterLab"
  std::string repo_id{};
  std::string sdk{};
  bool preferred_private = false;
};

/// The answer of `routes::space_templates`; errc::invalid_response for a body of another shape.
boost::system::result<std::vector<space_template>> read_space_templates(std::string_view body);

/// The one with that id, or with that name in upper or lower case; null if there is none.
const space_template* find_space_template(const std::vector<space_template>& templates,
                                          std::string_view wanted);

}  // namespace cohub::hub
