#include "transfer/lfs_upload.hpp"

#include "cohub/error.hpp"

#include "http/retry_policy.hpp"
#include "hub/lfs_batch.hpp"
#include "hub/repo_id.hpp"
#include "hub/routes.hpp"
#include "io/for_each_bounded.hpp"
#include "io/on_pool.hpp"
#include "transfer/api_call.hpp"
#include "transfer/bounded_queue.hpp"
#include "transfer/download_retry.hpp"
#include "transfer/object_upload.hpp"
#include "transfer/upload_journal.hpp"

#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <algorithm>
#include <chrono>
#include <unordered_map>
#include <unordered_set>
#include <utility>

namespace cohub::transfer {

namespace {

constexpr std::size_t objects_a_batch = 100;
constexpr std::size_t hashes_at_once = 2;
constexpr std::size_t pieces_at_once = 8;
constexpr std::size_t pieces_waiting = 256;
constexpr std::uint64_t worth_remembering = 1u << 20;  // a shorter file is hashed again as fast
constexpr auto lfs_json = "application/vnd.git-lfs+json";

using object_ptr = std::shared_ptr<object_upload>;

struct piece_to_send {
  object_ptr object{};
  object_upload::piece piece{};
};

/// The pipeline of one commit: hash, ask, send.
struct upload_run {
  upload_run(context_ptr with, commit_ptr of, asio::any_io_executor executor)
      : shared(std::move(with)),
        commit(std::move(of)),
        hashed(executor, objects_a_batch),
        pieces(executor, pieces_waiting) {}

  context_ptr shared;
  commit_ptr commit;
  std::vector<std::size_t> to_hash{};  // indices of additions
  std::size_t next = 0;                // of them
  std::size_t hashing = hashes_at_once;
  bounded_queue<std::size_t> hashed;
  std::unordered_set<std::string> asked{};  // equal contents are sent once
  bounded_queue<piece_to_send> pieces;
  std::size_t open_objects = 0;
  bool all_asked = false;

