#include "transfer/upload/lfs_upload.hpp"

#include "cohub/error.hpp"

#include "hub/lfs_batch.hpp"
#include "hub/preupload.hpp"
#include "io/for_each_bounded.hpp"
#include "transfer/bounded_queue.hpp"
#include "transfer/transfer_claims.hpp"
#include "transfer/upload/identify_content.hpp"
#include "transfer/upload/lfs_requests.hpp"
#include "transfer/upload/object_transfer.hpp"
#include "transfer/upload/object_upload.hpp"

#include <boost/asio/this_coro.hpp>

#include <algorithm>
#include <cstddef>
#include <memory>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

namespace cohub::transfer {

namespace {

constexpr std::size_t objects_a_batch = 100;
constexpr std::size_t most_at_once = 256;  // hashers, senders

/// The pipeline of one commit: hash, ask, send.
struct upload_run : object_transfers {
  upload_run(context_ptr with, commit_ptr of, asio::any_io_executor executor)
      : object_transfers(std::move(with), std::move(of), executor),
        hashers(std::clamp<std::size_t>(commit->options.num_hash_threads, 1, most_at_once)),
        senders(std::clamp<std::size_t>(commit->options.num_threads, 1, most_at_once)),
        hashing(hashers),
        hashed(executor, objects_a_batch) {}

  std::size_t hashers;                 // files hashed at once
  std::size_t senders;                 // pieces sent at once
  std::vector<std::size_t> to_hash{};  // indices of additions
  std::size_t next = 0;                // of them
  std::size_t hashing;                 // hashers that are at work
  bounded_queue<std::size_t> hashed;
  std::unordered_set<std::string> asked{};  // equal contents are sent once
};
using run_ptr = std::shared_ptr<upload_run>;

awaitable<void> hash_files(run_ptr run) {
  while (run->next < run->to_hash.size()) {
    const auto index = run->to_hash[run->next++];
    const bool is_to_be_sent = co_await identify_content(run->shared, run->commit, index);
    if (!is_to_be_sent) continue;
    co_await run->hashed.push(index);
  }
  if (--run->hashing == 0) run->hashed.close();
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
    answers = co_await ask_batch(run->shared, run->commit, std::move(wanted));
  } catch (const error& failure) {
    // An address for each part of so many large objects may be more than an answer can hold.
    unreadable = failure.code() == errc::invalid_response && objects.size() > 1;
    if (!unreadable) throw;
  }
  if (unreadable) {
    const auto middle = objects.begin() + static_cast<std::ptrdiff_t>(objects.size() / 2);
    std::vector<object_ptr> rest(middle, objects.end());
    objects.erase(middle, objects.end());
    co_await begin_objects(run, std::move(objects));
    co_await begin_objects(run, std::move(rest));
    co_return;
  }
  answers_by_oid answer_of;
  for (auto& answer : answers) answer_of.emplace(answer.oid, &answer);
  check_answers(*run, objects, answer_of);
  for (const auto& object : objects) {
    auto beginning = begin_object(run, object, std::move(*answer_of[object->oid()]));
    co_await std::move(beginning);
  }
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
      object->claim = transfer_claims::try_take(claims, object_key(*run, add.sha256));
      (object->claim ? objects : sent_by_others).push_back(std::move(object));
    }
    co_await begin_objects(run, std::move(objects));
  }
  // One at a time: who waits for one claim with another in hand, both idle, waits for ever.
  for (auto& object : sent_by_others) {
    object->claim = co_await transfer_claims::take(claims, object_key(*run, object->oid()));
    std::vector<object_ptr> one(1, std::move(object));
    co_await begin_objects(run, std::move(one));
  }
  run->all_asked = true;
  run->close_if_done();
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
