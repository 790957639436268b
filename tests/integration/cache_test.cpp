#include "support/client_fixture.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>
#include <doctest/doctest.h>

using namespace cohub;
using test::client_fixture;
using test::noise;
namespace fs = std::filesystem;

namespace {

constexpr std::size_t large = 20 << 20;  // hashed in pieces

struct fixture : client_fixture {
  fs::path repo = fs::canonical(folder.path()) / "cache" / "models--alice--model";

  cache_info scan() { return run(api->scan_cache_dir()); }

  delete_cache_result execute(const delete_cache_strategy& plan) { return run(api->execute(plan)); }

  folder_verification verify(verify_repo_checksums_options options = {}) {
    return run(api->verify_repo_checksums("alice/model", options));
  }

  fs::path snapshot(const std::string& revision = "main") {
    snapshot_download_options options;
    options.revision = revision;
    return run(api->snapshot_download("alice/model", options));
  }

  /// Two commits, both in the cache; the first without ref.
  std::pair<std::string, std::string> cache_two_commits() {
    const auto first = put_file("alice/model", "config.json", "one").oid;
    put_file("alice/model", "w.bin", noise(12 << 20));
    snapshot(first);
    const auto second = put_file("alice/model", "config.json", "two").oid;
    snapshot();
    return {first, second};
  }

  /// Runs an operation and cancels it after so many handlers; whether it was cancelled.
  template <class T>
  bool cancelled_after(int handlers, awaitable<T> operation) {
    asio::cancellation_signal cancel;
    boost::system::error_code outcome;
    bool done = false;
    asio::co_spawn(context, std::move(operation),
                   asio::bind_cancellation_slot(cancel.slot(), [&](std::exception_ptr e, T) {
                     done = true;
                     try {
                       if (e) std::rethrow_exception(e);
                     } catch (const boost::system::system_error& failure) {
                       outcome = failure.code();
                     }
                   }));
    context.restart();
    for (int i = 0; i < handlers && !done; ++i) context.run_one();
    // From a handler: emitted from outside, the signal would travel on after the operation's end.
    bool told = false;
    asio::post(context, [&] {
      if (!done) cancel.emit(asio::cancellation_type::partial);
      told = true;
    });
    while (!done || !told) {
      if (context.stopped()) context.restart();
      context.run_one();
    }
    if (outcome) CHECK(outcome == asio::error::operation_aborted);
    return static_cast<bool>(outcome);
  }
};

}  // namespace

TEST_CASE_FIXTURE(fixture, "what was downloaded is what a scan tells") {
  const auto [first, second] = cache_two_commits();
  const auto info = scan();
  CHECK(info.warnings.empty());
  CHECK(info.incomplete_files.empty());
  CHECK(info.unlinked_blobs.empty());
  REQUIRE(info.repos.size() == 1);
  const auto& model = info.repos[0];
  CHECK(model.cache_id() == "model/alice/model");
  CHECK(model.repo_path == repo);
  REQUIRE(model.revisions.size() == 2);
  const bool first_is_first = first < second;
  const auto& newer = model.revisions[first_is_first ? 1 : 0];
  const auto& older = model.revisions[first_is_first ? 0 : 1];
  CHECK(newer.commit_hash == second);
  CHECK(newer.refs == std::vector<std::string>{"main"});
  CHECK(older.refs.empty());
  CHECK(newer.files.size() == 3);  // with .gitattributes
  CHECK(newer.size_on_disk > (12u << 20));
}

TEST_CASE_FIXTURE(fixture, "no cache yet is an error of its own") {
  CHECK(failure_of(api->scan_cache_dir()).code() == errc::local_entry_not_found);
  const scan_cache_dir_options options{.cache_dir = folder.path() / "elsewhere"};
  fs::create_directories(options.cache_dir);
  CHECK(run(api->scan_cache_dir(options)).repos.empty());
}

