#include "core/glob.hpp"

#include <doctest/doctest.h>

using namespace cohub::core;

TEST_CASE("patterns match as Python's fnmatch does") {
  struct {
    const char* pattern;
    const char* path;
    bool matches;
  } const cases[] = {
      {"*", "a/b", true},
      {"data/*.json", "data/x/y.json", true},
      {"*.txt", ".hidden.txt", true},
      {"**/*.txt", "a.txt", false},
      {"**/*.txt", "a/b.txt", true},
      {"?", "/", true},
      {"[ab]", "a", true},
      {"[!ab]", "a", false},
      {"[!ab]", "c", true},
      {"[^ab]", "^", true},
      {"[^ab]", "c", false},
      {"[", "[", true},
      {"[]]", "]", true},
      {"[!]]", "]", false},
      {"[]a]", "a", true},
      {"[a-c]x", "bx", true},
      {"[c-a]x", "bx", false},
      {"a[b-]", "a-", true},
      {"a.b", "aXb", false},
      {"{a,b}", "a", false},
      {"{a,b}", "{a,b}", true},
      {"*", "a\nb", true},
      {"a*b*c", "aXXbYYc", true},
      {"foo", "foo/bar", false},
      {"foo*", "foo/bar", true},
      {"", "", true},
      {"[a/]b", "/b", true},
      {"[[]x", "[x", true},
      {"[*]", "*", true},
      {"[*]", "x", false},
      {"*.[0-9]", "f.3", true},
      {"!(a)", "b", false},
      {"[!", "[!", true},
      {"[a", "[a", true},
      {"é*", "écran", true},
      {"[--0]", ".", true},
      {"[!a-c]", "d", true},
      {"DATA/*", "data/x", false},
      {"?", "é", true},
      {"[é]", "é", true},
      {"*a", "", false},
      {"***", "", true},
  };
  for (const auto& c : cases) {
    CAPTURE(c.pattern);
    CAPTURE(c.path);
    CHECK(glob_match(c.pattern, c.path) == c.matches);
  }
}

TEST_CASE("many stars do not take for ever") {
  std::string pattern;
  for (int i = 0; i < 30; ++i) pattern += "*a";
  CHECK_FALSE(glob_match(pattern + "c", std::string(10'000, 'a') + "b"));
  CHECK(glob_match(pattern, std::string(10'000, 'a')));
}

TEST_CASE("a filter allows, ignores, and reads back-slashes and final slashes") {
  CHECK(path_filter().keeps("any/thing"));
  const path_filter json({{"*.json"}}, {"logs/"});
  CHECK(json.keeps("a/b.json"));
  CHECK_FALSE(json.keeps("a/b.txt"));
  CHECK_FALSE(json.keeps("logs/x.json"));
  CHECK_FALSE(path_filter(std::vector<std::string>{}, {}).keeps("a"));
  CHECK(path_filter({{"a\\*"}}, {}).keeps("a/b"));
  CHECK_FALSE(path_filter({{""}}, {}).keeps("a"));
}

TEST_CASE("what an upload always leaves out") {
  const auto filter = upload_filter({}, {"b/*"});
  CHECK_FALSE(filter.keeps("b/c"));
  CHECK_FALSE(upload_filter({{"*.bin"}}, {}).keeps("a.txt"));
  for (const char* path : {".git", "a/.git", ".git/x", "a/.git/x", ".cache/huggingface/x",
                           "a/.cache/huggingface/x/y"}) {
    CAPTURE(path);
    CHECK_FALSE(filter.keeps(path));
  }
  for (const char* path : {".gitignore", ".cache/x", ".cache/huggingface_folder/x"}) {
    CAPTURE(path);
    CHECK(filter.keeps(path));
  }
}
