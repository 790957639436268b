#include "commit_text.hpp"
#include "hub_caller.hpp"
#include "server/handlers/api.hpp"
#include "server/memory_room.hpp"
#include "server/wire/pace_meter.hpp"
#include "server/wire/reply_writer.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/connect.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/thread_pool.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <doctest/doctest.h>

#include <sys/resource.h>

#include <exception>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

using namespace cohub;
using namespace cohub::test;
using method = cohub::http::method;

namespace {

/// Nobody reads what is written to it.
class stuck final : public http::stream {
 public:
  explicit stuck(asio::any_io_executor executor) : timer_(std::move(executor)) {}
  std::optional<std::size_t> try_read_some(std::span<std::byte>) override { return 0; }
  awaitable<void> wait_readable() override { co_return; }
  awaitable<void> write(std::span<const std::byte>) override {
    timer_.expires_at(std::chrono::steady_clock::time_point::max());
    co_await timer_.async_wait(asio::use_awaitable);
  }
  void set_read_mark(std::size_t) noexcept override {}
  void set_silence_limit(std::chrono::milliseconds) override {}
  bool is_quiet() override { return true; }
  void close() noexcept override { timer_.cancel(); }

 private:
  asio::steady_timer timer_;
};

class empty_body final : public server::request_body {
 public:
  awaitable<std::size_t> read_some(std::span<std::byte>) override {
    read = true;
    co_return 0;
  }
  bool read = false;
};

awaitable<void> wait_until_read(const empty_body& body) {
  const auto executor = co_await asio::this_coro::executor;
  while (!body.read) co_await asio::post(executor, asio::use_awaitable);
}

server::request_head head_of(const std::string& verb, const std::string& target,
                             const std::string& token) {
  server::request_head head;
  head.method = verb;
  head.target = target;
  head.headers.set("Authorization", "Bearer " + token);
  return head;
}

/// So many descriptors for this process, as long as it lives.
class few_descriptors {
 public:
  explicit few_descriptors(rlim_t count) {
    ::getrlimit(RLIMIT_NOFILE, &before_);
    struct rlimit now = before_;
    now.rlim_cur = count;
    ::setrlimit(RLIMIT_NOFILE, &now);
  }
  few_descriptors(few_descriptors&&) = delete;
  ~few_descriptors() { ::setrlimit(RLIMIT_NOFILE, &before_); }

 private:
  struct rlimit before_ {};
};

awaitable<std::vector<asio::ip::tcp::socket>> connect_often(std::uint16_t port, int count) {
  const auto executor = co_await asio::this_coro::executor;
  const asio::ip::tcp::endpoint where(asio::ip::address_v4::loopback(), port);
  std::vector<asio::ip::tcp::socket> sockets;
  for (int i = 0; i < count; ++i) {
    sockets.emplace_back(executor);
    sockets.back().open(where.protocol());
    sockets.back().set_option(asio::socket_base::receive_buffer_size(4096));
    co_await sockets.back().async_connect(where, asio::use_awaitable);
  }
  co_return sockets;
}

/// Asks for the same on each, and reads nothing of what is answered.
awaitable<void> ask_and_wait(std::vector<asio::ip::tcp::socket>* sockets, std::string target) {
  const std::string head = "GET " + target + " HTTP/1.1\r\nHost: x\r\n\r\n";
  for (auto& socket : *sockets)
    co_await asio::async_write(socket, asio::buffer(head), asio::use_awaitable);
}

/// A request on each, of whose body nothing comes.
awaitable<void> begin_requests(std::vector<asio::ip::tcp::socket>* sockets) {
  static const std::string head =
      "POST /api/validate-yaml HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n";
  for (auto& socket : *sockets)
    co_await asio::async_write(socket, asio::buffer(head), asio::use_awaitable);
}

}  // namespace

TEST_CASE("all bodies in memory share one room") {
  const auto room = std::make_shared<server::memory_room>();
  room->left = 10;
  server::memory_share first(room);
  first.take(6);
  {
    server::memory_share second(room);
    second.take(4);
    try {
      first.take(1);
      FAIL("there is room beyond the room");
    } catch (const server::failure& problem) {
      CHECK(problem.status() == 503);
      CHECK(problem.headers().get("Retry-After") == "1");
    }
  }
  first.take(4);
  CHECK(room->left == 0);
  first.resize(3);
  CHECK(room->left == 7);
  first.resize(10);
  CHECK_THROWS_AS(first.resize(11), server::failure);
}

TEST_CASE("an answer that nobody takes is given up") {
  asio::io_context context(1);
  asio::thread_pool pool(1);
  stuck connection(context.get_executor());
  server::reply answer;
  answer.body = std::string("content");
  server::reply_framing framing;
  framing.idle_limit = std::chrono::milliseconds(5);
  CHECK_THROWS_AS(test::run(context, server::write_reply(connection, pool.get_executor(),
                                                         std::move(answer), std::move(framing))),
                  boost::system::system_error);
}

