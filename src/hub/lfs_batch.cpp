#include "hub/lfs_batch.hpp"

#include "cohub/error.hpp"

#include "core/hex.hpp"
#include "hub/json_reader.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

namespace cohub::hub {

namespace json = boost::json;

namespace {

json::object write_object(std::string_view oid, std::uint64_t size) {
  json::object item;
  item["oid"] = json::string_view(oid.data(), oid.size());
  item["size"] = size;
  return item;
}

json::object write_action(const lfs_action& action) {
  json::object item;
  item["href"] = action.href;
  json::object header;
  for (const auto& [name, value] : action.header) header[name] = value;
  if (!header.empty()) item["header"] = std::move(header);
  return item;
}

boost::system::result<std::optional<lfs_action>> read_action(const json::object& actions,
                                                             std::string_view name) {
  std::optional<lfs_action> action;
  const auto* member = actions.if_contains(name);
  if (member == nullptr || member->is_null()) return action;
  if (!member->is_object()) return make_error_code(errc::invalid_response);
  const auto& object = member->get_object();
  action.emplace();
  action->href = text_or(object, "href");
  if (action->href.empty()) return make_error_code(errc::invalid_response);
  if (const auto* header = object.if_contains("header"); header != nullptr && header->is_object()) {
    for (const auto& [key, value] : header->get_object()) {
      // The Python client takes a chunk_size that is a number, too.
      if (value.is_int64())
        action->header.emplace_back(key, std::to_string(value.get_int64()));
      else if (value.is_string())
        action->header.emplace_back(key, value.get_string());
      else
        return make_error_code(errc::invalid_response);
    }
  }
  return action;
}

/// Whatever a Hub puts there, it refuses the object.
void read_refusal(const json::value& failure, lfs_batch_answer& answer) {
  answer.error_code = 500;
  answer.error_message = "the Hub gave no reason";
  if (const auto* object = failure.if_object()) {
    const auto code = number_or(*object, "code", 500);
    if (code >= 100 && code <= 999) answer.error_code = static_cast<int>(code);
    answer.error_message = text_or(*object, "message", answer.error_message);
  } else if (const auto* text = failure.if_string()) {
    if (!text->empty()) answer.error_message = std::string(*text);
  }
}

boost::system::result<lfs_batch_answer> read_answer(const json::value& item) {
  const auto* object = item.if_object();
  if (object == nullptr) return make_error_code(errc::invalid_response);
  lfs_batch_answer answer;
  answer.oid = text_or(*object, "oid");
  answer.size = number_or(*object, "size");
  if (!core::is_hex(answer.oid, 64)) return make_error_code(errc::invalid_response);
  if (const auto* failure = object->if_contains("error"); failure != nullptr && !failure->is_null())
    read_refusal(*failure, answer);
  if (const auto* actions = object->if_contains("actions");
      actions != nullptr && !actions->is_null()) {
    // Not to be taken for no actions at all, which say that the Hub has the object.
    if (!actions->is_object()) return make_error_code(errc::invalid_response);
    auto upload = read_action(actions->get_object(), "upload");
    if (!upload) return upload.error();
    auto verify = read_action(actions->get_object(), "verify");
    if (!verify) return verify.error();
    answer.upload = std::move(*upload);
    answer.verify = std::move(*verify);
  }
  return answer;
}

}  // namespace

std::string write_lfs_batch_request(const std::vector<lfs_object>& objects, std::string_view ref,
                                    const std::vector<std::string>& transfers) {
  json::object body;
  body["operation"] = "upload";
  json::array kinds;
  for (const auto& transfer : transfers) kinds.emplace_back(transfer);
  body["transfers"] = std::move(kinds);
  body["hash_algo"] = "sha256";
  if (!ref.empty()) {
    json::object named;
    named["name"] = json::string_view(ref.data(), ref.size());
    body["ref"] = std::move(named);
  }
  json::array list;
  list.reserve(objects.size());
  for (const auto& object : objects) list.emplace_back(write_object(object.oid, object.size));
  body["objects"] = std::move(list);
  return json::serialize(body);
}

boost::system::result<lfs_batch_request> read_lfs_batch_request(std::string_view body) {
  const auto value = parse_json(body);
  if (!value) return value.error();
  const auto* object = value->if_object();
  const auto* list = object != nullptr ? object->if_contains("objects") : nullptr;
  if (list == nullptr || !list->is_array()) return make_error_code(errc::invalid_response);
  lfs_batch_request request;
  request.operation = text_or(*object, "operation");
  request.hash_algorithm = text_or(*object, "hash_algo", request.hash_algorithm);
  if (const auto* ref = object->if_contains("ref"); ref != nullptr && ref->is_object())
    request.ref = text_or(ref->get_object(), "name");
  if (const auto* kinds = object->if_contains("transfers"); kinds != nullptr && kinds->is_array())
    for (const auto& kind : kinds->get_array())
      if (kind.is_string()) request.transfers.emplace_back(kind.get_string());
  for (const auto& item : list->get_array()) {
    if (!item.is_object()) return make_error_code(errc::invalid_response);
    lfs_object wanted;
    wanted.oid = text_or(item.get_object(), "oid");
    const auto* size = item.get_object().if_contains("size");
    boost::system::error_code failed;
    if (size != nullptr) wanted.size = size->to_number<std::uint64_t>(failed);
    if (size == nullptr || failed || !core::is_hex(wanted.oid, 64))
      return make_error_code(errc::invalid_response);
    request.objects.push_back(std::move(wanted));
  }
  return request;
}

boost::system::result<lfs_batch_reply> read_lfs_batch_reply(std::string_view body) {
  const auto value = parse_json(body);
  if (!value) return value.error();
  const auto* object = value->if_object();
  const auto* list = object != nullptr ? object->if_contains("objects") : nullptr;
  if (list == nullptr || !list->is_array()) return make_error_code(errc::invalid_response);
  lfs_batch_reply reply;
  reply.transfer = text_or(*object, "transfer", "basic");
  for (const auto& item : list->get_array()) {
    auto answer = read_answer(item);
    if (!answer) return answer.error();
    reply.objects.push_back(std::move(*answer));
  }
  return reply;
}

std::string write_lfs_batch_reply(const lfs_batch_reply& reply) {
  json::array list;
  for (const auto& answer : reply.objects) {
    auto item = write_object(answer.oid, answer.size);
    if (answer.error_code != 0) {
      json::object failure;
      failure["code"] = answer.error_code;
      failure["message"] = answer.error_message;
      item["error"] = std::move(failure);
    }
    json::object actions;
    if (answer.upload) actions["upload"] = write_action(*answer.upload);
    if (answer.verify) actions["verify"] = write_action(*answer.verify);
    if (!actions.empty()) {
      item["authenticated"] = true;
      item["actions"] = std::move(actions);
    }
    list.emplace_back(std::move(item));
  }
  json::object body;
  body["transfer"] = reply.transfer;
  body["objects"] = std::move(list);
  return json::serialize(body);
}

}  // namespace cohub::hub
