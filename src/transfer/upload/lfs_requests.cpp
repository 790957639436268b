#include "transfer/upload/lfs_requests.hpp"

#include "hub/multipart_plan.hpp"
#include "hub/reply_error.hpp"
#include "hub/routes.hpp"
#include "transfer/api_call.hpp"
#include "transfer/patient_limits.hpp"
#include "transfer/retry_wait.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include <algorithm>
#include <exception>
#include <string_view>
#include <utility>

namespace cohub::transfer {

namespace {

constexpr auto lfs_json = "application/vnd.git-lfs+json";
/// A store takes minutes to make one object of many parts: 409 until it has.
constexpr std::size_t most_completions = 60;

/// Where the Hub has something sent: like where a redirect leads, from https only to https.
std::string address_of(const context& shared, const std::string& given, const std::string& doing) {
  auto url = hub::routes::rebase(given, shared.endpoint);
  const auto hub_address = core::parse_url(shared.endpoint);
  if (!hub_address || !core::redirect_target(*hub_address, url)) {
    http_context context;
    context.url = url.substr(0, url.find('?'));
    throw error(errc::invalid_response,
                doing + ": the Hub names an address that must not be followed", context);
  }
  return url;
}

/// A store's refusal has nothing to do with the token, nor with the Hub.
std::exception_ptr told_of_store(const std::exception_ptr& refusal) {
  try {
    std::rethrow_exception(refusal);
  } catch (const error& e) {
    const bool is_of_address = e.code() == errc::forbidden || e.code() == errc::unauthorized;
    return std::make_exception_ptr(
        error(is_of_address ? errc::unexpected_status : e.code(),
              e.doing() + " (the store refuses it, at the address that the Hub gave)", e.http()));
  }
}

awaitable<store_answer> ask_store(context_ptr shared, http::request what, std::string doing) {
  store_answer result;
  auto answer = co_await send(shared, std::move(what), doing);
  result.status = answer.status();
  result.etag = answer.header("ETag");
  if (result.status / 100 == 2) {
    co_await answer.finish();
    co_return result;
  }
  const auto failure = co_await failure_of(std::move(answer), std::move(doing));
  const bool refused =
      result.status >= 400 && result.status < 500 && result.status != 408 && result.status != 429;
  if (!refused) std::rethrow_exception(failure);
  result.refusal = told_of_store(failure);
  co_return result;
}

}  // namespace

awaitable<std::vector<hub::lfs_batch_answer>> ask_batch(context_ptr shared, commit_ptr commit,
                                                        std::vector<hub::lfs_object> objects) {
  std::vector<std::string> transfers;
  transfers.emplace_back("basic");
  transfers.emplace_back("multipart");
  // A pull request that is not open yet has no name.
  const auto revision = commit->options.create_pr ? std::string() : commit->options.revision;
  auto body = hub::write_lfs_batch_request(objects, revision, transfers);
  const auto url = hub::routes::lfs_batch(shared->endpoint, commit->options.type, commit->repo_id);
  auto what =
      hub_request(*shared, http::method::post, url, commit->token, std::move(body), lfs_json);
  what.headers.set("Accept", lfs_json);
  what.idempotent = true;  // asking twice changes nothing
  const std::string doing = "asking where to upload the large files of " + commit->repo_id;
  auto reply = co_await call_for(shared, std::move(what), doing, hub::read_lfs_batch_reply);
  if (std::find(transfers.begin(), transfers.end(), reply.transfer) == transfers.end())
    throw error(errc::invalid_response, doing + " (the Hub wants the transfer \"" + reply.transfer +
                                            "\", which was not offered)");
  co_return std::move(reply.objects);
}

error refusal_of(const context& shared, const commit_in_progress& commit, const std::string& path,
                 const std::vector<hub::lfs_batch_answer>& refused) {
  boost::json::array messages;
  for (const auto& answer : refused) {
    boost::json::object message;
    message["message"] = answer.error_message;
    messages.emplace_back(std::move(message));
  }
  boost::json::object body;
  body["errors"] = std::move(messages);
  hub::failed_reply reply;
  reply.status = refused.front().error_code;
  reply.url = hub::routes::lfs_batch(shared.endpoint, commit.options.type, commit.repo_id);
  reply.header = [](std::string_view) { return std::string_view(); };
  reply.body = boost::json::serialize(body);
  std::string doing = "uploading " + path;
  if (refused.size() > 1) doing += " and " + std::to_string(refused.size() - 1) + " more files";
  return hub::make_error(reply, doing);
}

awaitable<store_answer> put_piece(context_ptr shared, object_ptr object,
                                  object_upload::piece piece) {
  // The url is signed: the Hub's token stays away from it.
  const std::string doing = "uploading " + object->path();
  const auto url = address_of(*shared, piece.url, doing);
  auto what = hub_request(*shared, http::method::put, url, {});
  if (!object->parts())
    for (const auto& [name, value] : object->action().header) what.headers.set(name, value);
  what.idempotent = true;  // the object is named by its content
  const auto body =
      content_body(object->content(), piece.begin, piece.end, shared->pool, object->reporter);
  what.body = body;
  store_answer answer;
  std::exception_ptr failure;
  try {
    answer = co_await ask_store(shared, std::move(what), doing);
  } catch (const error&) {
    failure = std::current_exception();
  }
  if (failure || answer.refusal) co_await body->rewind();  // what was sent of it no longer counts
  if (failure) std::rethrow_exception(failure);
  co_return answer;
}

awaitable<void> verify_object(context_ptr shared, commit_ptr commit, object_ptr object) {
  const auto& action = *object->verify();
  const std::string doing = "verifying the upload of " + object->path();
  const auto url = address_of(*shared, action.href, doing);
  boost::json::object body;
  body["oid"] = object->oid();
  body["size"] = object->size();
  // The token goes to the Hub alone, wherever the answer points.
  const auto hub_origin = core::parse_url(shared->endpoint);
  const auto verify_origin = core::parse_url(url);
  std::string token;
  if (hub_origin && verify_origin && hub_origin->origin == verify_origin->origin)
    token = commit->token;
  auto what =
      hub_request(*shared, http::method::post, url, token, boost::json::serialize(body), lfs_json);
  for (const auto& [name, value] : action.header) what.headers.set(name, value);
  what.idempotent = true;
  what.timeouts = patient_limits(shared->timeouts);
  co_await call_for_nothing(shared, std::move(what), doing);
}

awaitable<store_answer> complete_parts(context_ptr shared, object_ptr object) {
  const std::string doing = "completing " + object->path();
  const auto url = address_of(*shared, object->parts()->completion_url, doing);
  const auto body = hub::write_multipart_completion(object->oid(), object->etags());
  for (std::size_t tries = 1;; ++tries) {
    auto what = hub_request(*shared, http::method::post, url, {}, body, lfs_json);
    what.headers.set("Accept", lfs_json);
    what.idempotent = true;  // the object is named by its content
    what.timeouts = patient_limits(shared->timeouts);
    auto answer = co_await ask_store(shared, std::move(what), doing);
    if (answer.status != 409) co_return answer;
    auto limits = shared->retries;
    limits.attempts = std::max(limits.attempts, most_completions);
    const bool again = co_await wait_before_next(limits, tries);
    if (!again) co_return answer;
  }
}

}  // namespace cohub::transfer
