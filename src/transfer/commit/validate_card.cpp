#include "transfer/commit/validate_card.hpp"

#include "hub/json_reader.hpp"
#include "hub/repo_id.hpp"
#include "hub/routes.hpp"
#include "io/on_pool.hpp"
#include "transfer/api_call.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include <utility>

namespace cohub::transfer {

namespace {

/// What a Hub that says nothing of the kind has to say is nothing.
std::vector<std::string> warnings_of(const std::string& text) {
  std::vector<std::string> warnings;
  const auto answer = hub::parse_json(text);
  const auto* object = answer ? answer->if_object() : nullptr;
  const auto* list = object != nullptr ? object->if_contains("warnings") : nullptr;
  if (list == nullptr || !list->is_array()) return warnings;
  for (const auto& entry : list->get_array())
    if (entry.is_object())
      if (auto message = hub::text_or(entry.get_object(), "message"); !message.empty())
        warnings.push_back(std::move(message));
  return warnings;
}

}  // namespace

awaitable<std::vector<std::string>> validate_card(context_ptr shared, std::string content,
                                                  repo_type type, std::string token) {
  auto work = [content = std::move(content), type] {
    boost::json::object body;
    body["content"] = content;
    body["repoType"] = std::string(hub::singular(type));
    return boost::json::serialize(body);
  };
  auto body = co_await io::on_pool(shared->pool, std::move(work));
  auto what = hub_request(*shared, http::method::post, hub::routes::validate_yaml(shared->endpoint),
                          token, std::move(body));
  what.idempotent = true;
  const auto answer =
      co_await call_for_text(shared, std::move(what), "checking the metadata of README.md");
  co_return warnings_of(answer);
}

}  // namespace cohub::transfer