  void close_if_done() {
    if (all_asked && open_objects == 0) pieces.close();
  }
};
using run_ptr = std::shared_ptr<upload_run>;

// ---- hashing

/// The sha256 of a large file: known from the way here, from an earlier process, or computed.
awaitable<std::string> hash_large(run_ptr run, const planned_add& add) {
  auto known = add.content->known_sha256();
  if (!known.empty()) co_return known;
  const auto content = add.content;
  const auto journal = add.size >= worth_remembering ? run->shared->journal : nullptr;
  const bool kept = journal && content->identity() != nullptr;
  if (kept) {
    auto look = [journal, content] { return journal->find_hash(*content->identity()); };
    auto looking = io::on_pool(run->shared->pool, std::move(look));
    auto found = co_await std::move(looking);
    if (found) co_return std::move(*found);
  }
  const bool settled = kept && io::is_settled(*content->identity());
  auto progress = std::make_shared<progress_reporter>(run->commit->observer, add.path,
                                                      transfer_progress::direction::hash, add.size);
  auto hashing = sha256_of(content, run->shared->pool, std::move(progress));
  auto sha256 = co_await std::move(hashing);
  auto check = [journal, content, settled, sha256] {
    content->check_unchanged();
    if (settled) journal->keep_hash(*content->identity(), sha256);
  };
  auto checking = io::on_pool(run->shared->pool, std::move(check));
  co_await std::move(checking);
  co_return sha256;
}

/// Computes what identifies a file's content, where it is needed, and drops the file if the Hub has
/// it under that path.
awaitable<void> identify(run_ptr run, std::size_t index) {
  auto& add = run->commit->plan->adds[index];
  if (add.mode == hub::upload_mode::lfs) {
    if (add.sha256.empty()) add.sha256 = co_await hash_large(run, add);
    add.unchanged = add.sha256 == add.oid_there;
    if (!add.unchanged && !add.uploaded) {
      std::vector<std::size_t> one(1, index);
      co_await run->hashed.push(std::move(one));
    }
  } else if (!add.oid_there.empty()) {
    if (add.blob_id.empty()) {
      auto hashing = git_blob_id_of(add.content, run->shared->pool);
      add.blob_id = co_await std::move(hashing);
    }
    add.unchanged = add.blob_id == add.oid_there;
  }
}

awaitable<void> hash_files(run_ptr run) {
  while (run->next < run->to_hash.size()) co_await identify(run, run->to_hash[run->next++]);
  if (--run->hashing == 0) run->hashed.close();
}

// ---- asking

/// One batch request (hub-protocol, section 7.3).
awaitable<std::vector<hub::lfs_batch_answer>> ask_batch(run_ptr run,
                                                        std::vector<hub::lfs_object> objects) {
  const auto& commit = *run->commit;
  std::vector<std::string> transfers;
  transfers.emplace_back("basic");
  transfers.emplace_back("multipart");
  // A pull request that is not open yet has no name.
  const auto revision = commit.options.create_pr ? std::string() : commit.options.revision;
  auto body = hub::write_lfs_batch_request(objects, revision, transfers);
  const auto url =
      hub::routes::lfs_batch(run->shared->endpoint, commit.options.type, commit.repo_id);
  auto what =
      hub_request(*run->shared, http::method::post, url, commit.token, std::move(body), lfs_json);
  what.headers.set("Accept", lfs_json);
  what.idempotent = true;  // asking twice changes nothing
  const std::string doing = "asking where to upload the large files of " + commit.repo_id;
  auto calling = call_for_text(run->shared, std::move(what), doing);
  const auto text = co_await std::move(calling);
  auto reply = hub::read_lfs_batch_reply(text);
  if (!reply) throw error(reply.error(), doing);
  co_return std::move(reply->objects);
}

void throw_refusal(const object_upload& object, const hub::lfs_batch_answer& answer) {
  if (answer.error_code == 0) return;
  http_context context;
  context.status = answer.error_code;
  context.server_message = answer.error_message;
  throw error(errc::bad_request, "uploading " + object.path(), context);
}

/// Takes over where the object is to go; nothing to send if the Hub has it.
bool take_route(object_upload& object, hub::lfs_batch_answer answer) {
  throw_refusal(object, answer);
  if (!answer.upload) return false;
  auto parts = hub::read_multipart_plan(*answer.upload, object.size());
  if (!parts) throw error(parts.error(), "uploading " + object.path() + " in parts");
  object.route_to(std::move(*answer.upload), std::move(*parts), std::move(answer.verify));
  return true;
}

/// What one journal is about.
std::string journal_key(const upload_run& run, const std::string& oid) {
  return run.shared->endpoint + '\n' + std::string(hub::plural(run.commit->options.type)) + '\n' +
         run.commit->repo_id + '\n' + oid;
}

/// Goes on where an earlier process stopped, if there was one.
awaitable<void> open_journal(run_ptr run, object_ptr object) {
  if (!run->shared->journal) co_return;
  auto open = [journal = run->shared->journal, key = journal_key(*run, object->oid())] {
    return journal->open_parts(key);
  };
  auto opening = io::on_pool(run->shared->pool, std::move(open));
  object->journal = co_await std::move(opening);
  if (!object->journal || !object->journal->found()) co_return;
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  object->resume(*object->journal->found(),
                 std::chrono::duration_cast<std::chrono::seconds>(now).count());
  if (object->bytes_there() > 0)
    report_event(run->commit->observer, transfer_event::kind::resumed, object->path(),
                 std::to_string(object->bytes_there()) + " of " + std::to_string(object->size()) +
                     " bytes are there already");
}

awaitable<void> write_journal(run_ptr run, object_ptr object) {
  if (!object->journal) co_return;
  auto begin = [journal = object->journal, progress = object->progress()] {
    journal->begin(progress);
  };
  auto beginning = io::on_pool(run->shared->pool, std::move(begin));
  co_await std::move(beginning);
}

void queue_pieces(upload_run& run, const object_ptr& object) {
  for (auto& piece : object->missing_pieces()) {
    piece_to_send next;
    next.object = object;
    next.piece = std::move(piece);
    run.pieces.push_now(std::move(next));
  }
}

void end_object(upload_run& run, const object_upload& object, transfer_event::kind what) {
  report_event(run.commit->observer, what, object.path());
  --run.open_objects;
  run.close_if_done();
}

awaitable<void> complete(run_ptr run, object_ptr object);

awaitable<void> begin_object(run_ptr run, object_ptr object, hub::lfs_batch_answer answer) {
  ++run->open_objects;
  if (!take_route(*object, std::move(answer))) {
    end_object(*run, *object, transfer_event::kind::already_present);
    co_return;
  }
  object->reporter = std::make_shared<progress_reporter>(
      run->commit->observer, object->path(), transfer_progress::direction::upload, object->size());
  if (object->parts()) {
    co_await open_journal(run, object);
    co_await write_journal(run, object);
  }
  if (const auto there = object->bytes_there(); there > 0) object->reporter->add(there);
  if (object->all_there())
    co_await complete(run, object);
  else
    queue_pieces(*run, object);
}

/// Asks where files go as soon as their hashes are known.
awaitable<void> ask_for_routes(run_ptr run) {
  const auto& adds = run->commit->plan->adds;
  for (;;) {
    auto some = co_await run->hashed.pop_some(objects_a_batch);
    if (some.empty()) break;
    std::vector<object_ptr> objects;
    std::vector<hub::lfs_object> wanted;
    for (const std::size_t index : some) {
      const auto& add = adds[index];
      if (!run->asked.insert(add.sha256).second) continue;
      objects.push_back(std::make_shared<object_upload>(add.path, add.sha256, add.content));
      hub::lfs_object object;
      object.oid = add.sha256;
      object.size = add.size;
      wanted.push_back(std::move(object));
    }
    if (wanted.empty()) continue;
    auto asking = ask_batch(run, std::move(wanted));
    auto answers = co_await std::move(asking);
    std::unordered_map<std::string, hub::lfs_batch_answer*> answer_of;
    for (auto& answer : answers) answer_of.emplace(answer.oid, &answer);
    for (const auto& object : objects) {
      const auto found = answer_of.find(object->oid());
      if (found == answer_of.end())
        throw error(errc::invalid_response,
                    "uploading " + object->path() + " (the Hub did not say where)");
      co_await begin_object(run, object, std::move(*found->second));
    }
  }
  run->all_asked = true;
  run->close_if_done();
}

/// Asks for other addresses, and sends by them what is not there.
awaitable<void> relocate(run_ptr run, object_ptr object) {
  hub::lfs_object wanted;
  wanted.oid = object->oid();
  wanted.size = object->size();
  std::vector<hub::lfs_object> one(1, std::move(wanted));
  auto asking = ask_batch(run, std::move(one));
  auto answers = co_await std::move(asking);
  if (answers.empty() || answers.front().oid != object->oid())
    throw error(errc::invalid_response,
                "uploading " + object->path() + " (the Hub did not say where)");
  if (!take_route(*object, std::move(answers.front()))) {
    if (object->journal) object->journal->discard();
    end_object(*run, *object, transfer_event::kind::already_present);
    co_return;
  }
  if (object->parts()) co_await write_journal(run, object);
  if (object->all_there())
    co_await complete(run, object);
  else
    queue_pieces(*run, object);
}

// ---- sending

/// What became of a request that a store may refuse because its address is not good any more.
struct store_answer {
  std::string etag{};
  std::exception_ptr refusal{};  ///< null: done
  int status = 0;
};

awaitable<store_answer> ask_store(context_ptr shared, http::request what, std::string doing) {
  store_answer result;
  auto answer = co_await shared->transport->send(std::move(what));
  result.status = answer.status();
  result.etag = answer.header("ETag");
  if (result.status / 100 == 2) {
    co_await answer.finish();
    co_return result;
  }
  auto failing = failure_of(std::move(answer), std::move(doing));
  const auto failure = co_await std::move(failing);
  const bool refused =
      result.status >= 400 && result.status < 500 && result.status != 408 && result.status != 429;
  if (!refused) std::rethrow_exception(failure);
  result.refusal = failure;
  co_return result;
}

/// The url is signed: the Hub's token stays away from it.
awaitable<store_answer> put_piece(run_ptr run, object_ptr object, object_upload::piece piece) {
  const auto url = hub::routes::rebase(piece.url, run->shared->endpoint);
  auto what = hub_request(*run->shared, http::method::put, url, {});
  if (!object->parts())
    for (const auto& [name, value] : object->action().header) what.headers.set(name, value);
  what.idempotent = true;  // the object is named by its content
  what.body =
      content_body(object->content(), piece.begin, piece.end, run->shared->pool, object->reporter);
  auto sending = ask_store(run->shared, std::move(what), "uploading " + object->path());
  auto answer = co_await std::move(sending);
  co_return answer;
}

awaitable<void> verify_object(run_ptr run, object_ptr object) {
  const auto& action = *object->verify();
  const auto url = hub::routes::rebase(action.href, run->shared->endpoint);
  const std::string body =
      "{\"oid\":\"" + object->oid() + "\",\"size\":" + std::to_string(object->size()) + "}";
  // The token goes to the Hub alone, wherever the answer points.
  const auto hub_origin = core::parse_url(run->shared->endpoint);
  const auto verify_origin = core::parse_url(url);
  std::string token;
  if (hub_origin && verify_origin && hub_origin->origin == verify_origin->origin)
    token = run->commit->token;
  auto what = hub_request(*run->shared, http::method::post, url, token, body, lfs_json);
  for (const auto& [name, value] : action.header) what.headers.set(name, value);
  what.idempotent = true;
  auto calling = call(run->shared, std::move(what), "verifying the upload of " + object->path());
  auto answer = co_await std::move(calling);
  co_await answer.finish();
}

/// Has the store make the object of its parts. A store that still waits for the end of an earlier
/// try (409) is asked again.
awaitable<store_answer> complete_parts(run_ptr run, object_ptr object) {
  const auto url = hub::routes::rebase(object->parts()->completion_url, run->shared->endpoint);
  const auto body = hub::write_multipart_completion(object->oid(), object->etags());
  for (std::size_t tries = 1;; ++tries) {
    auto what = hub_request(*run->shared, http::method::post, url, {}, body, lfs_json);
    what.headers.set("Accept", lfs_json);
    what.idempotent = true;  // the object is named by its content
    auto asking = ask_store(run->shared, std::move(what), "completing " + object->path());
    auto answer = co_await std::move(asking);
    if (answer.status != 409) co_return answer;
    const auto delay = http::next_delay(run->shared->retries, tries, {}, draw_jitter());
    if (!delay) co_return answer;
    asio::steady_timer timer(co_await asio::this_coro::executor, *delay);
    co_await timer.async_wait(asio::use_awaitable);
  }
}

/// All pieces are there: makes them one object, and tells the Hub.
awaitable<void> complete(run_ptr run, object_ptr object) {
  auto check = [content = object->content()] { content->check_unchanged(); };
  auto checking = io::on_pool(run->shared->pool, std::move(check));
  co_await std::move(checking);
  if (object->parts()) {
    auto completing = complete_parts(run, object);
    const auto answer = co_await std::move(completing);
    if (answer.refusal) {
      // What an earlier process sent may be gone; or it was completed, and the answer lost.
      if (!object->begin_again()) std::rethrow_exception(answer.refusal);
      if (object->reporter) object->reporter->take_back(object->size());
      co_await relocate(run, object);
      co_return;
    }
  }
  if (object->verify()) co_await verify_object(run, object);
  if (object->journal) object->journal->discard();
  end_object(*run, *object, transfer_event::kind::finished);
}

awaitable<void> send_piece(run_ptr run, piece_to_send next) {
  const auto& object = next.object;
  if (!object->is_current(next.piece)) co_return;  // is queued again by newer addresses
  auto putting = put_piece(run, object, next.piece);
  const auto answer = co_await std::move(putting);
  if (answer.refusal) {
    object->reporter->take_back(next.piece.end - next.piece.begin);
    if (!object->begin_relocation(next.piece)) co_return;
    if (!object->may_relocate()) std::rethrow_exception(answer.refusal);
    co_await relocate(run, object);
    co_return;
  }
  if (object->parts() && (answer.etag.empty() || answer.etag.find('\n') != answer.etag.npos))
    throw error(errc::invalid_response, "uploading a part of " + object->path() + " (no ETag)");
  if (!object->arrived(next.piece, answer.etag)) co_return;
  const bool last = object->all_there();
  if (object->parts() && object->journal) {
    auto note = [journal = object->journal, part = next.piece.number, etag = answer.etag] {
      journal->add(part, etag);
    };
    auto noting = io::on_pool(run->shared->pool, std::move(note));
    co_await std::move(noting);
  }
  // While others are asked for, the one who asks goes on from there.
  if (last && object->is_current(next.piece)) co_await complete(run, object);
}

awaitable<void> send_pieces(run_ptr run) {
  for (;;) {
    auto next = co_await run->pieces.pop();
    if (!next) co_return;
    co_await send_piece(run, std::move(*next));
  }
}

}  // namespace

awaitable<void> upload_large_files(context_ptr shared, commit_ptr commit) {
  auto run =
      std::make_shared<upload_run>(std::move(shared), commit, co_await asio::this_coro::executor);
  auto& adds = commit->plan->adds;
  // Large ones first: their way is the longest.
  for (const auto mode : {hub::upload_mode::lfs, hub::upload_mode::regular})
    for (std::size_t i = 0; i < adds.size(); ++i)
      if (adds[i].content && !adds[i].ignored && adds[i].mode == mode &&
          (mode == hub::upload_mode::lfs || !adds[i].oid_there.empty()))
        run->to_hash.push_back(i);
  if (run->to_hash.empty()) co_return;
  constexpr std::size_t asking = hashes_at_once;
  auto work = [run](std::size_t task) {
    if (task < hashes_at_once) return hash_files(run);
    return task == asking ? ask_for_routes(run) : send_pieces(run);
  };
  constexpr std::size_t tasks = hashes_at_once + 1 + pieces_at_once;
  co_await io::for_each_bounded(tasks, tasks, work);
  for (auto& add : adds)
    if (add.content && !add.dropped() && add.mode == hub::upload_mode::lfs) add.uploaded = true;
}

}  // namespace cohub::transfer
