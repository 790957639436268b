#include "cache/scan.hpp"

#include "cohub/error.hpp"

#include "cache_builder.hpp"

#include <boost/asio/error.hpp>
#include <doctest/doctest.h>

#include <unistd.h>

#include <stop_token>

using namespace cohub;
namespace fs = std::filesystem;

namespace {

using fixture = test::cache_builder;

/// Where the warnings point to, relative to the cache.
std::set<std::string> warned(const cache_info& info) {
  std::set<std::string> paths;
  for (const auto& warning : info.warnings)
    paths.insert(warning.path.lexically_relative(info.cache_dir).string());
  return paths;
}

using names = std::set<std::string>;

}  // namespace

TEST_CASE_FIXTURE(fixture, "a cache is told repository by repository, shared content once") {
  put_two_revisions();
  put(root / "datasets--glue", sha('c'), "a.csv", "e-a", "1234");
  write(root / "CACHEDIR.TAG", "Signature");
  write(root / ".locks/models--ns--name/e-old.lock", "");
  const auto info = scan();
  CHECK(info.warnings.empty());
  CHECK(info.incomplete_files.empty());
  CHECK(info.unlinked_blobs.empty());
  CHECK(info.size_on_disk == 22);
  REQUIRE(info.repos.size() == 2);
  CHECK(info.repos[0].cache_id() == "dataset/glue");
  const auto& model = info.repos[1];
  CHECK(model.cache_id() == "model/ns/name");
  CHECK(model.size_on_disk == 18);
  CHECK(model.nb_files == 3);
  REQUIRE(model.revisions.size() == 2);
  const auto& old = model.revisions[0];
  CHECK(old.commit_hash == sha('a'));
  CHECK(old.size_on_disk == 15);
  CHECK(old.refs.empty());
  REQUIRE(old.files.size() == 2);
  CHECK(old.files[1].file_name == "sub/old.bin");
  CHECK(old.files[1].file_path == repo / "snapshots" / sha('a') / "sub/old.bin");
  CHECK(old.files[1].blob_path == repo / "blobs/e-old");
  CHECK(old.files[1].size_on_disk == 10);
  CHECK(model.revisions[1].refs == std::vector<std::string>{"main", "refs/pr/1"});
  CHECK(model.revisions[1].size_on_disk == 8);
}

TEST_CASE_FIXTURE(fixture, "times are those of the newest content") {
  put_two_revisions();
  make_old(repo / "blobs/e-new");
  make_old(repo / "blobs/e-shared");
  const auto now = std::chrono::system_clock::now();
  const auto info = scan();
  const auto& model = info.repos.at(0);
  CHECK(now - model.last_modified < std::chrono::hours(1));
  CHECK(now - model.revisions[0].last_modified < std::chrono::hours(1));
  CHECK(now - model.revisions[1].last_modified > std::chrono::hours(23));
}

TEST_CASE_FIXTURE(fixture, "looking into a repository ends when it is told to") {
  put_two_revisions();
  std::stop_source stop;
  CHECK(cache::scan_repo(repo, stop.get_token()).repo);
  stop.request_stop();
  boost::system::error_code outcome;
  try {
    cache::scan_repo(repo, stop.get_token());
  } catch (const boost::system::system_error& e) {
    outcome = e.code();
  }
  CHECK(outcome == boost::asio::error::operation_aborted);
}

TEST_CASE_FIXTURE(fixture, "no cache, and a file in its place, are errors") {
  const auto code_of = [](const fs::path& path) {
    try {
      cache::scan_root(path);
    } catch (const error& e) {
      return e.code();
    }
    return boost::system::error_code();
  };
  CHECK(code_of(root / "nothing") == errc::local_entry_not_found);
  write(root / "file", "1");
  CHECK(code_of(root / "file") == errc::invalid_argument);
}

TEST_CASE_FIXTURE(fixture, "what is no repository is left out with a warning") {
  put_two_revisions();
  write(root / "stray.txt", "1");
  fs::create_directories(root / "noseparator");
  fs::create_directories(root / "buckets--a--b" / "snapshots");
  fs::create_directories(root / "models--no--snapshots" / "blobs");
  write(root / ".DS_Store", "1");
  const auto info = scan();
  CHECK(info.repos.size() == 1);
  CHECK(warned(info) ==
        names{"stray.txt", "noseparator", "buckets--a--b", "models--no--snapshots"});
  for (const auto& warning : info.warnings) CHECK(warning.repo_ignored);
}

TEST_CASE_FIXTURE(fixture, "one thing that is broken hides no repository") {
  put_two_revisions();
  write(repo / "snapshots/stray.txt", "1");
  write(repo / "snapshots/.DS_Store", "1");
  write(repo / "refs/Thumbs.db", "1");
  fs::create_symlink("../../blobs/gone", repo / "snapshots" / sha('b') / "dangling");
  fs::create_directory_symlink("/", repo / "snapshots" / sha('b') / "everything");
  fs::create_directory_symlink(sha('a'), repo / "snapshots/link");
  write(repo / "refs/stale", sha('f'));
  const auto info = scan();
  CHECK(warned(info) == names{"models--ns--name/snapshots/stray.txt",
                              "models--ns--name/snapshots/link",
                              "models--ns--name/snapshots/" + sha('b') + "/dangling",
                              "models--ns--name/snapshots/" + sha('b') + "/everything",
                              "models--ns--name/refs/stale"});
  for (const auto& warning : info.warnings) CHECK_FALSE(warning.repo_ignored);
  REQUIRE(info.repos.size() == 1);
  CHECK(info.repos[0].size_on_disk == 18);
  CHECK(info.repos[0].revisions.size() == 2);
  CHECK(info.repos[0].refs_known);
}

