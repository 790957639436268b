#include "cache/deletion.hpp"

#include "cohub/error.hpp"

#include "cache/file_lock.hpp"
#include "cache/layout.hpp"
#include "cache_builder.hpp"

#include <doctest/doctest.h>

#include <sys/file.h>
#include <sys/stat.h>

using namespace cohub;
namespace fs = std::filesystem;

namespace {

struct fixture : test::cache_builder {
  delete_cache_result execute(const delete_cache_strategy& plan) {
    cache::deletion running(plan);
    while (running.step()) {
    }
    return running.result();
  }

  /// What Python calls a corrupted repository, and what it would load and not find.
  void check_valid() {
    const auto info = scan();
    for (const auto& warning : info.warnings)
      FAIL_CHECK(warning.path.string() << ' ' << warning.message);
  }
};

using names = std::set<std::string>;
using paths = std::vector<fs::path>;

}  // namespace

TEST_CASE_FIXTURE(fixture, "a plan says what goes, and touches nothing") {
  put_two_revisions();
  const auto info = scan();
  const auto before = below(root);
  const auto plan = info.delete_revisions({sha('b'), sha('d')});
  CHECK(plan.cache_dir == root);
  CHECK(plan.expected_freed_size == 3);  // the shared blob stays
  CHECK(plan.repos.empty());
  CHECK(plan.snapshots == paths{repo / "snapshots" / sha('b')});
  CHECK(plan.refs == paths{repo / "refs/main", repo / "refs/refs/pr/1"});
  CHECK(plan.blobs == paths{repo / "blobs/e-new"});
  CHECK(plan.not_found == std::vector<std::string>{sha('d')});
  CHECK(below(root) == before);
}

TEST_CASE_FIXTURE(fixture, "a revision that somebody downloads stays, whatever else goes") {
  put_two_revisions();
  const auto locks = root / ".locks" / repo.filename();
  fs::create_directories(locks);
  const auto held = cache::try_share_file(locks / cache::snapshot_lock_name(sha('b')));
  REQUIRE(held.has_value());
  const auto before = below(repo / "snapshots" / sha('b'));
  delete_cache_strategy plan;
  SUBCASE("alone") { plan = scan().delete_revisions({sha('b')}); }
  SUBCASE("with its repository") { plan = scan().delete_revisions({"model/ns/name"}); }
  const auto result = execute(plan);
  REQUIRE_FALSE(result.left.empty());
  CHECK(result.left.front().in_use);
  CHECK(below(repo / "snapshots" / sha('b')) == before);
}

TEST_CASE_FIXTURE(fixture, "a pipe among the refs holds nobody up") {
  put_two_revisions();
  const auto plan = scan().delete_revisions({sha('b')});
  REQUIRE(::mkfifo((repo / "refs/pipe").c_str(), 0600) == 0);
  execute(plan);
  CHECK_FALSE(fs::exists(repo / "snapshots" / sha('b')));
}

TEST_CASE_FIXTURE(fixture, "where all revisions go, the folder goes") {
  put_two_revisions();
  const auto info = scan();
  for (const auto& wanted :
       {std::vector<std::string>{sha('a'), sha('b')}, std::vector<std::string>{"model/ns/name"}}) {
    const auto plan = info.delete_revisions(wanted);
    CHECK(plan.repos == paths{repo});
    CHECK(plan.expected_freed_size == 18);
    CHECK(plan.snapshots.empty());
    CHECK(plan.blobs.empty());
    CHECK(plan.not_found.empty());
  }
}

TEST_CASE_FIXTURE(fixture, "a revision can be told from one of the same commit elsewhere") {
  put_two_revisions();
  put(root / "models--fork--name", sha('a'), "shared.txt", "e-shared", "12345");
  const auto info = scan();
  CHECK(info.delete_revisions({sha('a')}).repos == paths{root / "models--fork--name"});
  CHECK(info.delete_revisions({sha('a')}).snapshots.size() == 1);
  const auto plan = info.delete_revisions({"model/ns/name@" + sha('a')});
  CHECK(plan.repos.empty());
  CHECK(plan.snapshots == paths{repo / "snapshots" / sha('a')});
}

