#include "hub/repo_id.hpp"
#include "io/on_pool.hpp"
#include "server/api.hpp"
#include "server/failure.hpp"
#include "server/file_reply.hpp"
#include "server/guarded.hpp"
#include "server/object_store.hpp"

#include <chrono>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace cohub::server {

namespace {

constexpr std::size_t upload_piece = 1u << 20;

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

/// Gives the object to the repository that it was uploaded for, which may have moved meanwhile.
void note_object(hub_store& store, const content_grant& grant) {
  const auto slash = grant.repository.find('/');
  const auto type = hub::parse_plural(std::string_view(grant.repository).substr(0, slash));
  if (!type || slash == grant.repository.npos) throw not_found("The repository does not exist");
  const std::string id = grant.repository.substr(slash + 1);
  if (store.repos.add_object(*type, id, grant.sha256)) return;
  for (const auto& moved : store.repos.moved_to(*type, id))
    if (store.repos.add_object(*type, moved, grant.sha256)) return;
  throw not_found("The repository does not exist any more");
}

class content_handler final : public request_handler {
 public:
  content_handler(std::shared_ptr<hub_store> store, asio::any_io_executor pool)
      : store_(std::move(store)), pool_(std::move(pool)) {}

  awaitable<reply> answer(request_head head, request_body& body) override {
    auto operation = run(store_, pool_, std::move(head), body);
    return guarded(std::move(operation));
  }

 private:
  static awaitable<reply> run(std::shared_ptr<hub_store> store, asio::any_io_executor pool,
                              request_head head, request_body& body) {
    auto grant = require_grant(*store, head);
    if (grant.method == "PUT") {
      const auto length = head.content_length;
      if (length && *length != grant.size)
        throw bad_request("The object has another size than was announced");
      co_return co_await receive(store, pool, std::move(grant), body);
    }
    auto work = [store, grant, head] { return read_object(*store, grant, head); };
    co_return co_await io::on_pool(pool, std::move(work));
  }

  static awaitable<reply> receive(std::shared_ptr<hub_store> store, asio::any_io_executor pool,
                                  content_grant grant, request_body& body) {
    // Shared with the pool, and holding the store alive, which the object refers to.
    auto open = [store] {
      return std::shared_ptr<incoming_object>(new incoming_object(store->objects),
                                              [store](incoming_object* object) { delete object; });
    };
    auto object = co_await io::on_pool(pool, std::move(open));
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
      if (size > grant.size) throw failure(413, {}, "The object is larger than was announced");
      auto write = [object, buffer, filled] {
        object->write(std::span<const std::byte>(*buffer).first(filled));
      };
      co_await io::on_pool(pool, std::move(write));
    }
    auto finish = [store, object, grant] {
      if (!object->store_as(grant.sha256, grant.size))
        throw bad_request("The content does not have the announced sha256");
      note_object(*store, grant);
      return true;
    };
    co_await io::on_pool(pool, std::move(finish));
    reply answer;
    answer.headers.set("ETag", '"' + grant.sha256 + '"');
    co_return answer;
  }

  std::shared_ptr<hub_store> store_;
  asio::any_io_executor pool_;
};

}  // namespace

std::shared_ptr<request_handler> make_content_handler(std::shared_ptr<hub_store> store,
                                                      asio::any_io_executor pool) {
  return std::make_shared<content_handler>(std::move(store), std::move(pool));
}

}  // namespace cohub::server
