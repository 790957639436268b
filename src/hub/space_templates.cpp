#include "hub/space_templates.hpp"

#include "cohub/error.hpp"

#include "hub/json_reader.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include <algorithm>
#include <utility>

namespace cohub::hub {

namespace {

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

bool equal_without_case(std::string_view a, std::string_view b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](char x, char y) { return lower(x) == lower(y); });
}

}  // namespace

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
        return one.repo_id == wanted || equal_without_case(one.name, wanted);
      });
  return found == templates.end() ? nullptr : &*found;
}

}  // namespace cohub::hub
