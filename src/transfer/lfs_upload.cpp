#include "transfer/lfs_upload.hpp"

#include "cohub/error.hpp"

#include "hub/lfs_batch.hpp"
#include "hub/repo_id.hpp"
#include "io/for_each_bounded.hpp"
#include "io/on_pool.hpp"
#include "transfer/bounded_queue.hpp"
#include "transfer/download_retry.hpp"
#include "transfer/identify_content.hpp"
#include "transfer/lfs_requests.hpp"
#include "transfer/object_upload.hpp"
#include "transfer/upload_journal.hpp"

#include <boost/asio/this_coro.hpp>

#include <algorithm>
#include <chrono>
#include <exception>
#include <unordered_map>
#include <unordered_set>
#include <utility>

namespace cohub::transfer {

namespace {

constexpr std::size_t objects_a_batch = 100;
constexpr std::size_t most_at_once = 256;   // hashers, senders
constexpr std::size_t pieces_waiting = 64;  // by addresses that expire

struct piece_to_send {
  object_ptr object{};
  object_upload::piece piece{};
};

/// The pipeline of one commit: hash, ask, send.
struct upload_run {
  upload_run(context_ptr with, commit_ptr of, asio::any_io_executor executor)
      : shared(std::move(with)),
        commit(std::move(of)),
        hashers(std::clamp<std::size_t>(commit->options.num_hash_threads, 1, most_at_once)),
        senders(std::clamp<std::size_t>(commit->options.num_threads, 1, most_at_once)),
        hashing(hashers),
        hashed(executor, objects_a_batch),
        pieces(executor, pieces_waiting) {}