TEST_CASE_FIXTURE(fixture, "a revision goes with the blobs that nobody else uses") {
  put_two_revisions();
  write(repo / ".no_exist" / sha('a') / "x", "");
  const auto outcome = execute(scan().delete_revisions({sha('a')}));
  CHECK(outcome.left.empty());
  CHECK(outcome.freed_size == 10);
  CHECK(outcome.deleted == 2);
  CHECK(below(repo) == names{"blobs/e-shared", "blobs/e-new", "refs/main", "refs/refs/pr/1",
                             "snapshots/" + sha('b') + "/shared.txt",
                             "snapshots/" + sha('b') + "/new.bin", ".no_exist/" + sha('a') + "/x"});
  CHECK_FALSE(fs::exists(repo / "snapshots" / sha('a')));
  check_valid();
}

TEST_CASE_FIXTURE(fixture, "a whole repository goes, with what no snapshot links to") {
  put_two_revisions();
  write(repo / "blobs/nobody-links", "1234");
  write(repo / "blobs/e-1.0123abcd.incomplete", "12");
  write(repo / "trees/" / (sha('a') + ".json"), "{}");
  write(repo / "snapshots/stray", "");
  put(root / "datasets--other", sha('c'), "a", "e-a", "1");
  const auto outcome = execute(scan().delete_revisions({"model/ns/name"}));
  CHECK(outcome.left.empty());
  CHECK(outcome.deleted == 1);
  CHECK(outcome.freed_size == 18 + 4 + 2 + 2);
  CHECK_FALSE(fs::exists(repo));
  CHECK(fs::exists(root / "datasets--other/blobs/e-a"));
}

TEST_CASE_FIXTURE(fixture, "content without links goes with its snapshot") {
  write(repo / "snapshots" / sha('a') / "w.bin", "12345");
  write(repo / "snapshots" / sha('b') / "w.bin", "123");
  const auto plan = scan().delete_revisions({sha('a')});
  CHECK(plan.expected_freed_size == 5);
  CHECK(plan.blobs.empty());
  CHECK(execute(plan).freed_size == 5);
  CHECK(below(repo) == names{"snapshots/" + sha('b') + "/w.bin"});
}

TEST_CASE_FIXTURE(fixture,
                  "whatever piece is the last one, the cache is valid and prune finds the rest") {
  for (std::size_t pieces = 0;; ++pieces) {
    fs::remove_all(root);
    put_two_revisions();
    const bool whole = pieces % 2 == 0;
    const auto info = scan();
    const auto plan =
        whole ? info.delete_revisions({"model/ns/name"}) : info.delete_revisions({sha('b')});
    bool more = true;
    {
      cache::deletion running(plan);
      for (std::size_t i = 0; more && i <= pieces / 2; ++i) more = running.step();
    }
    check_valid();
    const auto left = scan();
    if (!left.repos.empty()) {
      execute(left.prune());
      check_valid();
      for (const auto& repository : scan().repos)
        for (const auto& revision : repository.revisions) CHECK_FALSE(revision.refs.empty());
      CHECK(scan().unlinked_blobs.empty());
    }
    if (!more && !whole) break;
    REQUIRE(pieces < 100);
  }
}

TEST_CASE_FIXTURE(fixture, "a snapshot that was on its way out when the process died is found") {
  put_two_revisions();
  fs::rename(repo / "snapshots" / sha('a'), repo / ".tmp-0123abcd");
  const auto outcome = execute(scan().prune());
  CHECK(outcome.left.empty());
  CHECK_FALSE(fs::exists(repo / ".tmp-0123abcd"));
  CHECK_FALSE(fs::exists(repo / "blobs/e-old"));
  CHECK(outcome.freed_size == 10);
  check_valid();
}

TEST_CASE_FIXTURE(fixture, "a locked blob stays, and with it the repository") {
  put_two_revisions();
  const auto locks = root / ".locks/models--ns--name";
  fs::create_directories(locks);
  const auto held = cache::try_lock_file(locks / "e-old.lock");
  REQUIRE(held);
  const auto plan = scan().delete_revisions({"model/ns/name"});
  const auto outcome = execute(plan);
  REQUIRE(outcome.left.size() == 1);
  CHECK(outcome.left[0].path == repo / "blobs/e-old");
  CHECK(outcome.left[0].in_use);
  CHECK(outcome.deleted == 0);
  CHECK(outcome.freed_size == 8);
  CHECK(below(repo) == names{"blobs/e-old"});
  CHECK(fs::is_directory(repo / "snapshots"));
}

TEST_CASE_FIXTURE(fixture, "a blob that a snapshot uses again since the plan stays") {
  put_two_revisions();
  const auto plan = scan().delete_revisions({sha('a')});
  put(repo, sha('c'), "again.bin", "e-old", "1234567890");
  const auto outcome = execute(plan);
  REQUIRE(outcome.left.size() == 1);
  CHECK(outcome.left[0].path == repo / "blobs/e-old");
  CHECK(outcome.left[0].in_use);
  check_valid();
}

