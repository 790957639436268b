#include "support/client_fixture.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <doctest/doctest.h>

#include <algorithm>
#include <atomic>
#include <limits>
#include <set>

using namespace cohub;
namespace asio = boost::asio;

namespace {

constexpr std::uint64_t part = 100'000;

local_hub_config in_parts() {
  local_hub_config config;
  config.part_size = part;
  return config;
}

/// Counts what is hashed and remembers events.
class recorder final : public observer {
 public:
  void on_progress(const transfer_progress& progress) override {
    if (progress.way == transfer_progress::direction::hash) ++hashed;
    if (progress.way == transfer_progress::direction::upload) last = progress;
  }
  void on_event(const transfer_event& event) override { events.insert(event.what); }
  std::atomic<int> hashed{0};
  transfer_progress last{};
  std::multiset<transfer_event::kind> events{};
};

struct parts_fixture : test::client_fixture {
  parts_fixture() : test::client_fixture(in_parts()) {
    run(api->create_repo("alice/m"));
    file = folder.path() / "w.bin";
    test::write_all(file, content);
    seen = std::make_shared<recorder>();
  }

  commit_info upload() {
    upload_file_options options;
    options.observer = seen;
    return run(api->upload_file(file, "w.bin", "alice/m", options));
  }
  /// Another process, as far as anything on disk tells.
  void begin_anew() {
    // What is still in the sockets belongs to the old one.
    while (context.poll() > 0) {
    }
    seen = std::make_shared<recorder>();
    hub->clear_faults();
    hub->clear_requests();
    connect();
  }
  std::size_t parts_sent() const {
    std::size_t count = 0;
    for (const auto& request : hub->requests())
      if (request.method == "PUT" && request.status == 200) ++count;
    return count;
  }
  std::size_t completions() const {
    const auto requests = hub->requests();
    return static_cast<std::size_t>(std::count_if(
        requests.begin(), requests.end(),
        [](const hub_request& each) { return each.content && each.method == "POST"; }));
  }
  void check_whole() {
    CHECK(test::read_all(run(api->download_file("alice/m", "w.bin"))) == content);
  }
  /// Parts that are noted on disk.
  std::size_t parts_noted() const {
    std::size_t lines = 0;
    const auto state = folder.path() / "uploads" / "parts";
    if (!std::filesystem::exists(state)) return 0;
    for (const auto& entry : std::filesystem::directory_iterator(state)) {
      const auto text = test::read_all(entry.path());
      lines += static_cast<std::size_t>(std::count(text.begin(), text.end(), '\n'));
    }
    return lines < 2 ? 0 : lines - 2;  // what it is, and the plan
  }
  /// An upload that ends when so many parts are there, as by a kill.
  void stop_after(std::size_t parts) {
    hub_fault never;
    never.method = "PUT";
    never.skip = parts - parts_noted();
    never.times = 0;
    never.stall = true;
    hub->inject(never);
    asio::cancellation_signal cancel;
    bool ended = false;
    upload_file_options options;
    options.observer = seen;
    asio::co_spawn(context, api->upload_file(file, "w.bin", "alice/m", options),
                   asio::bind_cancellation_slot(
                       cancel.slot(), [&](std::exception_ptr failure, const commit_info&) {
                         ended = true;
                         CHECK(failure);
                       }));
    while (parts_noted() < parts) context.run_one();
    cancel.emit(asio::cancellation_type::terminal);
    while (!ended) context.run_one();
  }

  std::string content = test::noise(1'050'000);
  std::filesystem::path file;
  std::shared_ptr<recorder> seen;
};

}  // namespace

TEST_CASE_FIXTURE(parts_fixture,
                  "a large file goes in parts, and is the object that it should be") {
  upload();
  CHECK(parts_sent() == 11);
  CHECK(completions() == 1);
  CHECK(seen->last.bytes_done == content.size());
  for (const auto& request : hub->requests())
    if (request.content) CHECK_FALSE(request.authorized);
  check_whole();
}

TEST_CASE_FIXTURE(parts_fixture, "the next process sends what is missing, and hashes nothing") {
  test::let_files_settle();
  stop_after(4);
  CHECK(seen->hashed > 0);
  begin_anew();
  upload();
  CHECK(seen->hashed == 0);
  CHECK(seen->events.count(transfer_event::kind::resumed) == 1);
  CHECK(parts_sent() == 7);
  CHECK(seen->last.bytes_done == content.size());
  check_whole();
}

TEST_CASE_FIXTURE(parts_fixture, "an upload goes on after any number of stops") {
  for (const std::size_t parts : {2u, 5u, 9u}) {
    stop_after(parts);
    begin_anew();
  }
  upload();
  CHECK(parts_sent() == 2);
  check_whole();
}

