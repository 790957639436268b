#include "transfer/upload/object_transfer.hpp"

#include "cohub/error.hpp"

#include "hub/multipart_plan.hpp"
#include "hub/repo_id.hpp"
#include "io/on_pool.hpp"
#include "transfer/download_retry.hpp"
#include "transfer/progress_reporter.hpp"
#include "transfer/report_event.hpp"
#include "transfer/upload/identify_content.hpp"
#include "transfer/upload/upload_journal.hpp"

#include <chrono>
#include <cstdint>
#include <exception>
#include <utility>
#include <vector>

namespace cohub::transfer {

namespace {

/// Takes over where the object is to go; nothing to send if the Hub has it.
bool take_route(const object_transfers& all, object_upload& object, hub::lfs_batch_answer answer) {
  if (answer.error_code != 0) {
    const std::vector<hub::lfs_batch_answer> one(1, std::move(answer));
    throw refusal_of(*all.shared, *all.commit, object.path(), one);
  }
  if (!answer.upload) return false;
  auto parts = hub::read_multipart_plan(*answer.upload, object.size());
  if (!parts) throw error(parts.error(), "uploading " + object.path() + " in parts");
  object.route_to(std::move(*answer.upload), std::move(*parts), std::move(answer.verify));
  return true;
}

std::int64_t seconds_now() {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  return std::chrono::duration_cast<std::chrono::seconds>(now).count();
}

/// Goes on where an earlier process stopped, if there was one.
awaitable<void> open_journal(transfers_ptr all, object_ptr object) {
  if (!all->shared->journal) co_return;
  auto open = [journal = all->shared->journal, key = object_key(*all, object->oid())] {
    return journal->open_parts(key);
  };
  object->journal = co_await io::on_pool(all->shared->pool, std::move(open));
  if (!object->journal || !object->journal->found()) co_return;
  object->resume(*object->journal->found(), seconds_now());
  if (object->bytes_there() > 0)
    report_event(all->commit->observer, transfer_event::kind::resumed, object->path(),
                 std::to_string(object->bytes_there()) + " of " + std::to_string(object->size()) +
                     " bytes are there already");
}

/// The Hub has the object: what an earlier process noted of it is worth nothing.
awaitable<void> discard_journal(transfers_ptr all, object_ptr object) {
  if (!all->shared->journal) co_return;
  auto discard = [journal = all->shared->journal, own = object->journal,
                  key = object_key(*all, object->oid())] {
    if (own)
      own->discard();
    else
      journal->discard_parts(key);
  };
  co_await io::on_pool(all->shared->pool, std::move(discard));
}

awaitable<void> write_journal(transfers_ptr all, object_ptr object) {
  if (!object->journal) co_return;
  auto begin = [journal = object->journal, progress = object->progress()] {
    journal->begin(progress);
  };
  co_await io::on_pool(all->shared->pool, std::move(begin));
}

piece_to_send to_send(object_ptr object, object_upload::piece piece) {
  piece_to_send next;
  next.object = std::move(object);
  next.piece = std::move(piece);
  return next;
}

/// Waits for room: addresses that are not used soon expire.
awaitable<void> queue_pieces(transfers_ptr all, object_ptr object) {
  auto pieces = object->missing_pieces();
  for (auto& piece : pieces) {
    // Others are asked for meanwhile: they bring their own pieces.
    if (!object->is_current(piece)) co_return;
    co_await all->pieces.push(to_send(object, std::move(piece)));
  }
}

/// For those who send: they must not wait for each other. Before what others wait with: addresses
/// that were asked for again must not expire in the queue once more.
void queue_pieces_now(object_transfers& all, const object_ptr& object) {
  auto pieces = object->missing_pieces();
  for (auto piece = pieces.rbegin(); piece != pieces.rend(); ++piece)
    all.pieces.push_first_now(to_send(object, std::move(*piece)));
}

void end_object(object_transfers& all, object_upload& object, transfer_event::kind what) {
  auto& add = all.commit->plan->adds[object.add()];
  if (!add.counted)
    all.commit->total->finish(object.size(), object.reporter ? object.reporter->bytes_done() : 0);
  add.counted = true;
  if (object.reporter) object.reporter->stop_counting();
  report_event(all.commit->observer, what, object.path());
  object.claim.reset();
  --all.open_objects;
  all.close_if_done();
}

awaitable<void> complete(transfers_ptr all, object_ptr object);

/// Asks where an object is to go now.
awaitable<hub::lfs_batch_answer> ask_again(transfers_ptr all, object_ptr object) {
  hub::lfs_object wanted;
  wanted.oid = object->oid();
  wanted.size = object->size();
  std::vector<hub::lfs_object> one(1, std::move(wanted));
  auto answers = co_await ask_batch(all->shared, all->commit, std::move(one));
  if (answers.empty() || answers.front().oid != object->oid())
    throw error(errc::invalid_response,
                "uploading " + object->path() + " (the Hub did not say where)");
  co_return std::move(answers.front());
}

/// Whether all of an object has been sent.
enum class sending { unfinished, finished };

/// Asks for other addresses, and sends by them what is not there.
awaitable<void> relocate(transfers_ptr all, object_ptr object, sending how) {
  auto answer = co_await ask_again(all, object);
  const auto before = object->bytes_there();
  if (!take_route(*all, *object, std::move(answer))) {
    // It is there by what was sent here, whatever became of the store's answer.
    if (how == sending::finished && object->verify())
      co_await verify_object(all->shared, all->commit, object);
    co_await discard_journal(all, object);
    end_object(*all, *object, transfer_event::kind::already_present);
    co_return;
  }
  // Of another upload: what was there is to be sent again.
  if (const auto there = object->bytes_there(); there < before)
    object->reporter->take_back(before - there);
  if (object->parts()) co_await write_journal(all, object);
  if (object->begin_completion())
    co_await complete(all, object);
  else
    queue_pieces_now(*all, object);
}

/// Has the store make the object of its parts. What ends without an answer may have been done.
awaitable<store_answer> complete_or_find(transfers_ptr all, object_ptr object) {
  store_answer done;
  std::exception_ptr failure;
  try {
    done = co_await complete_parts(all->shared, object);
  } catch (const error& e) {
    if (!is_transient(e.code()) && e.code() != errc::server_failure) throw;
    failure = std::current_exception();
  }
  if (!failure) co_return done;
  const auto answer = co_await ask_again(all, object);
  if (answer.upload || answer.error_code != 0) std::rethrow_exception(failure);
  co_return done;
}

/// All pieces are there: makes them one object, and tells the Hub.
awaitable<void> complete(transfers_ptr all, object_ptr object) {
  co_await require_same(all->shared, object->content(), object->path(), object->oid());
  if (object->parts()) {
    const auto answer = co_await complete_or_find(all, object);
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
      co_await relocate(all, object, sending::finished);
      co_return;
    }
  }
  if (object->verify()) co_await verify_object(all->shared, all->commit, object);
  co_await discard_journal(all, object);
  end_object(*all, *object, transfer_event::kind::finished);
}

/// Whether no other address changes what the store thinks of the content.
bool is_final(int status) { return status == 411 || status == 413 || status == 422; }

}  // namespace