TEST_CASE_FIXTURE(fixture,
                  "a ref that moved since the plan stays, and so does a snapshot newly named") {
  put_two_revisions();
  const auto plan = scan().delete_revisions({sha('b')});
  write(repo / "refs/main", sha('a'));
  CHECK(execute(plan).left.at(0).path == repo / "refs/main");
  CHECK(fs::exists(repo / "refs/main"));
  CHECK_FALSE(fs::exists(repo / "snapshots" / sha('b')));
  check_valid();

  fs::remove_all(root);
  put_two_revisions();
  const auto pruning = scan().prune();
  write(repo / "refs/v1", sha('a'));
  const auto outcome = execute(pruning);
  REQUIRE(outcome.left.size() == 2);
  CHECK(outcome.left[0].path == repo / "snapshots" / sha('a'));
  CHECK(outcome.left[1].path == repo / "blobs/e-old");
  check_valid();
}

TEST_CASE_FIXTURE(fixture, "nothing outside the cache is deleted, whatever the plan says") {
  put_two_revisions();
  const auto outside = root.parent_path() / "outside";
  write(outside / "models--a--b/blobs/e", "1");
  write(outside / "models--a--b/refs/main", "1");
  write(outside / "models--a--b/snapshots/x/f", "1");
  const auto before = below(root.parent_path());
  delete_cache_strategy plan;
  plan.cache_dir = root;
  plan.repos = {
      outside / "models--a--b",         root,           root / "..",       root / ".locks", "/", "",
      root / "../outside/models--a--b", repo / "blobs", "models--ns--name"};
  plan.snapshots = {outside / "models--a--b/snapshots/x", repo / "snapshots", repo / "snapshots/..",
                    repo / "snapshots/../../../outside", repo / "snapshots" / sha('a') / "sub"};
  plan.refs = {outside / "models--a--b/refs/main", repo / "refs/../../../outside/x", repo / "refs"};
  plan.blobs = {outside / "models--a--b/blobs/e", repo / "blobs/../../../outside/e",
                repo / "refs/main"};
  plan.incomplete_files = {repo / "blobs/e-old", repo / "refs/main", outside / ".tmp-0123abcd",
                           root / "CACHEDIR.TAG"};
  const auto outcome = execute(plan);
  CHECK(outcome.deleted == 0);
  CHECK(outcome.left.size() == 24);
  CHECK(below(root.parent_path()) == before);
}

TEST_CASE_FIXTURE(fixture, "links in the cache lead the deletion nowhere") {
  put_two_revisions();
  const auto outside = root.parent_path() / "outside";
  put(outside, sha('a'), "f", "e-1", "1");
  write(outside / "refs/main", sha('a'));
  const auto before = below(outside);
  delete_cache_strategy plan;
  plan.cache_dir = root;
  SUBCASE("a repository") {
    fs::create_directory_symlink(outside, root / "models--x--y");
    plan.repos = {root / "models--x--y"};
  }
  SUBCASE("its folders") {
    const auto planted = root / "models--x--y";
    fs::create_directories(planted);
    for (const auto* name : {"snapshots", "blobs", "refs"})
      fs::create_directory_symlink(outside / name, planted / name);
    plan.snapshots = {planted / "snapshots" / sha('a')};
    plan.blobs = {planted / "blobs/e-1"};
    plan.refs = {planted / "refs/main"};
    plan.repos = {planted};
  }
  SUBCASE("a folder in a snapshot") {
    fs::create_directory_symlink(outside, repo / "snapshots" / sha('a') / "away");
    plan = scan().delete_revisions({"model/ns/name"});
  }
  SUBCASE("a blob") {
    fs::create_symlink(outside / "blobs/e-1", repo / "snapshots" / sha('a') / "stolen");
    plan = scan().delete_revisions({sha('a')});
    CHECK(plan.expected_freed_size == 10);
  }
  execute(plan);
  CHECK(below(outside) == before);
}