TEST_CASE_FIXTURE(parts_fixture, "a file that was changed meanwhile is sent anew") {
  test::let_files_settle();
  stop_after(4);
  content[5] = static_cast<char>(content[5] ^ 1);
  test::write_all(file, content);
  begin_anew();
  upload();
  CHECK(seen->hashed > 0);
  CHECK(parts_sent() == 11);
  check_whole();
}

TEST_CASE_FIXTURE(parts_fixture, "addresses that have expired are asked for again") {
  client_settings.retries.attempts = 1;
  connect();
  hub_fault expired;
  expired.method = "PUT";
  expired.status = 403;
  expired.skip = 5;
  expired.times = 3;
  hub->inject(expired);
  upload();
  CHECK(hub->count_requests("/info/lfs/objects/batch") == 2);
  CHECK(seen->last.bytes_done == content.size());
  check_whole();
}

TEST_CASE_FIXTURE(parts_fixture, "addresses of an earlier process that have expired are renewed") {
  stop_after(4);
  begin_anew();
  hub->expire_urls();
  upload();
  CHECK(parts_sent() == 7);
  check_whole();
}

TEST_CASE_FIXTURE(parts_fixture, "an upload that takes longer than its addresses live ends") {
  std::optional<commit_info> done;
  asio::co_spawn(context, api->upload_file(file, "w.bin", "alice/m"),
                 [&](std::exception_ptr failure, commit_info info) {
                   CHECK_FALSE(failure);
                   done = std::move(info);
                 });
  std::size_t sent = 0;
  while (!done) {
    context.run_one();
    if (parts_sent() < sent + 2) continue;
    sent = parts_sent();
    hub->expire_urls();
  }
  CHECK(parts_sent() >= 11);
  CHECK(parts_sent() < 22);
  check_whole();
  const auto open = folder.path() / "hub" / "uploads";
  CHECK((!std::filesystem::exists(open) || std::filesystem::is_empty(open)));
}

TEST_CASE_FIXTURE(parts_fixture, "a part that is refused while all others are on their way") {
  content.resize(8 * part);
  test::write_all(file, content);
  hub_fault expired;
  expired.method = "PUT";
  expired.status = 403;
  SUBCASE("the first") {}
  SUBCASE("the last") { expired.skip = 7; }
  hub->inject(expired);
  upload();
  CHECK(hub->count_requests("/info/lfs/objects/batch") == 2);
  CHECK(seen->last.bytes_done == content.size());
  check_whole();
}

TEST_CASE_FIXTURE(parts_fixture, "an address of the completion that has expired costs no parts") {
  hub_fault expired;
  expired.method = "POST";
  expired.where = hub_fault::listener::content;
  SUBCASE("401") { expired.status = 401; }
  SUBCASE("403") { expired.status = 403; }
  SUBCASE("410") { expired.status = 410; }
  hub->inject(expired);
  upload();
  CHECK(parts_sent() == 11);
  CHECK(completions() == 2);
  CHECK(hub->count_requests("/info/lfs/objects/batch") == 2);
  check_whole();
}

TEST_CASE_FIXTURE(parts_fixture, "a completion that is refused for ever is an error") {
  hub_fault refusing;
  refusing.method = "POST";
  refusing.where = hub_fault::listener::content;
  refusing.status = 403;
  refusing.times = 0;
  hub->inject(refusing);
  CHECK(failure_of(api->upload_file(file, "w.bin", "alice/m")).http().status == 403);
  CHECK(parts_sent() == 22);
}

TEST_CASE_FIXTURE(parts_fixture, "what is noted of an object that came by another way is removed") {
  stop_after(4);
  begin_anew();
  auto elsewhere = client_settings;
  elsewhere.upload_state_dir = folder.path() / "elsewhere";
  client other(context.get_executor(), elsewhere);
  run(other.upload_file(file, "other.bin", "alice/m"));
  hub->clear_requests();
  upload();
  CHECK(parts_sent() == 0);
  CHECK(seen->events.count(transfer_event::kind::already_present) == 1);
  CHECK(std::filesystem::is_empty(folder.path() / "uploads" / "parts"));
}

TEST_CASE_FIXTURE(parts_fixture, "a store that refuses for good is not asked for ever") {
  hub_fault refusing;
  refusing.method = "PUT";
  refusing.status = 403;
  refusing.times = 0;
  hub->inject(refusing);
  const auto failure = failure_of(api->upload_file(file, "w.bin", "alice/m"));
  CHECK(failure.http().status == 403);
  CHECK(hub->count_requests("/info/lfs/objects/batch") == 2);
}

TEST_CASE_FIXTURE(parts_fixture, "a part that is cut off half-way is sent again") {
  hub_fault cut;
  cut.method = "PUT";
  cut.drop_request_after_bytes = 50'000;
  cut.times = 2;
  hub->inject(cut);
  upload();
  CHECK(parts_sent() == 11);
  CHECK(seen->last.bytes_done == content.size());
  check_whole();
}