std::string object_key(const object_transfers& all, const std::string& oid) {
  return all.shared->endpoint + '\n' + std::string(hub::plural(all.commit->options.type)) + '\n' +
         all.commit->repo_id + '\n' + oid;
}

awaitable<void> begin_object(transfers_ptr all, object_ptr object, hub::lfs_batch_answer answer) {
  ++all->open_objects;
  if (!take_route(*all, *object, std::move(answer))) {
    co_await discard_journal(all, object);
    end_object(*all, *object, transfer_event::kind::already_present);
    co_return;
  }
  object->reporter = std::make_shared<progress_reporter>(all->commit->observer, object->path(),
                                                         transfer_progress::direction::upload,
                                                         object->size(), all->commit->total);
  if (object->parts()) {
    co_await open_journal(all, object);
    co_await write_journal(all, object);
  }
  if (const auto there = object->bytes_there(); there > 0) object->reporter->add(there);
  if (object->begin_completion())
    co_await complete(all, object);
  else
    co_await queue_pieces(all, object);
}

awaitable<void> send_piece(transfers_ptr all, piece_to_send next) {
  const auto& object = next.object;
  // It is queued again by newer addresses, or has come by older ones.
  if (!object->is_current(next.piece)) co_return;
  if (object->has_expired(next.piece, seconds_now()) && object->begin_relocation(next.piece)) {
    co_await relocate(all, object, sending::unfinished);
    co_return;
  }
  store_answer answer;
  bool superseded = false;
  try {
    answer = co_await put_piece(all->shared, object, next.piece);
  } catch (const error&) {
    // What fails by older addresses is sent by newer ones, or is there.
    superseded = !object->is_current(next.piece);
    if (!superseded) throw;
  }
  if (superseded) co_return;
  if (answer.refusal) {
    if (!object->begin_relocation(next.piece)) co_return;
    if (is_final(answer.status) || !object->may_relocate(next.piece))
      std::rethrow_exception(answer.refusal);
    co_await relocate(all, object, sending::unfinished);
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
    co_await io::on_pool(all->shared->pool, std::move(note));
  }
  const bool last = object->begin_completion();
  if (last) co_await complete(all, object);
}

}  // namespace cohub::transfer