TEST_CASE_FIXTURE(fixture, "pruning takes revisions without ref and what nobody uses") {
  put_two_revisions();
  put(root / "models--only--detached", sha('c'), "f", "e-f", "1234");
  write(root / "models--only--detached/trees" / (sha('c') + ".json"), "{}");
  write(repo / "blobs/nobody-links", "123456");
  write(repo / "blobs/e-1.0123abcd.incomplete", "12");
  write(repo / "blobs/e-2.cohub.partial", "12");
  write(repo / "blobs/e-2.cohub.journal", "12");
  write(repo / "blobs/.tmp-0123abcd", "12345");
  write(repo / "refs/main.0123abcd.tmp", "1");
  make_old(repo / "blobs/.tmp-0123abcd");
  make_old(repo / "refs/main.0123abcd.tmp");
  const auto outcome = execute(scan().prune());
  CHECK(outcome.left.empty());
  CHECK(below(repo) == names{"blobs/e-shared", "blobs/e-new", "refs/main", "refs/refs/pr/1",
                             "snapshots/" + sha('b') + "/shared.txt",
                             "snapshots/" + sha('b') + "/new.bin"});
  CHECK_FALSE(fs::exists(root / "models--only--detached"));
  check_valid();
  CHECK(scan().prune().empty());
}

TEST_CASE_FIXTURE(fixture, "what somebody is writing is not pruned") {
  put_two_revisions();
  const auto locks = root / ".locks/models--ns--name";
  fs::create_directories(locks);
  const auto downloading = cache::try_lock_file(locks / "e-1.lock");
  write(repo / "blobs/e-1.0123abcd.incomplete", "12");
  write(repo / "blobs/.tmp-0123abcd", "12345");            // just now
  write(repo / "blobs/e-2.cohub.0123abcd.partial", "12");  // the same
  write(repo / "blobs/e-3.cohub.partial", "12");
  write(repo / "blobs/e-3.cohub.journal", "12");
  const io::file open(repo / "blobs/e-3.cohub.partial", io::file::mode::read);
  REQUIRE(::flock(open.native_handle(), LOCK_EX | LOCK_NB) == 0);
  const auto outcome = execute(scan().prune());
  CHECK(outcome.left.size() == 6);
  for (const auto& left : outcome.left) CHECK_MESSAGE(left.in_use, left.path.string());
  const auto there = below(repo / "blobs");
  for (const auto* name : {"e-1.0123abcd.incomplete", ".tmp-0123abcd", "e-2.cohub.0123abcd.partial",
                           "e-3.cohub.partial", "e-3.cohub.journal"})
    CHECK_MESSAGE(there.contains(name), name);
  CHECK_FALSE(there.contains("e-old"));
}

TEST_CASE_FIXTURE(fixture, "what is gone already counts as deleted") {
  put_two_revisions();
  const auto plan = scan().delete_revisions({sha('a')});
  execute(plan);
  const auto again = execute(plan);
  CHECK(again.left.empty());
  CHECK(again.deleted == 2);
  CHECK(again.freed_size == 0);
}

TEST_CASE_FIXTURE(fixture, "many blobs go, however few descriptors there are") {
  for (int i = 0; i < 300; ++i)
    put(repo, sha('a'), std::to_string(i), "e-" + std::to_string(i), "1");
  put(repo, sha('b'), "kept", "e-kept", "1");
  const auto outcome = execute(scan().delete_revisions({sha('a')}));
  CHECK(outcome.left.empty());
  CHECK(outcome.freed_size == 300);
  CHECK(below(repo / "blobs") == names{"e-kept"});
}

TEST_CASE_FIXTURE(fixture, "a snapshot that a download may be filling keeps its folders") {
  put_two_revisions();
  write(repo / "blobs/e-1.0123abcd.incomplete", "12");
  const auto locks = root / ".locks/models--ns--name";
  fs::create_directories(locks);
  const auto downloading = cache::try_lock_file(locks / "e-1.lock");
  REQUIRE(downloading);
  const auto sub = repo / "snapshots" / sha('a') / "sub";
  SUBCASE("pruned") {
    const auto outcome = execute(scan().prune());
    CHECK(outcome.left.size() == 2);
    CHECK(outcome.freed_size == 10);
  }
  SUBCASE("deleted with its repository") {
    const auto outcome = execute(scan().delete_revisions({"model/ns/name"}));
    CHECK(outcome.left.size() == 3);
    CHECK(outcome.deleted == 0);
    CHECK(outcome.freed_size == 18);
  }
  CHECK(fs::is_directory(sub));
  CHECK(fs::is_empty(sub));
  CHECK(fs::exists(repo / "blobs/e-1.0123abcd.incomplete"));
  CHECK_FALSE(fs::exists(repo / "blobs/e-old"));
  check_valid();
}
