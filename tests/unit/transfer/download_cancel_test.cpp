#include "cohub/error.hpp"

#include "cache/file_lock.hpp"
#include "download_fixture.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>

#include <array>
#include <chrono>
#include <random>

/// Downloads that are cancelled at any moment, and what they leave behind.

using namespace cohub;
using test::scripted_commit;
using test::scripted_reply;
using test::seen_request;
namespace fs = std::filesystem;

namespace {

struct fixture : test::download_fixture {
  struct caller {
    asio::cancellation_signal cancel;
    bool done = false;
    std::exception_ptr failure;
    fs::path path;

    bool was_cancelled() const {
      try {
        if (failure) std::rethrow_exception(failure);
      } catch (const boost::system::system_error& e) {
        return e.code() == asio::error::operation_aborted;
      }
      return false;
    }
  };

  void start(caller& self, const std::string& path) {
    asio::co_spawn(context, transfer::download_file(shared, "o/m", path, options),
                   asio::bind_cancellation_slot(self.cancel.slot(),
                                                [&self](std::exception_ptr e, fs::path result) {
                                                  self.done = true;
                                                  self.failure = e;
                                                  self.path = std::move(result);
                                                }));
  }
  /// As a server would: from a handler. An emission from outside is put off by Asio, and must not
  /// come after the operation has ended.
  void stop(caller& self) {
    bool emitted = false;
    asio::post(context, [&] {
      if (!self.done) self.cancel.emit(asio::cancellation_type::terminal);
      emitted = true;
    });
    run_until([&] { return emitted; });
  }
  template <class Condition>
  void run_until(Condition reached) {
    const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(30);
    context.restart();
    while (!reached()) {
      REQUIRE(std::chrono::steady_clock::now() < end);
      context.run_one_for(std::chrono::milliseconds(50));
      if (context.stopped()) context.restart();
    }
  }
  /// Lets some handlers run, fewer if nothing more happens.
  void run_some(unsigned handlers) {
    context.restart();
    for (unsigned i = 0; i < handlers; ++i)
      if (context.run_one_for(std::chrono::milliseconds(2)) == 0) break;
  }

  void check_nothing_is_left(const std::string& path) {
    CHECK(shared->flights->size() == 0);
    const auto lock = cached.layout().lock(etag_of(path));
    if (fs::exists(lock)) CHECK(cache::try_lock_file(lock).has_value());
    if (!fs::exists(repo_folder())) return;
    for (const auto& entry : fs::recursive_directory_iterator(repo_folder())) {
      const auto name = entry.path().filename().string();
      CAPTURE(name);
      CHECK_FALSE(name.starts_with(".tmp-"));
      if (name.find(".cohub.") != name.npos)  // the partial that the next call goes on with
        CHECK(name.starts_with(etag_of(path) + ".cohub."));
    }
  }
};

scripted_reply silence() {
  scripted_reply reply;
  reply.after = scripted_reply::then::stall;
  return reply;
}

}  // namespace

TEST_CASE_FIXTURE(fixture,
                  "a download that is cancelled at any moment leaves what can be continued") {
  options.connections = 3;
  std::size_t cancelled = 0;
  for (std::uint32_t seed = 0; seed < 200; ++seed) {
    CAPTURE(seed);
    std::minstd_rand random(seed + 1);
    const std::string path = seed % 4 == 0 ? "config.json" : "big.bin";
    fs::remove_all(shared->cache_dir);
    caller one;
    start(one, path);
    run_some(static_cast<unsigned>(random() % 160));
    if (!one.done) {
      stop(one);
      run_until([&] { return one.done; });
    }
    if (one.failure) CHECK(one.was_cancelled());
    cancelled += one.was_cancelled();
    check_nothing_is_left(path);
    CHECK(shared->transport->open_connections() <= 1 + options.connections);
    if (seed % 8 == 0) CHECK(content(download(path)) == files[path].content);
  }
  CHECK(cancelled > 50);
}

TEST_CASE_FIXTURE(fixture, "waiters that are cancelled at any moment never disturb the others") {
  options.connections = 2;
  for (std::uint32_t seed = 0; seed < 100; ++seed) {
    CAPTURE(seed);
    std::minstd_rand random(seed + 1);
    fs::remove_all(shared->cache_dir);
    std::array<caller, 4> callers;
    std::array<bool, 4> to_cancel{};
    for (auto& one : callers) start(one, "big.bin");
    for (std::size_t i = 0; i < callers.size(); ++i) to_cancel.at(i) = random() % 2 == 0;
    for (std::size_t i = 0; i < callers.size(); ++i) {
      run_some(static_cast<unsigned>(random() % 60));
      auto& one = callers.at(i);
      if (to_cancel.at(i) && !one.done) stop(one);
    }
    run_until([&] {
      return std::all_of(callers.begin(), callers.end(), [](const auto& c) { return c.done; });
    });
    for (std::size_t i = 0; i < callers.size(); ++i) {
      const auto& one = callers.at(i);
      if (!to_cancel.at(i)) CHECK_FALSE(one.failure);
      if (one.failure) CHECK(one.was_cancelled());
      if (!one.failure) CHECK(fs::file_size(one.path) == files["big.bin"].content.size());
    }
    check_nothing_is_left("big.bin");
  }
}

