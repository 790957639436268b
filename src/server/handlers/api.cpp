#include "server/handlers/api.hpp"

#include "io/for_each_bounded.hpp"
#include "io/on_pool.hpp"
#include "server/error_reply.hpp"
#include "server/failure.hpp"
#include "server/guarded.hpp"
#include "server/handlers/call.hpp"
#include "server/handlers/permissions.hpp"
#include "server/handlers/route_table.hpp"
#include "server/memory_room.hpp"

#include <algorithm>
#include <exception>
#include <initializer_list>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace cohub::server {

namespace {

constexpr std::size_t body_piece = 1u << 20;

constexpr std::string_view digits = "0123456789";
constexpr std::string_view letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";

/// A Host header's name or address, without the port.
std::string_view host_name(std::string_view host) {
  const auto end = host.starts_with('[') ? host.find(']') + 1 : host.find(':');
  return host.substr(0, end);
}

bool consists_of(std::string_view text, std::initializer_list<std::string_view> characters) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [&](char c) {
    return std::any_of(characters.begin(), characters.end(),
                       [&](std::string_view some) { return some.find(c) != some.npos; });
  });
}

/// A name or an address in brackets, and maybe a port: links are made of it.
bool is_host(std::string_view text) {
  constexpr std::size_t longest = 300;
  if (text.size() > longest) return false;
  auto name = host_name(text);
  auto port = text.substr(name.size());
  if (!port.empty() && (port.front() != ':' || !consists_of(port.substr(1), {digits})))
    return false;
  if (!name.starts_with('[')) return consists_of(name, {letters, digits, ".-_"});
  return consists_of(name.substr(1, name.size() - 2), {"abcdefABCDEF", digits, ":."});
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

/// A body on its way to its consumer: the pool works on one piece while the next one arrives.
struct body_relay {
  std::shared_ptr<body_consumer> consumer;
  std::shared_ptr<std::string> arriving = std::make_shared<std::string>();
  std::shared_ptr<std::string> arrived = std::make_shared<std::string>();
  std::exception_ptr refused{};
};

awaitable<void> receive_piece(request_body& body, std::shared_ptr<std::string> piece) {
  piece->resize(body_piece);
  std::size_t filled = 0;
  while (filled < body_piece) {
    const auto room = std::as_writable_bytes(std::span(*piece)).subspan(filled);
    const std::size_t count = co_await body.read_some(room);
    if (count == 0) break;
    filled += count;
  }
  piece->resize(filled);
}

/// Whoever is refused half-way is let send the rest: most clients listen only then.
awaitable<void> pass_on(asio::any_io_executor pool, body_relay& relay) {
  if (relay.refused || relay.arrived->empty()) co_return;
  auto take = [consumer = relay.consumer, piece = relay.arrived] { consumer->take(*piece); };
  try {
    co_await io::on_pool(pool, std::move(take));
  } catch (...) {
    relay.refused = std::current_exception();
  }
}

// Body and share are lent by the caller, who awaits in the scope that owns them.
awaitable<reply> consume(asio::any_io_executor pool, std::shared_ptr<body_consumer> consumer,
                         request_body& body, std::uint64_t limit, memory_share& share) {
  body_relay relay{std::move(consumer)};
  const auto step = [&](std::size_t i) {
    return i == 0 ? receive_piece(body, relay.arriving) : pass_on(pool, relay);
  };
  std::uint64_t size = 0;
  do {
    co_await io::for_each_bounded(2, 2, step);
    std::swap(relay.arriving, relay.arrived);
    size += relay.arrived->size();
    if (size > limit) throw too_large();
    share.resize(2 * body_piece + relay.consumer->memory());
  } while (!relay.arrived->empty());
  if (relay.refused) std::rethrow_exception(relay.refused);
  auto finish = [consumer = relay.consumer] { return consumer->finish(); };
  co_return co_await io::on_pool(pool, std::move(finish));
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
        limiter_(std::move(limiter)) {
    room_->left += 4 * static_cast<std::size_t>(store_->config.lfs_threshold);  // of git's files
  }

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
    const auto share = std::make_shared<memory_share>(std::move(room));
    const auto pool = to.writes ? threads.writing : threads.reading;
    if (to.consumer != nullptr) {
      share->take(2 * body_piece);
      auto make = [store, what, consumer = to.consumer] {
        return std::shared_ptr<body_consumer>(consumer(*store, *what));
      };
      auto consumer = co_await io::on_pool(threads.reading, std::move(make));
      co_return co_await consume(pool, std::move(consumer), body, to.body_limit, *share);
    }
    if (to.admission != nullptr) {
      auto admit = [store, what, admission = to.admission] { return admission(*store, *what); };
      co_await io::on_pool(threads.reading, std::move(admit));
    }
    if (to.body_limit > 0) co_await read_to_memory(body, what, to.body_limit, *share);
    auto work = [store, what, handler = to.handler] { return handler(*store, *what); };
    reply answer = co_await io::on_pool(pool, std::move(work));
    share->resize(memory_of(answer));
    answer.room = share;  // until it is sent
    co_return answer;
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