TEST_CASE_FIXTURE(fixture, "a deleted revision leaves the others usable without the Hub") {
  const auto [first, second] = cache_two_commits();
  const auto plan = scan().delete_revisions({first});
  CHECK(plan.expected_freed_size == 3);
  const auto outcome = execute(plan);
  CHECK(outcome.left.empty());
  CHECK(outcome.freed_size == 3);
  download_options cached;
  cached.local_files_only = true;
  CHECK(test::read_all(run(api->download_file("alice/model", "config.json", cached))) == "two");
  CHECK(test::read_all(run(api->download_file("alice/model", "w.bin", cached))).size() == 12 << 20);
  cached.revision = first;
  CHECK(failure_of(api->download_file("alice/model", "config.json", cached)).code() ==
        errc::local_entry_not_found);
  CHECK(scan().warnings.empty());

  const auto all = scan().delete_revisions({"model/alice/model"});
  CHECK(execute(all).deleted == 1);
  CHECK_FALSE(fs::exists(repo));
  snapshot();  // and comes back
  CHECK(scan().repos.size() == 1);
}

TEST_CASE_FIXTURE(fixture, "a plan for a cache that is not there is refused") {
  delete_cache_strategy plan;
  plan.cache_dir = folder.path() / "nothing";
  CHECK(failure_of(api->execute(plan)).code() == errc::local_entry_not_found);
}

TEST_CASE_FIXTURE(fixture, "a download at work is not disturbed, and pruned once it is cancelled") {
  const auto content = noise(large);
  put_file("alice/model", "w.bin", content);
  put_file("alice/model", "config.json", "1");
  run(api->download_file("alice/model", "config.json"));
  hub_fault stall;
  stall.where = hub_fault::listener::content;
  stall.method = "GET";
  stall.times = 0;
  stall.stall_after_bytes = 1000;
  hub->inject(stall);

  asio::cancellation_signal cancel;
  bool done = false;
  asio::co_spawn(context, api->download_file("alice/model", "w.bin"),
                 asio::bind_cancellation_slot(cancel.slot(),
                                              [&](std::exception_ptr, fs::path) { done = true; }));
  const auto under_way = [&] {
    for (const auto& entry : fs::directory_iterator(repo / "blobs"))
      if (entry.path().extension() == ".partial") return true;
    return false;
  };
  while (!under_way()) context.run_one();
  auto info = scan();
  CHECK_FALSE(info.incomplete_files.empty());
  const auto pruned = execute(info.prune());
  CHECK(pruned.left.size() == info.incomplete_files.size());
  for (const auto& left : pruned.left) CHECK(left.in_use);
  const auto removed = execute(info.delete_revisions({"model/alice/model"}));
  CHECK(removed.deleted == 0);
  CHECK(under_way());
  REQUIRE_FALSE(done);
  CHECK(scan().warnings.empty());
  const auto emptied = scan();
  for (const auto& revision : emptied.repos.at(0).revisions) CHECK(revision.files.empty());

  asio::post(context, [&] { cancel.emit(asio::cancellation_type::partial); });
  while (!done) context.run_one();
  info = scan();
  CHECK(info.warnings.empty());
  CHECK_FALSE(info.incomplete_files.empty());
  const auto outcome = execute(info.prune());
  CHECK(outcome.left.empty());
  CHECK_FALSE(fs::exists(repo));

  hub->clear_faults();
  CHECK(test::read_all(run(api->download_file("alice/model", "w.bin"))) == content);
}

