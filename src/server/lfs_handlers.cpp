#include "core/hex.hpp"
#include "hub/json_reader.hpp"
#include "hub/lfs_batch.hpp"
#include "hub/repo_id.hpp"
#include "server/error_reply.hpp"
#include "server/failure.hpp"
#include "server/handlers.hpp"
#include "server/permissions.hpp"

#include <boost/json/serialize.hpp>

#include <chrono>
#include <string>

namespace cohub::server {

namespace {

constexpr std::size_t objects_limit = 1000;

hub::lfs_batch_answer refused(hub::lfs_batch_answer answer, int code, std::string message) {
  answer.error_code = code;
  answer.error_message = std::move(message);
  return answer;
}

hub::lfs_action signed_action(const hub_store& store, const call& what, const char* method,
                              const hub::lfs_object& object) {
  content_grant grant;
  grant.method = method;
  grant.sha256 = object.oid;
  grant.size = object.size;
  if (grant.method == "PUT") grant.repository = std::string(hub::plural(what.type)) + '/' + what.id;
  grant.expires = std::chrono::duration_cast<std::chrono::seconds>(
                      std::chrono::system_clock::now().time_since_epoch())
                      .count() +
                  store.config.url_lifetime.count();
  hub::lfs_action action;
  action.href = what.content_endpoint + store.signer.sign(grant);
  return action;
}

hub::lfs_batch_answer upload_answer(const hub_store& store, const call& what,
                                    const hub::lfs_object& object) {
  hub::lfs_batch_answer answer;
  answer.oid = object.oid;
  answer.size = object.size;
  if (!core::is_hex(object.oid, 64)) return refused(std::move(answer), 422, "Invalid object id");
  const auto stored = store.objects.size_of(object.oid);
  if (stored && *stored != object.size)
    return refused(std::move(answer), 422, "The object has another size");
  if (stored && store.repos.has_object(what.type, what.id, object.oid)) return answer;
  answer.upload = signed_action(store, what, "PUT", object);
  hub::lfs_action verify;
  verify.href = what.endpoint + '/' + std::string(hub::url_prefix(what.type)) + what.id +
                ".git/info/lfs/verify";
  answer.verify = std::move(verify);
  return answer;
}

/// Only git's own LFS client downloads this way: the clients of the Hub follow the redirect of
/// resolve.
boost::json::object download_answer(const hub_store& store, const call& what,
                                    const hub::lfs_object& object) {
  boost::json::object answer;
  answer["oid"] = object.oid;
  answer["size"] = object.size;
  if (!core::is_hex(object.oid, 64) ||
      store.object_size(what.type, what.id, object.oid) != object.size) {
    boost::json::object problem;
    problem["code"] = 404;
    problem["message"] = "Object does not exist on the server";
    answer["error"] = std::move(problem);
    return answer;
  }
  boost::json::object action;
  action["href"] = signed_action(store, what, "GET", object).href;
  boost::json::object actions;
  actions["download"] = std::move(action);
  answer["actions"] = std::move(actions);
  return answer;
}

std::string write_download_reply(const hub_store& store, const call& what,
                                 const hub::lfs_batch_request& request) {
  boost::json::array objects;
  for (const auto& object : request.objects)
    objects.push_back(download_answer(store, what, object));
  boost::json::object body;
  body["transfer"] = "basic";
  body["objects"] = std::move(objects);
  return boost::json::serialize(body);
}

}  // namespace

reply lfs_batch(hub_store& store, const call& what) {
  const auto request = hub::read_lfs_batch_request(what.body);
  if (!request) throw unprocessable("The request's body is not an LFS batch request");
  const bool upload = request->operation == "upload";
  if (!upload && request->operation != "download")
    throw unprocessable("Unknown operation: " + request->operation);
  if (upload)
    require_proposable(store, what);
  else
    require_content(store, what);
  if (request->objects.size() > objects_limit)
    throw failure(413, {}, "Too many objects: at most 1000 may be asked at once");
  reply answer;
  answer.headers.set("Content-Type", "application/vnd.git-lfs+json");
  if (upload) {
    hub::lfs_batch_reply batch;
    batch.transfer = "basic";
    for (const auto& object : request->objects)
      batch.objects.push_back(upload_answer(store, what, object));
    answer.body = hub::write_lfs_batch_reply(batch);
  } else {
    answer.body = write_download_reply(store, what, *request);
  }
  return answer;
}

reply lfs_verify(hub_store& store, const call& what) {
  require_proposable(store, what);
  const auto parsed = hub::parse_json(what.body);
  if (!parsed || !parsed->is_object()) throw bad_request("The request's body is not a JSON object");
  const auto& object = parsed->as_object();
  const std::string oid = hub::text_or(object, "oid");
  if (!core::is_hex(oid, 64)) throw unprocessable("Invalid object id");
  const auto stored = store.object_size(what.type, what.id, oid);
  if (!stored) throw not_found("Object does not exist on the server");
  if (*stored != hub::number_or(object, "size")) throw unprocessable("The object has another size");
  return json_reply(boost::json::object());
}

}  // namespace cohub::server
