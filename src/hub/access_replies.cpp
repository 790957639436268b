#include "hub/access_replies.hpp"

#include "cohub/error.hpp"

#include "hub/json_reader.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include <utility>

namespace cohub::hub {

boost::system::result<std::vector<access_request>> read_access_requests(std::string_view body) {
  const auto value = parse_json(body);
  if (!value) return value.error();
  if (!value->is_array()) return make_error_code(errc::invalid_response);
  std::vector<access_request> requests;
  for (const auto& item : value->get_array()) {
    const auto* object = item.if_object();
    const auto* user = object != nullptr ? object_at(*object, "user") : nullptr;
    if (user == nullptr) return make_error_code(errc::invalid_response);
    access_request request;
    request.username = text_or(*user, "user");
    request.fullname = text_or(*user, "fullname");
    request.email = text_or(*user, "email");
    request.timestamp = text_or(*object, "timestamp");
    request.status = text_or(*object, "status");
    if (const auto* fields = object->if_contains("fields"); fields && fields->is_object())
      request.fields = boost::json::serialize(*fields);
    requests.push_back(std::move(request));
  }
  return requests;
}

}  // namespace cohub::hub