TEST_CASE_FIXTURE(fixture, "verifying finds what differs, what is missing and what is extra") {
  put_file("alice/model", "config.json", "regular");
  put_file("alice/model", "empty", "");
  put_file("alice/model", "sub/gone.txt", "1");
  const auto commit = put_file("alice/model", "w.bin", noise(large)).oid;
  const auto there = snapshot();

  const auto good = verify();
  CHECK(good.revision == commit);
  CHECK(good.verified_path == there);
  CHECK(good.checked_count == 5);
  CHECK(good.mismatches.empty());
  CHECK(good.missing_paths.empty());
  CHECK(good.extra_paths.empty());

  auto damaged = noise(large);
  damaged[15 << 20] ^= 1;
  test::write_all(fs::canonical(there / "w.bin"), damaged);
  test::write_all(fs::canonical(there / "config.json"), "irregular");
  fs::remove(there / "sub/gone.txt");
  test::write_all(there / "mine.txt", "1");
  const auto bad = verify();
  CHECK(bad.checked_count == 4);
  CHECK(bad.missing_paths == std::vector<std::string>{"sub/gone.txt"});
  CHECK(bad.extra_paths == std::vector<std::string>{"mine.txt"});
  REQUIRE(bad.mismatches.size() == 2);
  CHECK(bad.mismatches[0].path == "config.json");
  CHECK(bad.mismatches[0].algorithm == "git-sha1");
  CHECK(bad.mismatches[0].expected != bad.mismatches[0].actual);
  CHECK(bad.mismatches[0].actual.size() == 40);
  CHECK(bad.mismatches[1].path == "w.bin");
  CHECK(bad.mismatches[1].algorithm == "sha256");
  CHECK(bad.mismatches[1].actual.size() == 64);
}

TEST_CASE_FIXTURE(fixture, "a local folder is verified without its bookkeeping") {
  put_file("alice/model", "config.json", "1");
  put_file("alice/model", "w.bin", noise(12 << 20));
  snapshot_download_options to;
  to.local_dir = folder.path() / "here";
  run(api->snapshot_download("alice/model", to));
  REQUIRE(fs::exists(to.local_dir / ".cache/huggingface"));
  verify_repo_checksums_options options;
  options.local_dir = to.local_dir;
  auto outcome = verify(options);
  CHECK(outcome.revision == "main");
  CHECK(outcome.checked_count == 3);
  CHECK(outcome.mismatches.empty());
  CHECK(outcome.extra_paths.empty());
  test::write_all(to.local_dir / ".cache/other", "1");
  test::write_all(to.local_dir / "config.json", "2");
  outcome = verify(options);
  CHECK(outcome.extra_paths == std::vector<std::string>{".cache/other"});
  CHECK(outcome.mismatches.size() == 1);
}

TEST_CASE_FIXTURE(fixture, "which snapshot is verified") {
  const auto [first, second] = cache_two_commits();
  CHECK(verify().revision == second);
  verify_repo_checksums_options options;
  options.revision = first;
  CHECK(verify(options).revision == first);
  fs::remove(repo / "refs/main");
  CHECK(failure_of(api->verify_repo_checksums("alice/model")).code() ==
        errc::local_entry_not_found);  // there are two
  fs::remove_all(repo / "snapshots" / second);
  CHECK(verify().revision == first);
  options.revision = "v1";
  CHECK(failure_of(api->verify_repo_checksums("alice/model", options)).code() ==
        errc::local_entry_not_found);
  options.local_dir = folder.path();
  options.cache_dir = folder.path();
  CHECK(failure_of(api->verify_repo_checksums("alice/model", options)).code() ==
        errc::invalid_argument);
  CHECK(failure_of(api->verify_repo_checksums("alice/other")).code() ==
        errc::local_entry_not_found);
}

TEST_CASE_FIXTURE(fixture, "looking at the cache, verifying and deleting stop when they are told") {
  cache_two_commits();
  int scans = 0;
  int verifications = 0;
  for (int handlers = 0; handlers < 60; ++handlers) {
    scans += cancelled_after(handlers, api->scan_cache_dir());
    verifications += cancelled_after(handlers, api->verify_repo_checksums("alice/model"));
  }
  CHECK(scans > 0);  // the work is short: some of them end first
  CHECK(verifications > 0);
  for (int handlers = 0; handlers < 30; ++handlers) {
    const auto plan = scan().delete_revisions({"model/alice/model"});
    cancelled_after(handlers, api->execute(plan));
    CHECK(scan().warnings.empty());
    execute(scan().prune());
    CHECK(scan().unlinked_blobs.empty());
    snapshot();
  }
}
