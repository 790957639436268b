#include "hub/repo_path.hpp"

#include "cohub/error.hpp"

#include <doctest/doctest.h>

using namespace cohub;
using namespace cohub::hub;

TEST_CASE("paths in a commit are normalised") {
  const std::pair<const char*, const char*> cases[] = {{"/file.txt", "file.txt"},
                                                       {"./file.txt", "file.txt"},
                                                       {"//x", "/x"},
                                                       {"/./a", "a"},
                                                       {"x.git/a", "x.git/a"},
                                                       {".cached/x", ".cached/x"},
                                                       {"", ""},
                                                       {"git~x", "git~x"},
                                                       {".gitignore", ".gitignore"},
                                                       {"git~", "git~"}};
  for (const auto& [given, expected] : cases) {
    CAPTURE(given);
    CHECK(check_path_in_repo(given).value() == expected);
  }
}

TEST_CASE("paths that a commit must not have") {
  for (const char* path : {".",
                           "..",
                           "../x",
                           ".git/x",
                           "a/.git/b",
                           ".cache/x",
                           "a/.cache",
                           "a/../b",
                           "a\\..\\b",
                           "a\nb",
                           "bad\xff.txt",
                           ".GIT/config",
                           "a/.Git",
                           ".git ",
                           ".git. ./x",
                           "git~1",
                           "GIT~12/x",
                           ".git::$INDEX_ALLOCATION",
                           ".g\xe2\x80\x8cit/x",
                           "a/.git\xef\xbb\xbf",
                           "\xe2\x81\xaa.gi\xe2\x80\xaet"}) {
    CAPTURE(path);
    const auto checked = check_path_in_repo(path);
    REQUIRE_FALSE(checked.has_value());
    CHECK(checked.error() == errc::invalid_path);
  }
}

TEST_CASE("names that stay within a folder on every system") {
  for (const char* path : {"..a/b", "a..b", "a/...", "a\\b", "a//b", "./a", "NUL", "ab:c"}) {
    CAPTURE(path);
    CHECK(check_download_path(path).has_value());
  }
}

TEST_CASE("names that could leave it") {
  for (const char* path :
       {"a/..", "../a", "a\\..\\b", "/a", "\\a", "C:x", "c:", "c/d:e", "a/C:", "\\\\host\\share",
        "", "a\nb", ".git/config", "a/.GIT/hooks/post-checkout", "git~1/config", "a/.git"}) {
    CAPTURE(path);
    CHECK_FALSE(check_download_path(path).has_value());
  }
  CHECK_FALSE(check_download_path(std::string_view("a\0b", 3)).has_value());
}
