#include "hub/json_reader.hpp"
#include "hub/repo_id.hpp"
#include "io/on_pool.hpp"
#include "server/error_reply.hpp"
#include "server/failure.hpp"
#include "server/file_reply.hpp"
#include "server/guarded.hpp"
#include "server/handlers/api.hpp"
#include "server/store/multipart_store.hpp"
#include "server/store/object_store.hpp"

#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/json/object.hpp>

#include <algorithm>
#include <chrono>
#include <shared_mutex>
#include <string>
#include <utility>
#include <vector>

namespace cohub::server {

namespace {

constexpr std::size_t upload_piece = 1u << 20;
constexpr std::uint64_t completion_limit = 4u << 20;
constexpr std::chrono::milliseconds completion_pause{100};

content_grant require_grant(const hub_store& store, const request_head& head) {
  const auto now = std::chrono::duration_cast<std::chrono::seconds>(
                       std::chrono::system_clock::now().time_since_epoch())
                       .count();
  auto grant = store.signer.verify(head.target, now);
  const bool reads = head.method == "GET" || head.method == "HEAD";
  if (!grant || grant->method != (reads ? "GET" : head.method))
    throw failure(403, {}, "The url's signature is not valid, or has expired");
  return std::move(*grant);
}

reply read_object(const hub_store& store, const content_grant& grant, const request_head& head) {
  const auto size = store.objects.size_of(grant.sha256);
  if (!size) throw not_found("The object does not exist");
  const std::string etag = '"' + grant.sha256 + '"';
  reply answer;
  if (matches_etag(head.headers.get("If-None-Match"), etag)) {
    answer.status = 304;
    answer.headers.set("ETag", etag);
    return answer;
  }
  answer = file_reply(store.objects.path_of(grant.sha256), *size, etag, head.headers);
  describe_file(answer, grant.file_name);
  return answer;
}

/// The repository that an upload is for, and what it was moved to meanwhile.
struct upload_target {
  repo_type type = repo_type::model;
  std::vector<std::string> ids{};
};

upload_target target_of(const hub_store& store, const content_grant& grant) {
  upload_target target;
  const auto slash = grant.repository.find('/');
  const auto type = hub::parse_plural(std::string_view(grant.repository).substr(0, slash));
  if (!type || slash == grant.repository.npos) throw not_found("The repository does not exist");
  target.type = *type;
  target.ids.push_back(grant.repository.substr(slash + 1));
  for (auto& moved : store.repos.moved_to(*type, target.ids.front()))
    target.ids.push_back(std::move(moved));
  return target;
}

/// Whether the repository that an upload is for has the object already: another client may have
/// brought it meanwhile.
bool has_object(const hub_store& store, const content_grant& grant) {
  const auto target = target_of(store, grant);
  return std::any_of(target.ids.begin(), target.ids.end(), [&](const std::string& id) {
    return store.repos.find(target.type, id) && store.object_size(target.type, id, grant.sha256);
  });
}

failure no_target() { return not_found("The repository does not exist any more"); }

/// Whether the repository that an upload is for is still there.
bool has_target(const hub_store& store, const content_grant& grant) {
  const auto target = target_of(store, grant);
  return std::any_of(target.ids.begin(), target.ids.end(), [&](const std::string& id) {
    return store.repos.find(target.type, id).has_value();
  });
}

/// Gives the object to the repository that it was uploaded for.
void note_object(hub_store& store, const content_grant& grant) {
  const auto target = target_of(store, grant);
  for (const auto& id : target.ids)
    if (store.repos.add_object(target.type, id, grant.sha256)) return;
  throw no_target();
}

/// Puts an object in place by `place` and gives it to the repository that it was uploaded for. With
/// `objects_in_use` held by `guard`, which is let go where that fails: an object of nobody's does
/// not stay.
template <class Place>
void keep_object(hub_store& store, const content_grant& grant,
                 std::shared_lock<std::shared_mutex>& guard, Place place) {
  if (!has_target(store, grant)) throw no_target();
  place();
  try {
    note_object(store, grant);
  } catch (...) {
    guard.unlock();
    const std::unique_lock alone(store.objects_in_use);
    store.remove_unheld({grant.sha256});
    throw;
  }
}

/// What stands for a part that nobody needs any more: the completion does not look at it.
std::string etag_of_dropped(const content_grant& grant) {
  return '"' + grant.sha256 + '-' + std::to_string(grant.part) + '"';
}

/// Hands the whole body to `write` in pieces, on the pool. `write` owns what it touches.
template <class Write>
awaitable<void> receive_body(asio::any_io_executor pool, request_body& body, std::uint64_t limit,
                             Write write) {
  auto buffer = std::make_shared<std::vector<std::byte>>(upload_piece);
  std::uint64_t size = 0;
  for (bool more = true; more;) {
    std::size_t filled = 0;
    while (more && filled < buffer->size()) {
      const std::size_t count = co_await body.read_some(std::span(*buffer).subspan(filled));
      more = count > 0;
      filled += count;
    }
    size += filled;
    if (size > limit) throw failure(413, {}, "The body is larger than was announced");
    auto work = [write, buffer, filled] {
      write(std::span<const std::byte>(*buffer).first(filled));
    };
    auto writing = io::on_pool(pool, std::move(work));
    co_await std::move(writing);
  }
}

/// The bytes that the grant lets a PUT bring.
std::uint64_t size_of_upload(const content_grant& grant) {
  if (grant.upload.empty()) return grant.size;
  const std::uint64_t before = (grant.part - 1) * grant.part_size;
  return std::min(grant.part_size, grant.size - before);
}

std::vector<uploaded_part> read_completion(const std::string& text, const std::string& sha256) {
  const auto parsed = hub::parse_json(text);
  if (!parsed || !parsed->is_object()) throw bad_request("The body is not a JSON object");
  const auto& object = parsed->get_object();
  if (hub::text_or(object, "oid") != sha256) throw bad_request("The upload is of another object");
  const auto* list = object.if_contains("parts");
  if (list == nullptr || !list->is_array()) throw bad_request("The parts are not named");
  std::vector<uploaded_part> parts;
  for (const auto& item : list->get_array()) {
    if (!item.is_object()) throw bad_request("A part is not a JSON object");
    parts.push_back(
        {hub::number_or(item.get_object(), "partNumber"), hub::text_or(item.get_object(), "etag")});
  }
  return parts;
}

/// Makes the object of the parts that `text` names; false if another request is about to.
bool try_to_complete(hub_store& store, const content_grant& grant, const std::string& text) {
  const auto alone = multipart_store::completion::begin(store.uploads, grant.upload);
  if (!alone) return false;
  // Asked again after a lost answer, or by another client, there is nothing left to do.
  if (has_object(store, grant)) {
    alone->drop();
    return true;
  }
  if (!has_target(store, grant)) {
    alone->drop();
    throw no_target();
  }
  const auto count = (grant.size + grant.part_size - 1) / grant.part_size;
  // Takes as long as the object is large, and is no use of what is in place.
  alone->check(read_completion(text, grant.sha256), count, grant.sha256, grant.size);
  std::shared_lock guard(store.objects_in_use);
  keep_object(store, grant, guard, [&] { alone->place(grant.sha256, store.objects); });
  return true;
}

class content_handler final : public request_handler {
 public:
  content_handler(std::shared_ptr<hub_store> store, pools threads)
      : store_(std::move(store)), threads_(std::move(threads)) {}

