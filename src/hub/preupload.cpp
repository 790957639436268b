#include "hub/preupload.hpp"

#include "cohub/error.hpp"

#include "core/base64.hpp"
#include "core/hex.hpp"
#include "hub/json_reader.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include <utility>

namespace cohub::hub {

namespace json = boost::json;

namespace {

/// The objects of the member "files", or nothing if the body is of another shape.
boost::system::result<json::array> files_of(const json::value& body) {
  const auto* object = body.if_object();
  const auto* files = object != nullptr ? object->if_contains("files") : nullptr;
  if (files == nullptr || !files->is_array()) return make_error_code(errc::invalid_response);
  for (const auto& file : files->get_array())
    if (!file.is_object() || text_or(file.get_object(), "path").empty())
      return make_error_code(errc::invalid_response);
  return files->get_array();
}

}  // namespace

std::string write_preupload_request(const std::vector<preupload_file>& files,
                                    std::string_view git_ignore, std::string_view git_attributes) {
  json::array list;
  list.reserve(files.size());
  for (const auto& file : files) {
    json::object item;
    item["path"] = file.path;
    item["sample"] = core::base64_encode(file.sample);
    item["size"] = file.size;
    list.emplace_back(std::move(item));
  }
  json::object body;
  body["files"] = std::move(list);
  if (!git_ignore.empty())
    body["gitIgnore"] = json::string_view(git_ignore.data(), git_ignore.size());
  if (!git_attributes.empty())
    body["gitAttributes"] = json::string_view(git_attributes.data(), git_attributes.size());
  return json::serialize(body);
}

boost::system::result<preupload_request> read_preupload_request(std::string_view body) {
  const auto value = parse_json(body);
  if (!value) return value.error();
  const auto files = files_of(*value);
  if (!files) return files.error();
  preupload_request request;
  for (const auto& item : *files) {
    const auto& object = item.get_object();
    auto sample = core::base64_decode(text_or(object, "sample"));
    if (!sample) return make_error_code(errc::invalid_response);
    preupload_file file;
    file.path = text_or(object, "path");
    file.size = number_or(object, "size");
    file.sample = std::move(*sample);
    request.files.push_back(std::move(file));
  }
  const auto& all = value->get_object();
  if (const auto* text = all.if_contains("gitIgnore"); text && text->is_string())
    request.git_ignore = text_or(all, "gitIgnore");
  if (const auto* text = all.if_contains("gitAttributes"); text && text->is_string())
    request.git_attributes = text_or(all, "gitAttributes");
  return request;
}

boost::system::result<preupload_reply> read_preupload_reply(std::string_view body) {
  const auto value = parse_json(body);
  if (!value) return value.error();
  const auto files = files_of(*value);
  if (!files) return files.error();
  preupload_reply reply;
  reply.files.reserve(files->size());
  for (const auto& item : *files) {
    const auto& object = item.get_object();
    const auto mode = text_or(object, "uploadMode");
    if (mode != "regular" && mode != "lfs") return make_error_code(errc::invalid_response);
    preupload_answer answer;
    answer.path = text_or(object, "path");
    answer.mode = mode == "lfs" ? upload_mode::lfs : upload_mode::regular;
    answer.ignore = flag_or(object, "shouldIgnore");
    answer.oid = text_or(object, "oid");
    reply.files.push_back(std::move(answer));
  }
  const auto head = text_or(value->get_object(), "commitOid");
  if (core::is_hex(head, 40)) reply.commit_oid = head;
  return reply;
}

std::string write_preupload_reply(const std::vector<preupload_answer>& files,
                                  std::string_view commit_oid) {
  json::array list;
  list.reserve(files.size());
  for (const auto& file : files) {
    json::object item;
    item["path"] = file.path;
    item["uploadMode"] = file.mode == upload_mode::lfs ? "lfs" : "regular";
    item["shouldIgnore"] = file.ignore;
    if (!file.oid.empty()) item["oid"] = file.oid;
    list.emplace_back(std::move(item));
  }
  json::object body;
  body["files"] = std::move(list);
  body["commitOid"] = json::string_view(commit_oid.data(), commit_oid.size());
  return json::serialize(body);
}

}  // namespace cohub::hub
