#include "hub/space_templates.hpp"

#include "cohub/error.hpp"

#include "hub/json_reader.hpp"

#include <boost/algorithm/string/predicate.hpp>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include <algorithm>
#include <utility>

namespace cohub::hub {

boost::system::result<std::vector<space_template>> read_space_templates(std::string_view body) {
  const auto parsed = parse_json(body);
  if (!parsed) return parsed.error();
  const auto* object = parsed->if_object();
  const auto* list = object == nullptr ? nullptr : object->if_contains("templates");
  if (list == nullptr || !list->is_array()) return make_error_code(errc::invalid_response);
  std::vector<space_template> templates;
  for (const auto& item : list->get_array()) {
    if (!item.is_object()) return make_error_code(errc::invalid_response);
    const auto& one = item.get_object();
    space_template read;
    read.name = text_or(one, "name");
    read.repo_id = text_or(one, "repoId");
    read.sdk = text_or(one, "sdk");
    read.preferred_private = flag_or(one, "preferredPrivate");
    templates.push_back(std::move(read));
  }
  return templates;
}

const space_template* find_space_template(const std::vector<space_template>& templates,
                                          std::string_view wanted) {
  const auto found =
      std::find_if(templates.begin(), templates.end(), [&](const space_template& one) {
        return one.repo_id == wanted || boost::iequals(one.name, wanted);
      });
  return found == templates.end() ? nullptr : &*found;
}

}  // namespace cohub::hub