  awaitable<reply> answer(request_head head, request_body& body) override {
    auto operation = run(store_, threads_, std::move(head), body);
    return guarded(std::move(operation));
  }

 private:
  static awaitable<reply> run(std::shared_ptr<hub_store> store, pools threads, request_head head,
                              request_body& body) {
    auto grant = require_grant(*store, head);
    if (grant.method == "PUT") {
      const auto length = head.content_length;
      if (length && *length != size_of_upload(grant))
        throw bad_request("The body has another size than was announced");
      auto receiving = grant.upload.empty()
                           ? receive_object(store, threads, std::move(grant), body)
                           : receive_part(store, threads.reading, std::move(grant), body);
      co_return co_await std::move(receiving);
    }
    if (grant.method == "POST") {
      auto completing = complete(store, threads, std::move(grant), body);
      co_return co_await std::move(completing);
    }
    auto work = [store, grant, head] { return read_object(*store, grant, head); };
    co_return co_await io::on_pool(threads.reading, std::move(work));
  }

  static awaitable<reply> receive_object(std::shared_ptr<hub_store> store, pools threads,
                                         content_grant grant, request_body& body) {
    // Shared with the pool, and holding the store alive, which the object refers to.
    auto open = [store] {
      return std::shared_ptr<incoming_object>(new incoming_object(store->objects),
                                              [store](incoming_object* object) { delete object; });
    };
    auto object = co_await io::on_pool(threads.reading, std::move(open));
    auto write = [object](std::span<const std::byte> bytes) { object->write(bytes); };
    auto receiving = receive_body(threads.reading, body, grant.size, std::move(write));
    co_await std::move(receiving);
    auto finish = [store, object, grant] {
      std::shared_lock guard(store->objects_in_use);
      keep_object(*store, grant, guard, [&] {
        if (!object->store_as(grant.sha256, grant.size))
          throw bad_request("The content does not have the announced sha256");
      });
      return true;
    };
    co_await io::on_pool(threads.writing, std::move(finish));
    reply answer;
    answer.headers.set("ETag", '"' + grant.sha256 + '"');
    co_return answer;
  }

