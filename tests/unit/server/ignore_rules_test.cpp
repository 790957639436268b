#include "server/ignore_rules.hpp"

#include <doctest/doctest.h>

#include <string>

using cohub::server::git_glob_match;
using cohub::server::ignore_rules;
using cohub::server::large_file_rules;

TEST_CASE("git's patterns: stars stop at a slash, double stars do not") {
  CHECK(git_glob_match("*.bin", "a.bin"));
  CHECK_FALSE(git_glob_match("*.bin", "a/b.bin"));
  CHECK(git_glob_match("saved_model/**/*", "saved_model/a/b/c"));
  CHECK(git_glob_match("saved_model/**/*", "saved_model/a"));
  CHECK(git_glob_match("**/x", "x"));
  CHECK(git_glob_match("**/x", "a/b/x"));
  CHECK(git_glob_match("a/**", "a/b/c"));
  CHECK_FALSE(git_glob_match("a/**", "b/c"));
  CHECK(git_glob_match("a?c", "abc"));
  CHECK_FALSE(git_glob_match("a?c", "a/c"));
  CHECK(git_glob_match("[a-c]x", "bx"));
  CHECK_FALSE(git_glob_match("[!a-c]x", "bx"));
  CHECK(git_glob_match("[]]", "]"));
  CHECK(git_glob_match("\\*", "*"));
  CHECK_FALSE(git_glob_match("\\*", "a"));
  CHECK(git_glob_match("[", "["));
}

TEST_CASE("a pattern of many stars ends soon") {
  std::string pattern;
  for (int i = 0; i < 60; ++i) pattern += "*a";
  CHECK_FALSE(git_glob_match(pattern + "b", std::string(500, 'a')));
}

TEST_CASE("ignored files: last rule wins, folders take their content along") {
  const ignore_rules rules("# comment\n*.log\n!keep.log\nbuild/\n/top.txt\ndoc/*.md\n\n\\#x\n");
  CHECK(rules.ignores("a.log"));
  CHECK(rules.ignores("d/a.log"));
  CHECK_FALSE(rules.ignores("d/keep.log"));
  CHECK(rules.ignores("build/x"));
  CHECK(rules.ignores("a/build/x/y"));
  CHECK_FALSE(rules.ignores("build"));
  CHECK(rules.ignores("top.txt"));
  CHECK_FALSE(rules.ignores("a/top.txt"));
  CHECK(rules.ignores("doc/a.md"));
  CHECK_FALSE(rules.ignores("x/doc/a.md"));
  CHECK(rules.ignores("#x"));
  CHECK_FALSE(rules.ignores("README.md"));
}

TEST_CASE("large files by attributes: last rule wins, names match in any folder") {
  const large_file_rules rules(
      "*.bin filter=lfs diff=lfs merge=lfs -text\n# *.txt filter=lfs\n/a.dat\tfilter=lfs\n"
      "data/*.csv filter=lfs\nsmall.bin -filter\n*.x text\n");
  CHECK(rules.is_large("m.bin"));
  CHECK(rules.is_large("d/m.bin"));
  CHECK_FALSE(rules.is_large("d/small.bin"));
  CHECK(rules.is_large("a.dat"));
  CHECK_FALSE(rules.is_large("d/a.dat"));
  CHECK(rules.is_large("data/t.csv"));
  CHECK_FALSE(rules.is_large("t.csv"));
  CHECK_FALSE(rules.is_large("a.txt"));
  CHECK_FALSE(rules.is_large("a.x"));
}
