#include "transfer/lfs_upload.hpp"

#include "cohub/error.hpp"

#include "hub/lfs_batch.hpp"
#include "hub/routes.hpp"
#include "io/for_each_bounded.hpp"
#include "transfer/api_call.hpp"
#include "transfer/progress_reporter.hpp"

#include <algorithm>
#include <unordered_map>
#include <utility>

namespace cohub::transfer {

namespace {

constexpr std::size_t objects_a_batch = 100;
constexpr std::size_t files_at_once = 5;
constexpr auto lfs_json = "application/vnd.git-lfs+json";

using plan_ptr = std::shared_ptr<const commit_plan>;

/// One batch request for up to `objects_a_batch` files.
awaitable<std::vector<hub::lfs_batch_answer>> ask_batch(context_ptr shared, lfs_target target,
                                                        std::vector<hub::lfs_object> objects) {
  std::vector<std::string> transfers;
  transfers.emplace_back("basic");
  auto body = hub::write_lfs_batch_request(objects, target.revision, transfers);
  const auto url = hub::routes::lfs_batch(shared->endpoint, target.type, target.repo_id);
  auto what =
      hub_request(*shared, http::method::post, url, target.token, std::move(body), lfs_json);
  what.headers.set("Accept", lfs_json);
  what.idempotent = true;  // asking twice changes nothing
  const std::string doing = "asking where to upload the large files of " + target.repo_id;
  const auto text = co_await call_for_text(shared, std::move(what), doing);
  auto reply = hub::read_lfs_batch_reply(text);
  if (!reply) throw error(reply.error(), doing);
  co_return std::move(reply->objects);
}

/// Sends one file by one PUT. The url is signed: the Hub's token stays away from it.
awaitable<void> put_object(context_ptr shared, const planned_add& add, hub::lfs_action action,
                           lfs_target target) {
  auto progress = std::make_shared<progress_reporter>(
      target.observer, add.path, transfer_progress::direction::upload, add.size);
  const auto url = hub::routes::rebase(action.href, shared->endpoint);
  auto what = hub_request(*shared, http::method::put, url, {});
  for (auto& [name, value] : action.header) what.headers.set(name, value);
  what.idempotent = true;  // the object is named by its content
  what.body = content_body(add.content, 0, add.size, shared->pool, progress);
  auto answer = co_await call(shared, std::move(what), "uploading " + add.path);
  co_await answer.finish();
}

awaitable<void> verify_object(context_ptr shared, const planned_add& add, hub::lfs_action action,
                              lfs_target target) {
  const auto url = hub::routes::rebase(action.href, shared->endpoint);
  const std::string body =
      "{\"oid\":\"" + add.oid + "\",\"size\":" + std::to_string(add.size) + "}";
  // The token goes to the Hub alone, wherever the answer points.
  const auto hub_origin = core::parse_url(shared->endpoint);
  const auto verify_origin = core::parse_url(url);
  std::string token;
  if (hub_origin && verify_origin && hub_origin->origin == verify_origin->origin)
    token = target.token;
  auto what = hub_request(*shared, http::method::post, url, token, body, lfs_json);
  for (auto& [name, value] : action.header) what.headers.set(name, value);
  what.idempotent = true;
  auto answer = co_await call(shared, std::move(what), "verifying the upload of " + add.path);
  co_await answer.finish();
}

awaitable<void> upload_one(context_ptr shared, plan_ptr plan, std::size_t index,
                           hub::lfs_batch_answer answer, lfs_target target) {
  const auto& add = plan->adds[index];
  if (answer.error_code != 0) {
    http_context context;
    context.status = answer.error_code;
    context.server_message = answer.error_message;
    throw error(errc::bad_request, "uploading " + add.path, context);
  }
  if (!answer.upload) {
    report_event(target.observer, transfer_event::kind::already_present, add.path);
    co_return;
  }
  co_await put_object(shared, add, *answer.upload, target);
  if (answer.verify) co_await verify_object(shared, add, *answer.verify, target);
  report_event(target.observer, transfer_event::kind::finished, add.path);
}

awaitable<void> upload_batch(context_ptr shared, plan_ptr plan, std::vector<std::size_t> batch,
                             lfs_target target) {
  std::unordered_map<std::string, std::size_t> by_oid;  // equal contents are sent once
  std::vector<hub::lfs_object> objects;
  for (const std::size_t index : batch) {
    const auto& add = plan->adds[index];
    if (!by_oid.emplace(add.oid, index).second) continue;
    hub::lfs_object object;
    object.oid = add.oid;
    object.size = add.size;
    objects.push_back(std::move(object));
  }
  auto asking = ask_batch(shared, target, objects);
  auto answers = co_await std::move(asking);
  std::unordered_map<std::string_view, const hub::lfs_batch_answer*> answer_of;
  for (const auto& answer : answers) answer_of.emplace(answer.oid, &answer);
  for (const auto& object : objects)
    if (!answer_of.contains(object.oid))
      throw error(errc::invalid_response, "uploading " + plan->adds[by_oid[object.oid]].path +
                                              " (the Hub did not say where)");
  auto upload = [&](std::size_t i) -> awaitable<void> {
    const auto& oid = objects[i].oid;
    return upload_one(shared, plan, by_oid[oid], *answer_of[oid], target);
  };
  co_await io::for_each_bounded(objects.size(), files_at_once, upload);
}

}  // namespace

awaitable<void> upload_large_files(context_ptr shared, plan_ptr plan,
                                   std::vector<std::size_t> large, lfs_target target) {
  for (std::size_t begin = 0; begin < large.size(); begin += objects_a_batch) {
    const auto first = large.begin() + static_cast<std::ptrdiff_t>(begin);
    const auto last = large.begin() +
                      static_cast<std::ptrdiff_t>(std::min(begin + objects_a_batch, large.size()));
    std::vector<std::size_t> batch(first, last);
    co_await upload_batch(shared, plan, std::move(batch), target);
  }
}

}  // namespace cohub::transfer