  static awaitable<reply> receive_part(std::shared_ptr<hub_store> store, asio::any_io_executor pool,
                                       content_grant grant, request_body& body) {
    using incoming = multipart_store::incoming_part;
    auto open = [store, grant] {
      std::unique_ptr<incoming> part;
      if (!has_object(*store, grant))
        part = store->uploads.receive(grant.upload, grant.part, (grant.part - 1) * grant.part_size);
      return std::shared_ptr<incoming>(part.release(), [store](incoming* each) { delete each; });
    };
    auto part = co_await io::on_pool(pool, std::move(open));
    auto write = [part](std::span<const std::byte> bytes) {
      if (part) part->write(bytes);
    };
    auto receiving = receive_body(pool, body, size_of_upload(grant), std::move(write));
    co_await std::move(receiving);
    auto finish = [part, grant] {
      return part ? part->finish(size_of_upload(grant)) : etag_of_dropped(grant);
    };
    const auto etag = co_await io::on_pool(pool, std::move(finish));
    reply answer;
    answer.headers.set("ETag", etag);
    co_return answer;
  }

  static awaitable<reply> complete(std::shared_ptr<hub_store> store, pools threads,
                                   content_grant grant, request_body& body) {
    auto text = std::make_shared<std::string>();
    auto keep = [text](std::span<const std::byte> bytes) {
      text->append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    };
    auto receiving = receive_body(threads.reading, body, completion_limit, std::move(keep));
    co_await std::move(receiving);
    asio::steady_timer pause(co_await asio::this_coro::executor);
    for (bool done = false; !done;) {
      auto attempt = [store, grant, text] { return try_to_complete(*store, grant, *text); };
      done = co_await io::on_pool(threads.writing, std::move(attempt));
      if (done) break;
      // Another client completes the same upload: no thread has to wait for that.
      pause.expires_after(completion_pause);
      co_await pause.async_wait(asio::use_awaitable);
    }
    co_return json_reply(boost::json::object());
  }

  std::shared_ptr<hub_store> store_;
  pools threads_;
};

}  // namespace

std::shared_ptr<request_handler> make_content_handler(std::shared_ptr<hub_store> store,
                                                      pools threads) {
  return std::make_shared<content_handler>(std::move(store), std::move(threads));
}

}  // namespace cohub::server
