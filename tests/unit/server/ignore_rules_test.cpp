#include "server/handlers/ignore_rules.hpp"

#include "server/failure.hpp"

#include <doctest/doctest.h>

#include <string>

using cohub::server::ignore_rules;
using cohub::server::large_file_rules;
using cohub::server::match_budget;

namespace {

bool git_glob_match(std::string_view pattern, std::string_view path) {
  match_budget budget;
  return cohub::server::git_glob_match(pattern, path, budget);
}

bool is_ignored(const ignore_rules& rules, std::string_view path) {
  match_budget budget;
  return rules.ignores(path, budget);
}

bool is_large(const large_file_rules& rules, std::string_view path) {
  match_budget budget;
  return rules.is_large(path, budget);
}

}  // namespace

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

TEST_CASE("patterns that take too long are refused, all of a request together") {
  std::string pattern;
  for (int i = 0; i < 60; ++i) pattern += "*a";
  CHECK_THROWS_AS(git_glob_match(pattern + "b", std::string(500, 'a')), cohub::server::failure);
  match_budget budget;
  budget.spend(20'000'000);
  CHECK_THROWS_AS(cohub::server::git_glob_match("a", "a", budget), cohub::server::failure);
}

TEST_CASE("a pattern longer than any path is none") {
  std::string deep;
  for (int i = 0; i < 100'000; ++i) deep += "**/";
  CHECK_FALSE(is_ignored(ignore_rules(deep + "x\n"), "x"));
  CHECK_FALSE(is_large(large_file_rules(deep + "x filter=lfs\n"), "x"));
  CHECK(is_ignored(ignore_rules(std::string(3000, '*') + "x\n"), "x"));
}

TEST_CASE("ignored files: last rule wins, folders take their content along") {
  const ignore_rules rules("# comment\n*.log\n!keep.log\nbuild/\n/top.txt\ndoc/*.md\n\n\\#x\n");
  CHECK(is_ignored(rules, "a.log"));
  CHECK(is_ignored(rules, "d/a.log"));
  CHECK_FALSE(is_ignored(rules, "d/keep.log"));
  CHECK(is_ignored(rules, "build/x"));
  CHECK(is_ignored(rules, "a/build/x/y"));
  CHECK_FALSE(is_ignored(rules, "build"));
  CHECK(is_ignored(rules, "top.txt"));
  CHECK_FALSE(is_ignored(rules, "a/top.txt"));
  CHECK(is_ignored(rules, "doc/a.md"));
  CHECK_FALSE(is_ignored(rules, "x/doc/a.md"));
  CHECK(is_ignored(rules, "#x"));
  CHECK_FALSE(is_ignored(rules, "README.md"));
}

TEST_CASE("large files by attributes: last rule wins, names match in any folder") {
  const large_file_rules rules(
      "*.bin filter=lfs diff=lfs merge=lfs -text\n# *.txt filter=lfs\n/a.dat\tfilter=lfs\n"
      "data/*.csv filter=lfs\nsmall.bin -filter\n*.x text\n");
  CHECK(is_large(rules, "m.bin"));
  CHECK(is_large(rules, "d/m.bin"));
  CHECK_FALSE(is_large(rules, "d/small.bin"));
  CHECK(is_large(rules, "a.dat"));
  CHECK_FALSE(is_large(rules, "d/a.dat"));
  CHECK(is_large(rules, "data/t.csv"));
  CHECK_FALSE(is_large(rules, "t.csv"));
  CHECK_FALSE(is_large(rules, "a.txt"));
  CHECK_FALSE(is_large(rules, "a.x"));
}
