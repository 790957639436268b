#include "cache/layout.hpp"

#include "cohub/error.hpp"

#include <doctest/doctest.h>

using namespace cohub;
using cache::repo_layout;

namespace {
const std::string sha(40, 'a');
}

TEST_CASE("folder names are those of the Python client") {
  CHECK(cache::repo_folder_name(repo_type::model, "julien-c/EsperBERTo-small") ==
        "models--julien-c--EsperBERTo-small");
  CHECK(cache::repo_folder_name(repo_type::model, "gpt2") == "models--gpt2");
  CHECK(cache::repo_folder_name(repo_type::dataset, "glue") == "datasets--glue");
  CHECK(cache::repo_folder_name(repo_type::space, "a/b") == "spaces--a--b");
  CHECK(cache::repo_folder_name(repo_type::kernel, "a/b") == "kernels--a--b");
  CHECK_THROWS_AS(cache::repo_folder_name(repo_type::model, "../x"), error);
}

TEST_CASE("each kind of entry has its place") {
  const repo_layout layout("/c", repo_type::model, "ns/name");
  CHECK(layout.folder() == "/c/models--ns--name");
  CHECK(layout.blob("e1") == "/c/models--ns--name/blobs/e1");
  CHECK(layout.ref("refs/pr/1") == "/c/models--ns--name/refs/refs/pr/1");
  CHECK(layout.pointer(sha, "a/b.bin") == "/c/models--ns--name/snapshots/" + sha + "/a/b.bin");
  CHECK(layout.no_exist(sha, "a") == "/c/models--ns--name/.no_exist/" + sha + "/a");
  CHECK(layout.tree(sha) == "/c/models--ns--name/trees/" + sha + ".json");
  CHECK(layout.lock("e1") == "/c/.locks/models--ns--name/e1.lock");
  // Whatever a server calls a blob, its lock is not a snapshot's.
  const std::string commit(40, 'a');
  CHECK(layout.snapshot_lock(commit) == "/c/.locks/models--ns--name/" + commit + ".snapshot");
}

TEST_CASE("a relative cache gives absolute paths") {
  CHECK(repo_layout("cache", repo_type::model, "n").folder().is_absolute());
}

TEST_CASE("a link leads from its depth to the blob") {
  CHECK(cache::link_text("c.bin", "e") == "../../blobs/e");
  CHECK(cache::link_text("a/b/c.bin", "e") == "../../../../blobs/e");
  CHECK(cache::link_text("./a//b", "e") == "../../../blobs/e");
}

TEST_CASE("names that could leave their folder are refused") {
  const repo_layout layout("/c", repo_type::model, "ns/name");
  for (const char* path : {"../a", "a/..", "/a", "C:x", "a\\..\\b", "\\\\host\\share"}) {
    CAPTURE(path);
    CHECK_THROWS_AS(layout.pointer(sha, path), error);
    CHECK_THROWS_AS(layout.no_exist(sha, path), error);
    CHECK_THROWS_AS(layout.ref(path), error);
    CHECK_THROWS_AS(cache::link_text(path, "e"), error);
  }
  for (const char* etag :
       {"", "a/b", "..", "W/abc", "x.incomplete", "x.cohub.partial", ".tmp-01234567"}) {
    CAPTURE(etag);
    CHECK_THROWS_AS(layout.blob(etag), error);
    CHECK_THROWS_AS(layout.lock(etag), error);
  }
  CHECK_THROWS_AS(layout.snapshot("main"), error);
}