TEST_CASE_FIXTURE(parts_fixture,
                  "a completion that fails, or whose answer is lost, is asked again") {
  hub_fault failing;
  failing.method = "POST";
  failing.where = hub_fault::listener::content;
  SUBCASE("500") { failing.status = 500; }
  SUBCASE("lost") { failing.lose_answer = true; }
  SUBCASE("409: a part is still being written") { failing.status = 409; }
  hub->inject(failing);
  upload();
  CHECK(parts_sent() == 11);
  CHECK(completions() == 2);
  check_whole();
}

TEST_CASE_FIXTURE(parts_fixture, "a store that takes its time to make the object is waited for") {
  hub_fault at_it;
  at_it.method = "POST";
  at_it.where = hub_fault::listener::content;
  at_it.status = 409;
  SUBCASE("longer than a request is tried") {
    at_it.times = 10;
    hub->inject(at_it);
    upload();
    CHECK(completions() == 11);
  }
  SUBCASE("by the next process") {
    at_it.times = 0;
    hub->inject(at_it);
    CHECK(failure_of(api->upload_file(file, "w.bin", "alice/m")).http().status == 409);
    CHECK(parts_sent() == 11);
    begin_anew();
    upload();
    CHECK(parts_sent() == 0);
  }
  check_whole();
}

TEST_CASE_FIXTURE(parts_fixture, "a completion may take as long as a commit") {
  client_settings.timeouts.first_byte = std::chrono::milliseconds(200);
  connect();
  hub_fault slow;
  slow.method = "POST";
  slow.where = hub_fault::listener::content;
  slow.delay = std::chrono::milliseconds(500);
  slow.times = 0;
  hub->inject(slow);
  upload();
  CHECK(completions() == 1);
  check_whole();
}

TEST_CASE_FIXTURE(parts_fixture, "an object whose completion is not heard of may be there") {
  client_settings.retries.attempts = 1;
  connect();
  hub_fault failing;
  failing.method = "POST";
  failing.where = hub_fault::listener::content;
  SUBCASE("it is") {
    failing.lose_answer = true;
    failing.times = 0;
    hub->inject(failing);
    upload();
    check_whole();
    CHECK(std::filesystem::is_empty(folder.path() / "uploads" / "parts"));
    CHECK(hub->count_requests("/info/lfs/verify", "POST") == 1);
  }
  SUBCASE("it is, and the store knows of no upload any more") {
    failing.lose_answer = true;
    failing.times = 1;
    hub->inject(failing);
    hub_fault unknown = failing;
    unknown.lose_answer = false;
    unknown.status = 404;
    unknown.times = 0;
    client_settings.retries.attempts = 3;
    connect();
    hub->inject(unknown);
    upload();
    check_whole();
    CHECK(hub->count_requests("/info/lfs/verify", "POST") == 1);
  }
  SUBCASE("it is not") {
    failing.status = 504;
    hub->inject(failing);
    CHECK(failure_of(api->upload_file(file, "w.bin", "alice/m")).http().status == 504);
    CHECK(parts_noted() == 11);
  }
  CHECK(hub->count_requests("/info/lfs/objects/batch") == 2);
}

TEST_CASE_FIXTURE(parts_fixture, "two commits with the same large file send it once") {
  int going = 0;
  for (const char* path : {"w.bin", "copy.bin"}) {
    ++going;
    asio::co_spawn(context, api->upload_file(file, path, "alice/m"),
                   [&](std::exception_ptr failure, const commit_info&) {
                     --going;
                     CHECK_FALSE(failure);
                   });
  }
  while (going > 0) context.run_one();
  CHECK(parts_sent() == 11);
  CHECK(completions() == 1);
  check_whole();
  CHECK(run(api->file_exists("alice/m", "copy.bin")));
}

TEST_CASE_FIXTURE(parts_fixture, "what another commit stopped sending is sent on") {
  hub_fault never;
  never.method = "PUT";
  never.skip = 3;
  never.times = 0;
  never.stall = true;
  hub->inject(never);
  asio::cancellation_signal cancel;
  bool stopped = false;
  asio::co_spawn(context, api->upload_file(file, "w.bin", "alice/m"),
                 asio::bind_cancellation_slot(cancel.slot(),
                                              [&](std::exception_ptr failure, const commit_info&) {
                                                stopped = true;
                                                CHECK(failure);
                                              }));
  while (parts_noted() < 3) context.run_one();
  bool done = false;
  asio::co_spawn(context, api->upload_file(file, "copy.bin", "alice/m"),
                 [&](std::exception_ptr failure, const commit_info&) {
                   done = true;
                   CHECK_FALSE(failure);
                 });
  while (hub->count_requests("/preupload/") < 2) context.run_one();
  hub->clear_faults();
  cancel.emit(asio::cancellation_type::terminal);
  while (!stopped || !done) context.run_one();
  CHECK(parts_sent() == 11);
  CHECK(test::read_all(run(api->download_file("alice/m", "copy.bin"))) == content);
}