TEST_CASE_FIXTURE(fixture, "a cancelled download returns at once though its peer is silent") {
  std::optional<cache::file_lock> lock;
  std::size_t expected = 0;
  SUBCASE("to the question") {
    api_fault = [](const seen_request&) { return std::optional(silence()); };
    expected = 1;
  }
  SUBCASE("to the request for content") {
    content_fault = [](const seen_request&) { return std::optional(silence()); };
    expected = 2;
  }
  SUBCASE("in the middle of the content") {
    content_fault = [this](const seen_request& request) {
      auto reply = send(request, files["big.bin"].content, "");
      reply.bytes.resize(reply.bytes.size() - 1000);
      reply.after = scripted_reply::then::stall;
      return std::optional(std::move(reply));
    };
    expected = 2;
  }
  SUBCASE("and another process has the lock") {
    cached.prepare();
    lock = cache::try_lock_file(cached.layout().lock(etag_of("big.bin")));
    expected = 1;
  }
  SUBCASE("and the next try is an hour away") {
    shared->retries.base_delay = std::chrono::hours(1);
    shared->retries.max_delay = std::chrono::hours(1);
    content_fault = [](const seen_request&) {
      return std::optional(scripted_reply::text(503, ""));
    };
    expected = 2;
  }
  caller one;
  start(one, "big.bin");
  run_until([&] { return requests() >= expected; });
  run_some(1000);
  REQUIRE_FALSE(one.done);
  const auto begin = std::chrono::steady_clock::now();
  stop(one);
  run_until([&] { return one.done; });
  const auto took = std::chrono::steady_clock::now() - begin;
  CHECK(one.was_cancelled());
  CHECK(took < std::chrono::seconds(5));  // milliseconds; a sanitised build takes longer
  CHECK(shared->transport->open_connections() <= 2);  // idle ones, of each server
  lock.reset();
  check_nothing_is_left("big.bin");
}

namespace {

/// A download whose blocking work is done one handler at a time.
struct by_hand : fixture {
  by_hand() {
    shared->pool = jobs.get_executor();
    answer("HEAD ", 302,
           "X-Repo-Commit: " + scripted_commit + "\r\nX-Linked-Etag: \"" + etag +
               "\"\r\nX-Linked-Size: " + std::to_string(size) +
               "\r\nLocation: " + contents.origin() + "/big.bin\r\n");
  }

  /// Runs so many handlers of the pool, fewer if `one` ends.
  std::size_t work(const caller& one, std::size_t handlers) {
    std::size_t done = 0;
    const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(60);
    while (!one.done && done < handlers) {
      REQUIRE(std::chrono::steady_clock::now() < end);
      context.restart();
      context.poll();
      jobs.restart();
      done += jobs.poll_one();
    }
    return done;
  }
  void put_sparse(const fs::path& path) {
    fs::create_directories(path.parent_path());
    io::file(path, io::file::mode::write_new).truncate(size);
  }
  /// In the middle of the work on the whole file: it ends with the piece at hand.
  void check_cancellation(caller& one) {
    CHECK(work(one, 40) == 40);
    REQUIRE_FALSE(one.done);
    asio::post(context, [&] { one.cancel.emit(asio::cancellation_type::terminal); });
    CHECK(work(one, 20) < 20);
    CHECK(one.was_cancelled());
    CHECK(requests("GET ") == 0);
  }
  std::set<std::string> files_below(const fs::path& root) {
    std::set<std::string> names;
    for (const auto& entry : fs::recursive_directory_iterator(root))
      if (entry.is_regular_file()) names.insert(entry.path().lexically_relative(root).string());
    return names;
  }

  static constexpr std::uint64_t size = 1u << 30;
  const std::string etag = std::string(64, 'e');
  asio::io_context jobs;
};

}  // namespace

TEST_CASE_FIXTURE(by_hand, "hashing a large local file ends with the piece that is being hashed") {
  options.local_dir = folder.path() / "local";
  put_sparse(options.local_dir / "big.bin");
  caller one;
  start(one, "big.bin");
  check_cancellation(one);
  CHECK(fs::file_size(options.local_dir / "big.bin") == size);
  CHECK(files_below(options.local_dir) ==
        std::set<std::string>{"big.bin", ".cache/huggingface/.gitignore",
                              ".cache/huggingface/CACHEDIR.TAG",
                              ".cache/huggingface/download/big.bin.lock"});
}

TEST_CASE_FIXTURE(by_hand, "copying a large file to a local folder ends with the piece at work") {
  options.local_dir = folder.path() / "local";
  put_sparse(repo_folder() / "snapshots" / scripted_commit / "big.bin");
  caller one;
  start(one, "big.bin");
  check_cancellation(one);
  CHECK(files_below(options.local_dir) ==
        std::set<std::string>{".cache/huggingface/.gitignore", ".cache/huggingface/CACHEDIR.TAG",
                              ".cache/huggingface/download/big.bin.lock"});
}

TEST_CASE_FIXTURE(by_hand, "copying a large blob where there are no links ends with the piece") {
  shared->disable_symlinks = true;
  put_sparse(repo_folder() / "blobs" / etag);
  caller one;
  start(one, "big.bin");
  check_cancellation(one);
  CHECK(files_below(repo_folder()) == std::set<std::string>{"blobs/" + etag});
}
