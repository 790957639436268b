#include "core/hex.hpp"
#include "hub/json_reader.hpp"
#include "hub/lfs_batch.hpp"
#include "hub/repo_id.hpp"
#include "server/error_reply.hpp"
#include "server/failure.hpp"
#include "server/handlers/handlers.hpp"
#include "server/handlers/permissions.hpp"
#include "server/handlers/request_json.hpp"

#include <boost/json/serialize.hpp>

#include <algorithm>
#include <chrono>
#include <shared_mutex>
#include <string>

namespace cohub::server {

namespace {

constexpr std::size_t objects_limit = 1000;
constexpr std::uint64_t parts_limit = 10'000;        // of an object
constexpr std::uint64_t batch_parts_limit = 20'000;  // of all objects of one request
constexpr std::uint64_t size_limit = 1ull << 53;     // what JSON numbers hold exactly

std::uint64_t divided_up(std::uint64_t size, std::uint64_t piece) {
  return size / piece + (size % piece != 0 ? 1 : 0);
}

hub::lfs_batch_answer refused(hub::lfs_batch_answer answer, int code, std::string message) {
  answer.error_code = code;
  answer.error_message = std::move(message);
  return answer;
}

content_grant grant_for(const hub_store& store, const call& what, const char* method,
                        const hub::lfs_object& object) {
  content_grant grant;
  grant.method = method;
  grant.sha256 = object.oid;
  grant.size = object.size;
  if (grant.method != "GET") grant.repository = std::string(hub::plural(what.type)) + '/' + what.id;
  grant.expires = std::chrono::duration_cast<std::chrono::seconds>(
                      std::chrono::system_clock::now().time_since_epoch())
                      .count() +
                  store.config.url_lifetime.count();
  return grant;
}

hub::lfs_action signed_action(const hub_store& store, const call& what, const char* method,
                              const hub::lfs_object& object) {
  hub::lfs_action action;
  action.href = what.content_endpoint + store.signer.sign(grant_for(store, what, method, object));
  return action;
}

/// Where each part goes, and where the whole is completed. Who asks again goes on with the same
/// upload by other addresses: what takes longer than they live comes to an end, too. Others have an
/// upload of their own, in which nobody else's bytes are.
hub::lfs_action multipart_action(hub_store& store, const call& what, const std::string& user,
                                 const hub::lfs_object& object, std::uint64_t part_size) {
  content_grant grant = grant_for(store, what, "PUT", object);
  grant.upload = store.uploads.open(
      grant.repository + ' ' + user + ' ' + object.oid + ' ' + std::to_string(part_size),
      object.size);
  grant.part_size = part_size;
  hub::lfs_action action;
  action.header.emplace_back("chunk_size", std::to_string(part_size));
  const std::uint64_t count = divided_up(object.size, part_size);
  for (grant.part = 1; grant.part <= count; ++grant.part) {
    const std::string number = std::to_string(grant.part);
    action.header.emplace_back(
        std::string(5 - std::min<std::size_t>(number.size(), 5), '0') + number,
        what.content_endpoint + store.signer.sign(grant));
  }
  grant.method = "POST";
  grant.part = 0;
  action.href = what.content_endpoint + store.signer.sign(grant);
  return action;
}

/// @throws failure  the caller may not bring or have the objects
access require_transfer(hub_store& store, const call& what, const hub::lfs_batch_request& request) {
  if (request.operation == "download") return require_content(store, what);
  if (request.ref.empty() || request.ref.starts_with("refs/pr/"))
    return require_proposable(store, what);
  return require_writable(store, what);  // early: the commit would be refused anyway
}

/// The size of the parts in which the object is to come; 0: it comes whole.
std::uint64_t part_size_for(const hub_store& store, const std::vector<std::string>& transfers,
                            std::uint64_t size) {
  const std::uint64_t part = store.config.part_size;
  const bool able = std::find(transfers.begin(), transfers.end(), "multipart") != transfers.end();
  if (!able || part == 0 || size <= part) return 0;
  return std::max(part, divided_up(size, parts_limit));
}

hub::lfs_batch_answer upload_answer(hub_store& store, const call& what, const std::string& user,
                                    const hub::lfs_object& object, std::uint64_t part_size) {
  hub::lfs_batch_answer answer;
  answer.oid = object.oid;
  answer.size = object.size;
  if (!core::is_hex(object.oid, 64)) return refused(std::move(answer), 422, "Invalid object id");
  if (object.size > size_limit) return refused(std::move(answer), 422, "The object is too large");
  // Whether another repository has it, nobody is told: that may be a private one.
  const auto stored = store.object_size(what.type, what.id, object.oid);
  if (stored && *stored != object.size)
    return refused(std::move(answer), 422, "The object has another size");
  if (stored) return answer;
  answer.upload = part_size > 0 ? multipart_action(store, what, user, object, part_size)
                                : signed_action(store, what, "PUT", object);
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
  // The JavaScript client writes it with a line.
  if (request->hash_algorithm != "sha256" && request->hash_algorithm != "sha_256")
    throw failure(409, {}, "Objects are named by their sha256 here");
  const bool upload = request->operation == "upload";
  if (!upload && request->operation != "download")
    throw unprocessable("Unknown operation: " + request->operation);
  const access have = require_transfer(store, what, *request);
  if (request->objects.size() > objects_limit)
    throw failure(413, {}, "Too many objects: at most 1000 may be asked at once");
  reply answer;
  answer.headers.set("Content-Type", "application/vnd.git-lfs+json");
  if (upload) {
    hub::lfs_batch_reply batch;
    batch.transfer = "basic";
    std::uint64_t parts = 0;
    for (const auto& object : request->objects) {
      const auto part_size = part_size_for(store, request->transfers, object.size);
      if (part_size > 0) parts += divided_up(object.size, part_size);
      if (parts > batch_parts_limit)
        throw failure(413, {}, "Too many parts: at most 20000 may be asked at once");
      if (part_size > 0) batch.transfer = "multipart";
      batch.objects.push_back(upload_answer(store, what, have.who->name, object, part_size));
    }
    answer.body = hub::write_lfs_batch_reply(batch);
  } else {
    answer.body = write_download_reply(store, what, *request);
  }
  return answer;
}

reply lfs_verify(hub_store& store, const call& what) {
  require_proposable(store, what);
  const auto object = require_object(what.body);
  const std::string oid = hub::text_or(object, "oid");
  if (!core::is_hex(oid, 64)) throw unprocessable("Invalid object id");
  const auto stored = store.object_size(what.type, what.id, oid);
  if (!stored) throw not_found("Object does not exist on the server");
  if (*stored != hub::number_or(object, "size")) throw unprocessable("The object has another size");
  return json_reply(boost::json::object());
}

reply duplicate_lfs_files(hub_store& store, const call& what) {
  require_content(store, what);
  const auto object = require_object(what.body);
  const auto* target = object.if_contains("target");
  const auto* files = object.if_contains("files");
  if (target == nullptr || !target->is_object() || files == nullptr || !files->is_array())
    throw bad_request("The request names no target, or no files");
  call to = what;
  to.id_parts = 0;  // the url names the source alone
  const auto type = hub::parse_singular(hub::text_or(target->get_object(), "type", "model"));
  if (!type) throw bad_request("Unknown kind of repository");
  to.type = *type;
  to.id = hub::text_or(target->get_object(), "name");
  require_writable(store, to);
  const std::shared_lock guard(store.objects_in_use);
  boost::json::array failed;
  const auto fail = [&failed](const boost::json::value& file, const char* why) {
    boost::json::object entry;
    if (file.is_object()) entry = file.get_object();
    entry["error"] = why;
    failed.push_back(std::move(entry));
  };
  for (const auto& file : files->get_array()) {
    const std::string sha256 =
        file.is_object() ? hub::text_or(file.get_object(), "sha256") : std::string();
    const bool there =
        core::is_hex(sha256, 64) && store.object_size(what.type, what.id, sha256).has_value();
    if (!there)
      fail(file, "The object does not exist");
    else if (!store.repos.add_object(to.type, to.id, sha256))
      fail(file, "The repository does not exist any more");
  }
  boost::json::object body;
  body["failed"] = std::move(failed);
  return json_reply(body);
}

}  // namespace cohub::server