TEST_CASE_FIXTURE(parts_fixture, "any number may be sent and hashed at once") {
  upload_file_options options;
  options.num_threads = options.num_hash_threads = std::numeric_limits<std::size_t>::max();
  run(api->upload_file(file, "w.bin", "alice/m", options));
  check_whole();
}

TEST_CASE_FIXTURE(parts_fixture, "parts that the store has lost are sent again, once") {
  hub_fault refusing;
  refusing.method = "POST";
  refusing.where = hub_fault::listener::content;
  refusing.status = 404;
  SUBCASE("once") {
    hub->inject(refusing);
    upload();
    CHECK(parts_sent() == 22);
    check_whole();
  }
  SUBCASE("for ever") {
    refusing.times = 0;
    hub->inject(refusing);
    CHECK(failure_of(api->upload_file(file, "w.bin", "alice/m")).http().status == 404);
    CHECK(parts_sent() == 22);
  }
}

TEST_CASE_FIXTURE(parts_fixture, "a part without an ETag is an error") {
  hub_fault silent;
  silent.method = "PUT";
  silent.headers.emplace_back("ETag", "");
  hub->inject(silent);
  CHECK(failure_of(api->upload_file(file, "w.bin", "alice/m")).code() == errc::invalid_response);
}

TEST_CASE_FIXTURE(parts_fixture, "what the Hub has is not sent again by a commit that is retried") {
  hub_fault failing;
  failing.path_part = "/commit/";
  failing.status = 400;
  hub->inject(failing);
  CHECK(failure_of(api->upload_file(file, "w.bin", "alice/m")).code() == errc::bad_request);
  begin_anew();
  upload();
  CHECK(parts_sent() == 0);
  CHECK(seen->events.count(transfer_event::kind::already_present) == 1);
  check_whole();
}

TEST_CASE_FIXTURE(parts_fixture, "a token that is revoked in the middle is a typed error") {
  hub_fault revoked;
  revoked.path_part = "/info/lfs/objects/batch";
  revoked.status = 401;
  hub->inject(revoked);
  const auto failure = failure_of(api->upload_file(file, "w.bin", "alice/m"));
  CHECK(failure.code() == errc::unauthorized);
  CHECK(std::string(failure.what()).find(token) == std::string::npos);
}

TEST_CASE_FIXTURE(parts_fixture, "the Hub may ask to wait before a part") {
  hub_fault busy;
  busy.method = "PUT";
  busy.status = 429;
  busy.headers.emplace_back("Retry-After", "0");
  hub->inject(busy);
  upload();
  CHECK(parts_sent() == 11);
  check_whole();
}

TEST_CASE_FIXTURE(parts_fixture, "the Hub may ask to wait before a completion") {
  hub_fault busy;
  busy.method = "POST";
  busy.where = hub_fault::listener::content;
  busy.status = 429;
  busy.headers.emplace_back("Retry-After", "0");
  hub->inject(busy);
  upload();
  CHECK(parts_sent() == 11);
  CHECK(completions() == 2);
  check_whole();
}

TEST_CASE_FIXTURE(parts_fixture,
                  "a token that is revoked before other addresses is a typed error") {
  client_settings.retries.attempts = 1;
  connect();
  hub_fault expired;
  expired.method = "PUT";
  expired.status = 403;
  expired.skip = 5;
  hub->inject(expired);
  hub_fault revoked;
  revoked.path_part = "/info/lfs/objects/batch";
  revoked.status = 401;
  revoked.skip = 1;
  hub->inject(revoked);
  CHECK(failure_of(api->upload_file(file, "w.bin", "alice/m")).code() == errc::unauthorized);
  // The parts that are there are not lost.
  const auto noted = parts_noted();
  begin_anew();
  upload();
  CHECK(parts_sent() == 11 - noted);
  check_whole();
}

TEST_CASE_FIXTURE(parts_fixture,
                  "what fails by older addresses concerns nobody where newer ones work") {
  client_settings.retries.attempts = 1;
  connect();
  hub_fault late;
  late.method = "PUT";
  late.status = 500;
  late.delay = std::chrono::milliseconds(300);
  hub->inject(late);
  hub_fault expired;
  expired.method = "PUT";
  expired.status = 403;
  hub->inject(expired);
  upload();
  CHECK(hub->count_requests("/info/lfs/objects/batch") == 2);
  CHECK(seen->last.bytes_done == content.size());
  check_whole();
}
