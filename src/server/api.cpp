#include "server/api.hpp"

#include "io/file.hpp"
#include "io/on_pool.hpp"
#include "server/call.hpp"
#include "server/error_reply.hpp"
#include "server/failure.hpp"
#include "server/guarded.hpp"
#include "server/memory_room.hpp"
#include "server/permissions.hpp"
#include "server/route_table.hpp"

#include <algorithm>
#include <system_error>
#include <utility>
#include <vector>

namespace cohub::server {

namespace {

constexpr std::size_t body_piece = 1u << 20;

bool is_host(std::string_view text) {
  return !text.empty() && text.size() <= 300 && std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
           c == '-' || c == '_' || c == ':' || c == '[' || c == ']';
  });
}

/// A Host header's name or address, without the port.
std::string_view host_name(std::string_view host) {
  const auto end = host.starts_with('[') ? host.find(']') + 1 : host.find(':');
  return host.substr(0, end);
}

/// Where the answer's links lead: to what the caller has reached this Hub by, unless that is
/// configured.
void find_endpoints(const hub_store& store, const endpoints& where, call& what) {
  what.endpoint = where.api;
  what.content_endpoint = where.content;
  const auto host = what.headers.get("Host");
  if (!is_host(host)) return;
  if (store.config.public_endpoint.empty())
    what.endpoint = where.scheme + "://" + std::string(host);
  if (store.config.public_content_endpoint.empty())
    what.content_endpoint = where.scheme + "://" + std::string(host_name(host)) + ':' +
                            std::to_string(where.content_port);
}

failure too_large() { return {413, {}, "The request's body is too large"}; }

/// A request's body on its way through a file, which goes with the object.
struct spooled_body {
  explicit spooled_body(const hub_store& store)
      : file(store.temporary / ("body-" + io::random_suffix() + io::random_suffix()),
             io::file::mode::write_new) {}
  spooled_body(spooled_body&&) = delete;
  ~spooled_body() {
    std::error_code ignored;
    std::filesystem::remove(file.path(), ignored);
  }
  io::file file;
};

// The share is lent by the caller, who awaits in the scope that owns it.
awaitable<void> read_to_memory(request_body& body, std::shared_ptr<call> what, std::uint64_t limit,
                               memory_share& share) {
  std::vector<std::byte> buffer(64 * 1024);
  for (;;) {
    const std::size_t count = co_await body.read_some(buffer);
    if (count == 0) co_return;
    if (what->body.size() + count > limit) throw too_large();
    share.take(count);
    what->body.append(reinterpret_cast<const char*>(buffer.data()), count);
  }
}

awaitable<std::shared_ptr<spooled_body>> read_to_file(std::shared_ptr<hub_store> store,
                                                      asio::any_io_executor pool,
                                                      request_body& body, std::uint64_t limit) {
  auto open = [store] { return std::make_shared<spooled_body>(*store); };
  auto spool = co_await io::on_pool(pool, std::move(open));
  auto buffer = std::make_shared<std::vector<std::byte>>(body_piece);
  std::uint64_t size = 0;
  for (;;) {
    std::size_t filled = 0;
    while (filled < buffer->size()) {
      const std::size_t count = co_await body.read_some(std::span(*buffer).subspan(filled));
      if (count == 0) break;
      filled += count;
    }
    if (filled == 0) co_return spool;
    if (size + filled > limit) throw too_large();
    auto write = [spool, buffer, size, filled] {
      spool->file.write_at(size, std::span<const std::byte>(*buffer).first(filled));
    };
    co_await io::on_pool(pool, std::move(write));
    size += filled;
  }
}

/// A token that is not known counts as its sender's address: else every guess would be another
/// caller.
rate_limiter::verdict admit(rate_limiter& limiter, const hub_store& store,
                            const request_head& head) {
  const auto who = find_identity(store, head.headers.get("Authorization"));
  return limiter.admit(head.target, who ? "user " + who->name : "address " + head.peer,
                       rate_limiter::clock::now());
}

/// Structured fields, as the public Hub writes them (hub-protocol, section 9.4).
void tell(const rate_limiter::verdict& verdict, reply& answer) {
  const std::string name = '"' + verdict.bucket + '"';
  answer.headers.set("ratelimit", name + ";r=" + std::to_string(verdict.left) +
                                      ";t=" + std::to_string(verdict.ends.count()));
  answer.headers.set("ratelimit-policy", "\"fixed window\";" + name +
                                             ";q=" + std::to_string(verdict.quota) +
                                             ";w=" + std::to_string(verdict.window.count()));
}

class api_handler final : public request_handler {
 public:
  api_handler(std::shared_ptr<hub_store> store, pools threads, endpoints where,
              std::shared_ptr<rate_limiter> limiter)
      : store_(std::move(store)),
        threads_(std::move(threads)),
        where_(std::move(where)),
        limiter_(std::move(limiter)) {}

  awaitable<reply> answer(request_head head, request_body& body) override {
    rate_limiter::verdict verdict;
    if (limiter_) verdict = admit(*limiter_, *store_, head);
    if (!verdict.admitted) return refused(std::move(verdict));
    auto operation = guarded(run(store_, threads_, where_, room_, std::move(head), body));
    if (verdict.bucket.empty()) return operation;
    return counted(std::move(operation), std::move(verdict));
  }

 private:
  static awaitable<reply> refused(rate_limiter::verdict verdict) {
    reply answer = error_reply(429, {}, "Too many requests: the limit is told in ratelimit-policy");
    tell(verdict, answer);
    co_return answer;
  }

  static awaitable<reply> counted(awaitable<reply> operation, rate_limiter::verdict verdict) {
    reply answer = co_await std::move(operation);
    tell(verdict, answer);
    co_return answer;
  }

  static awaitable<reply> run(std::shared_ptr<hub_store> store, pools threads, endpoints where,
                              std::shared_ptr<memory_room> room, request_head head,
                              request_body& body) {
    auto what = std::make_shared<call>();
    const route to = find_route(head, *what);
    find_endpoints(*store, where, *what);
    if (to.body_limit > 0 && head.content_length.value_or(0) > to.body_limit) throw too_large();
    if (to.admission != nullptr) {
      auto admit = [store, what, admission = to.admission] { return admission(*store, *what); };
      co_await io::on_pool(threads.reading, std::move(admit));
    }
    memory_share share(std::move(room));
    std::shared_ptr<spooled_body> spool;
    if (to.body == body_use::memory) co_await read_to_memory(body, what, to.body_limit, share);
    if (to.body == body_use::file) {
      spool = co_await read_to_file(store, threads.reading, body, to.body_limit);
      what->body_file = spool->file.path();
    }
    auto work = [store, what, spool, handler = to.handler] { return handler(*store, *what); };
    const auto pool = to.writes ? threads.writing : threads.reading;
    co_return co_await io::on_pool(pool, std::move(work));
  }

  std::shared_ptr<hub_store> store_;
  pools threads_;
  endpoints where_;
  std::shared_ptr<rate_limiter> limiter_;
  std::shared_ptr<memory_room> room_ = std::make_shared<memory_room>();
};

}  // namespace

std::shared_ptr<request_handler> make_api_handler(std::shared_ptr<hub_store> store, pools threads,
                                                  endpoints where,
                                                  std::shared_ptr<rate_limiter> limiter) {
  return std::make_shared<api_handler>(std::move(store), std::move(threads), std::move(where),
                                       std::move(limiter));
}

}  // namespace cohub::server