TEST_CASE_FIXTURE(fixture, "a ref with a newline still names its revision") {
  put_two_revisions();
  write(repo / "refs/main", sha('a') + "\n");
  const auto info = scan();
  CHECK(warned(info) == names{"models--ns--name/refs/main"});
  CHECK(info.repos.at(0).revisions[0].refs == std::vector<std::string>{"main"});
  CHECK(info.repos.at(0).refs_known);
}

TEST_CASE_FIXTURE(fixture, "where a ref makes no sense, no revision is known to be without") {
  put_two_revisions();
  SUBCASE("it holds something else") { write(repo / "refs/main", "what?"); }
  SUBCASE("it is too long") { write(repo / "refs/main", std::string(5000, 'a')); }
  SUBCASE("it is a link to nothing") { fs::create_symlink("nothing", repo / "refs/link"); }
  SUBCASE("refs is a file") {
    fs::remove_all(repo / "refs");
    write(repo / "refs", "1");
  }
  const auto info = scan();
  CHECK(info.warnings.size() == 1);
  REQUIRE(info.repos.size() == 1);
  CHECK_FALSE(info.repos[0].refs_known);
  CHECK(info.prune().empty());
}

TEST_CASE_FIXTURE(fixture, "a snapshot may be empty and hold the content itself") {
  fs::create_directories(repo / "snapshots" / sha('a'));
  write(repo / "snapshots" / sha('b') / "a/b.txt", "123");
  const auto info = scan();
  CHECK(info.warnings.empty());
  REQUIRE(info.repos.size() == 1);
  CHECK(info.repos[0].size_on_disk == 3);
  CHECK(info.repos[0].revisions[0].files.empty());
  const auto& file = info.repos[0].revisions[1].files.at(0);
  CHECK(file.blob_path == file.file_path);
}

TEST_CASE_FIXTURE(fixture, "leftovers of everybody are found") {
  put_two_revisions();
  write(repo / "blobs/e-1.incomplete", "12");
  write(repo / "blobs/e-2.0123abcd.incomplete", "123");
  write(repo / "blobs/e-3.cohub.journal", "1234");
  write(repo / "blobs/.tmp-0123abcd", "12345");
  write(repo / ".tmp-89abcdef/x", "1234567");
  write(repo / "refs/main.0123abcd.tmp", "1");
  write(repo / "blobs/nobody-links", "123456");
  write(root / ".tmp-01234567", "1");
  const auto sparse = repo / "blobs/e-3.cohub.partial";
  write(sparse, "");
  REQUIRE(::truncate(sparse.c_str(), 1 << 30) == 0);
  const auto info = scan();
  CHECK(info.warnings.empty());
  CHECK(info.repos.at(0).size_on_disk == 18);  // as without
  names found;
  for (const auto& file : info.incomplete_files)
    found.insert(file.file_path.lexically_relative(root).string());
  const std::string blobs = "models--ns--name/blobs/";
  CHECK(found == names{blobs + "e-1.incomplete", blobs + "e-2.0123abcd.incomplete",
                       blobs + "e-3.cohub.journal", blobs + "e-3.cohub.partial",
                       blobs + ".tmp-0123abcd", "models--ns--name/.tmp-89abcdef",
                       "models--ns--name/refs/main.0123abcd.tmp", ".tmp-01234567"});
  CHECK(info.incomplete_size_on_disk() == 2 + 3 + 4 + 0 + 5 + 7 + 1 + 1);
  REQUIRE(info.unlinked_blobs.size() == 1);
  CHECK(info.unlinked_blobs[0].blob_path == repo / "blobs/nobody-links");
  CHECK(info.unlinked_blobs[0].size_on_disk == 6);
}

TEST_CASE_FIXTURE(fixture, "blobs on another disk are used by what links to them") {
  put_two_revisions();
  const auto elsewhere = root.parent_path() / "elsewhere";
  fs::rename(repo / "blobs", elsewhere);
  fs::create_directory_symlink(elsewhere, repo / "blobs");
  CHECK(scan().unlinked_blobs.empty());
  write(elsewhere / "nobody-links", "1");
  const auto info = scan();
  REQUIRE(info.unlinked_blobs.size() == 1);
  CHECK(info.unlinked_blobs[0].blob_path == elsewhere / "nobody-links");
  SUBCASE("but nobody knows what a snapshot on another disk needs") {
    const auto snapshot = repo / "snapshots" / sha('a');
    fs::rename(snapshot, root.parent_path() / "moved");
    fs::create_directory_symlink(root.parent_path() / "moved", snapshot);
    CHECK(scan().unlinked_blobs.empty());
  }
}

TEST_CASE_FIXTURE(fixture, "folders that are no cache keep their files, whatever they are called") {
  write(root / "projects/.tmp-0123abcd", "1");
  write(root / "projects/blobs/a.incomplete", "1");
  fs::create_directories(root / ".tmp-89abcdef");
  CHECK(scan().incomplete_files.empty());
}

TEST_CASE_FIXTURE(fixture, "a repository behind a link is shown, but nothing of it is a leftover") {
  const auto elsewhere = root.parent_path() / "elsewhere/models--ns--name";
  put(elsewhere, sha('a'), "a.txt", "e-a", "123");
  write(elsewhere / "blobs/e-1.incomplete", "1");
  write(elsewhere / "blobs/nobody-links", "1");
  fs::create_directory_symlink(elsewhere, repo);
  const auto info = scan();
  CHECK(info.repos.size() == 1);
  CHECK(info.size_on_disk == 3);
  CHECK(warned(info) == names{"models--ns--name"});
  CHECK(info.incomplete_files.empty());
  CHECK(info.unlinked_blobs.empty());
}