TEST_CASE("who only reads does not wait behind those who change a repository") {
  temporary_folder folder;
  asio::io_context context(1);
  asio::thread_pool reading(1), writing(1);
  local_hub_config config;
  config.root = folder.path() / "hub";
  const auto store = std::make_shared<server::hub_store>(config);
  const auto token = store->tokens.create("alice", "write").token;
  server::repo_record record;
  record.id = "alice/m";
  REQUIRE(store->repos.create(record));
  const server::pools pools{reading.get_executor(), writing.get_executor()};
  const server::endpoints where;
  const auto handler = server::make_api_handler(store, pools, where, nullptr);

  const auto writer = store->repos.writer(repo_type::model, "alice/m");
  std::unique_lock lock(*writer);
  empty_body of_change;
  std::optional<int> changed;
  asio::co_spawn(context,
                 handler->answer(head_of("POST", "/api/models/alice/m/branch/b", token), of_change),
                 [&](std::exception_ptr, const server::reply& answer) { changed = answer.status; });
  test::run(context, wait_until_read(of_change));
  empty_body of_question;
  const auto answer = test::run(
      context, handler->answer(head_of("GET", "/api/models/alice/m", token), of_question));
  CHECK(answer.status == 200);
  CHECK_FALSE(changed);
  lock.unlock();
  context.restart();
  while (!changed && context.run_one() > 0) {
  }
  CHECK(changed == 200);
}

TEST_CASE("beyond its connections, a Hub closes those that carry no request") {
  const few_descriptors limit(300);
  hub_caller caller;
  const auto port = core::parse_url(caller.hub->content_endpoint()).value().origin.port;
  const auto idle = caller.run(connect_often(port, 80));
  const auto reply = caller.send(method::get, caller.hub->content_endpoint() + "/objects/x", {});
  CHECK(reply.status == 403);
  CHECK(caller.hub->peak_content_connections() == 75);
}

TEST_CASE_FIXTURE(hub_caller, "who may do nothing is refused before the body is read") {
  make_repo("m");
  make_repo("secret", true);
  const struct {
    method verb;
    const char* target;
  } cases[] = {
      {method::post, "/api/models/alice/secret/paths-info/main"},
      {method::post, "/api/models/alice/m/preupload/main"},
      {method::post, "/api/models/alice/m/branch/b"},
      {method::post, "/api/models/alice/m/tag/main"},
      {method::post, "/api/models/alice/m/discussions"},
      {method::post, "/api/models/alice/m/super-squash/main"},
      {method::put, "/api/models/alice/m/settings"},
      {method::post, "/api/repos/create"},
      {method::post, "/api/repos/move"},
      {method::delete_, "/api/repos/delete"},
      {method::post, "/alice/secret.git/info/lfs/objects/batch"},
      {method::post, "/alice/m.git/info/lfs/verify"},
  };
  for (const auto& each : cases) {
    CAPTURE(each.target);
    CHECK(send(each.verb, each.target, {}, "no json").status == 401);
  }
  CHECK(post("/api/validate-yaml", std::string(26u << 20, ' ')).status == 413);
}

TEST_CASE_FIXTURE(hub_caller, "repositories have names that urls can lead to") {
  for (const char* name : {"refs", "discussions", "settings", "lfs-files"}) {
    CAPTURE(name);
    CHECK(post("/api/repos/create", "{\"name\":\"" + std::string(name) + "\"}").status == 400);
  }
  make_repo("m");
  CHECK(post("/api/repos/move", R"({"fromRepo":"alice/m","toRepo":"alice/refs","type":"model"})")
            .status == 400);
  for (const char* name : {"tag", "tree", "xet-test", "resolve", "models"}) {
    CAPTURE(name);
    make_repo(name);
    const std::string id = std::string("alice/") + name;
    CHECK(get("/api/models/" + id).status == 200);
    CHECK(get("/api/models/" + id + "/refs").status == 200);
    CHECK(get("/api/models/" + id + "/tree/main").status == 200);
    CHECK(get("/" + id + "/resolve/main/.gitattributes").status == 200);
  }
}

TEST_CASE("beyond its connections, a Hub closes the one whose request comes most slowly") {
  const few_descriptors limit(300);
  hub_caller caller;
  const auto port = core::parse_url(caller.hub->endpoint()).value().origin.port;
  auto slow = caller.run(connect_often(port, 75));
  caller.run(begin_requests(&slow));
  CHECK(caller.get("/api/whoami-v2").status == 200);
}

TEST_CASE("beyond its connections, a Hub closes the one whose answer is taken most slowly") {
  const few_descriptors limit(300);
  hub_caller caller;
  caller.make_repo("m");
  const std::string content(16u << 20, 'x');
  const auto sha256 = caller.upload_object("alice/m", content);
  CHECK(caller.commit("alice/m", lfs_line("w.bin", sha256, content.size())).status == 200);
  const auto location = caller.head("/alice/m/resolve/main/w.bin").header("Location");
  const auto port = core::parse_url(location).value().origin.port;
  auto idle = caller.run(connect_often(port, 75));
  caller.run(ask_and_wait(&idle, location.substr(caller.hub->content_endpoint().size())));
  http::fields first_byte;
  first_byte.set("Range", "bytes=0-0");
  CHECK(caller.send(method::get, location, {}, {}, first_byte).body == "x");
}

TEST_CASE("the pace of an answer is that of its last pieces") {
  using std::chrono::seconds;
  const server::pace_meter::clock::time_point start{};
  server::pace_meter meter;
  CHECK_FALSE(meter.pace(start));
  meter.begin(start);
  CHECK_FALSE(meter.pace(start));
  CHECK(meter.pace(start + seconds(2)) == 0);
  meter.end(1000, start + seconds(4));
  CHECK_FALSE(meter.pace(start + seconds(9)));
  meter.begin(start + seconds(9));
  CHECK(meter.pace(start + seconds(10)) == 200);
  CHECK(meter.pace(start + seconds(15)) == 100);
  meter.reset();
  CHECK_FALSE(meter.pace(start + seconds(20)));
}