  context_ptr shared;
  commit_ptr commit;
  std::size_t hashers;                 // files hashed at once
  std::size_t senders;                 // pieces sent at once
  std::vector<std::size_t> to_hash{};  // indices of additions
  std::size_t next = 0;                // of them
  std::size_t hashing;                 // hashers that are at work
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

awaitable<void> hash_files(run_ptr run) {
  while (run->next < run->to_hash.size()) {
    const auto index = run->to_hash[run->next++];
    auto identifying = identify_content(run->shared, run->commit, index);
    const bool is_to_be_sent = co_await std::move(identifying);
    if (!is_to_be_sent) continue;
    std::vector<std::size_t> one(1, index);
    co_await run->hashed.push(std::move(one));
  }
  if (--run->hashing == 0) run->hashed.close();
}

// ---- asking

/// Takes over where the object is to go; nothing to send if the Hub has it.
bool take_route(const upload_run& run, object_upload& object, hub::lfs_batch_answer answer) {
  if (answer.error_code != 0) {
    const std::vector<hub::lfs_batch_answer> one(1, std::move(answer));
    throw refusal_of(*run.shared, *run.commit, object.path(), one);
  }
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

/// The Hub has the object: what an earlier process noted of it is worth nothing.
awaitable<void> discard_journal(run_ptr run, object_ptr object) {
  if (!run->shared->journal) co_return;
  auto discard = [journal = run->shared->journal, own = object->journal,
                  key = journal_key(*run, object->oid())] {
    if (own)
      own->discard();
    else
      journal->discard_parts(key);
  };
  auto discarding = io::on_pool(run->shared->pool, std::move(discard));
  co_await std::move(discarding);
}

awaitable<void> write_journal(run_ptr run, object_ptr object) {
  if (!object->journal) co_return;
  auto begin = [journal = object->journal, progress = object->progress()] {
    journal->begin(progress);
  };
  auto beginning = io::on_pool(run->shared->pool, std::move(begin));
  co_await std::move(beginning);
}

piece_to_send to_send(object_ptr object, object_upload::piece piece) {
  piece_to_send next;
  next.object = std::move(object);
  next.piece = std::move(piece);
  return next;
}

/// Waits for room: addresses that are not used soon expire.
awaitable<void> queue_pieces(run_ptr run, object_ptr object) {
  auto pieces = object->missing_pieces();
  for (auto& piece : pieces) {
    // Others are asked for meanwhile: they bring their own pieces.
    if (!object->is_current(piece)) co_return;
    std::vector<piece_to_send> one(1, to_send(object, std::move(piece)));
    co_await run->pieces.push(std::move(one));
  }
}

/// For those who send: they must not wait for each other.
void queue_pieces_now(upload_run& run, const object_ptr& object) {
  for (auto& piece : object->missing_pieces())
    run.pieces.push_now(to_send(object, std::move(piece)));
}

void end_object(upload_run& run, object_upload& object, transfer_event::kind what) {
  auto& add = run.commit->plan->adds[object.add()];
  if (!add.counted)
    run.commit->total->finish(object.size(), object.reporter ? object.reporter->bytes_done() : 0);
  add.counted = true;
  if (object.reporter) object.reporter->stop_counting();
  report_event(run.commit->observer, what, object.path());
  object.claim.reset();
  --run.open_objects;
  run.close_if_done();
}

awaitable<void> complete(run_ptr run, object_ptr object);

awaitable<void> begin_object(run_ptr run, object_ptr object, hub::lfs_batch_answer answer) {
  ++run->open_objects;
  if (!take_route(*run, *object, std::move(answer))) {
    co_await discard_journal(run, object);
    end_object(*run, *object, transfer_event::kind::already_present);
    co_return;
  }
  object->reporter = std::make_shared<progress_reporter>(run->commit->observer, object->path(),
                                                         transfer_progress::direction::upload,
                                                         object->size(), run->commit->total);
  if (object->parts()) {
    co_await open_journal(run, object);
    co_await write_journal(run, object);
  }
  if (const auto there = object->bytes_there(); there > 0) object->reporter->add(there);
  if (object->begin_completion())
    co_await complete(run, object);
  else
    co_await queue_pieces(run, object);
}

using answers_by_oid = std::unordered_map<std::string, hub::lfs_batch_answer*>;

/// @throws error  an object is not answered, or refused
void check_answers(const upload_run& run, const std::vector<object_ptr>& objects,
                   const answers_by_oid& answers) {
  std::vector<hub::lfs_batch_answer> refused;
  std::string path;  // of the first one
  for (const auto& object : objects) {
    const auto found = answers.find(object->oid());
    if (found == answers.end())
      throw error(errc::invalid_response,
                  "uploading " + object->path() + " (the Hub did not say where)");
    if (found->second->error_code == 0) continue;
    if (refused.empty()) path = object->path();
    refused.push_back(*found->second);
  }
  if (!refused.empty()) throw refusal_of(*run.shared, *run.commit, path, refused);
}

/// Asks where the objects go, and sends them there; by halves, where the answer cannot be read.
awaitable<void> begin_objects(run_ptr run, std::vector<object_ptr> objects) {
  if (objects.empty()) co_return;
  std::vector<hub::lfs_object> wanted;
  for (const auto& object : objects) {
    hub::lfs_object one;
    one.oid = object->oid();
    one.size = object->size();
    wanted.push_back(std::move(one));
  }
  std::vector<hub::lfs_batch_answer> answers;
  bool unreadable = false;
  try {
    auto asking = ask_batch(run->shared, run->commit, std::move(wanted));
    answers = co_await std::move(asking);
  } catch (const error& failure) {
    // An address for each part of so many large objects may be more than an answer can hold.
    unreadable = failure.code() == errc::invalid_response && objects.size() > 1;
    if (!unreadable) throw;
  }
  if (unreadable) {
    const auto middle = objects.begin() + static_cast<std::ptrdiff_t>(objects.size() / 2);
    std::vector<object_ptr> rest(middle, objects.end());
    objects.erase(middle, objects.end());
    auto first = begin_objects(run, std::move(objects));
    co_await std::move(first);
    auto second = begin_objects(run, std::move(rest));
    co_await std::move(second);
    co_return;
  }
  answers_by_oid answer_of;
  for (auto& answer : answers) answer_of.emplace(answer.oid, &answer);
  check_answers(*run, objects, answer_of);
  for (const auto& object : objects)
    co_await begin_object(run, object, std::move(*answer_of[object->oid()]));
}

/// Asks where files go as soon as their hashes are known. What another commit is sending comes
/// last: as a rule the Hub has it then.
awaitable<void> ask_for_routes(run_ptr run) {
  const auto& adds = run->commit->plan->adds;
  const auto claims = run->shared->uploads;
  std::vector<object_ptr> sent_by_others;
  for (;;) {
    auto some = co_await run->hashed.pop_some(objects_a_batch);
    if (some.empty()) break;
    std::vector<object_ptr> objects;
    for (const std::size_t index : some) {
      const auto& add = adds[index];
      if (!run->asked.insert(add.sha256).second) continue;
      auto object = std::make_shared<object_upload>(add.path, add.sha256, add.content, index);
      object->claim = transfer_claims::try_take(claims, journal_key(*run, add.sha256));
      (object->claim ? objects : sent_by_others).push_back(std::move(object));
    }
    auto beginning = begin_objects(run, std::move(objects));
    co_await std::move(beginning);
  }
  // One at a time: who waits for one claim with another in hand, both idle, waits for ever.
  for (auto& object : sent_by_others) {
    auto claiming = transfer_claims::take(claims, journal_key(*run, object->oid()));
    object->claim = co_await std::move(claiming);
    std::vector<object_ptr> one(1, std::move(object));
    auto beginning = begin_objects(run, std::move(one));
    co_await std::move(beginning);
  }
  run->all_asked = true;
  run->close_if_done();
}

/// Asks where an object is to go now.
awaitable<hub::lfs_batch_answer> ask_again(run_ptr run, object_ptr object) {
  hub::lfs_object wanted;
  wanted.oid = object->oid();
  wanted.size = object->size();
  std::vector<hub::lfs_object> one(1, std::move(wanted));
  auto asking = ask_batch(run->shared, run->commit, std::move(one));
  auto answers = co_await std::move(asking);
  if (answers.empty() || answers.front().oid != object->oid())
    throw error(errc::invalid_response,
                "uploading " + object->path() + " (the Hub did not say where)");
  co_return std::move(answers.front());
}

/// Asks for other addresses, and sends by them what is not there.
awaitable<void> relocate(run_ptr run, object_ptr object) {
  auto asking = ask_again(run, object);
  auto answer = co_await std::move(asking);
  const auto before = object->bytes_there();
  if (!take_route(*run, *object, std::move(answer))) {
    co_await discard_journal(run, object);
    end_object(*run, *object, transfer_event::kind::already_present);
    co_return;
  }
  // Of another upload: what was there is to be sent again.
  if (const auto there = object->bytes_there(); there < before)
    object->reporter->take_back(before - there);
  if (object->parts()) co_await write_journal(run, object);
  if (object->begin_completion())
    co_await complete(run, object);
  else
    queue_pieces_now(*run, object);
}

// ---- sending

/// Has the store make the object of its parts. What ends without an answer may have been done.
awaitable<store_answer> complete_or_find(run_ptr run, object_ptr object) {
  store_answer done;
  std::exception_ptr failure;
  try {
    auto completing = complete_parts(run->shared, object);
    done = co_await std::move(completing);
  } catch (const error& e) {
    if (!is_transient(e.code()) && e.code() != errc::server_failure) throw;
    failure = std::current_exception();
  }
  if (!failure) co_return done;
  auto asking = ask_again(run, object);
  const auto answer = co_await std::move(asking);
  if (answer.upload || answer.error_code != 0) std::rethrow_exception(failure);
  co_return done;
}

/// All pieces are there: makes them one object, and tells the Hub.
awaitable<void> complete(run_ptr run, object_ptr object) {
  auto checking = require_same(run->shared, object->content(), object->path(), object->oid());
  co_await std::move(checking);
  if (object->parts()) {
    auto completing = complete_or_find(run, object);
    const auto answer = co_await std::move(completing);
    // It is being made still: the parts are there for the next process.
    if (answer.status == 409) std::rethrow_exception(answer.refusal);
    if (answer.refusal) {
      // The address may have expired; what an earlier process sent may be gone; or it was
      // completed, and the answer lost.
      const auto before = object->bytes_there();
      const bool may_have_expired =
          answer.status == 401 || answer.status == 403 || answer.status == 410;
      if (!object->begin_again(may_have_expired)) std::rethrow_exception(answer.refusal);
      object->reporter->take_back(before - object->bytes_there());
      co_await relocate(run, object);
      co_return;
    }
  }
  if (object->verify()) co_await verify_object(run->shared, run->commit, object);
  co_await discard_journal(run, object);
  end_object(*run, *object, transfer_event::kind::finished);
}

/// Whether no other address changes what the store thinks of the content.
bool is_final(int status) { return status == 411 || status == 413 || status == 422; }

awaitable<void> send_piece(run_ptr run, piece_to_send next) {
  const auto& object = next.object;
  // It is queued again by newer addresses, or has come by older ones.
  if (!object->is_current(next.piece)) co_return;
  auto putting = put_piece(run->shared, object, next.piece);
  const auto answer = co_await std::move(putting);
  if (answer.refusal) {
    if (!object->begin_relocation(next.piece)) co_return;
    if (is_final(answer.status) || !object->may_relocate(next.piece))
      std::rethrow_exception(answer.refusal);
    co_await relocate(run, object);
    co_return;
  }
  if (object->parts() && (answer.etag.empty() || answer.etag.find('\n') != answer.etag.npos))
    throw error(errc::invalid_response, "uploading a part of " + object->path() + " (no ETag)");
  if (!object->arrived(next.piece, answer.etag)) {
    object->reporter->take_back(next.piece.end - next.piece.begin);  // for nothing
    co_return;
  }
  if (object->parts() && object->journal) {
    // A part that may have been read of a changed file is not remembered as one of this object.
    auto note = [content = object->content(), journal = object->journal, part = next.piece.number,
                 etag = answer.etag] {
      if (content->check_unchanged()) journal->add(part, etag);
    };
    auto noting = io::on_pool(run->shared->pool, std::move(note));
    co_await std::move(noting);
  }
  const bool last = object->begin_completion();
  if (last) co_await complete(run, object);
}

awaitable<void> send_pieces(run_ptr run) {
  for (;;) {
    auto next = co_await run->pieces.pop();
    if (!next) co_return;
    co_await send_piece(run, std::move(*next));
  }
}

/// Counts as done what was not sent because it need not be: the Hub has it, or another file of the
/// commit has the same content.
void count_the_rest(upload_run& run) {
  for (auto& add : run.commit->plan->adds) {
    if (add.counted || !add.announced || !(add.dropped() || add.uploaded)) continue;
    run.commit->total->finish(add.size, 0);
    add.counted = true;
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
          (mode == hub::upload_mode::lfs || (!adds[i].oid_there.empty() && !adds[i].refilled)))
        run->to_hash.push_back(i);
  if (run->to_hash.empty()) {
    count_the_rest(*run);
    co_return;
  }
  auto work = [run](std::size_t task) {
    if (task < run->hashers) return hash_files(run);
    return task == run->hashers ? ask_for_routes(run) : send_pieces(run);
  };
  const std::size_t tasks = run->hashers + 1 + run->senders;
  co_await io::for_each_bounded(tasks, tasks, work);
  for (auto& add : adds)
    if (add.content && !add.dropped() && add.mode == hub::upload_mode::lfs) add.uploaded = true;
  count_the_rest(*run);
}

}  // namespace cohub::transfer
