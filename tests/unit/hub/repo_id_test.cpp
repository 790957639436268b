#include "hub/repo_id.hpp"

#include "cohub/error.hpp"

#include <doctest/doctest.h>

using namespace cohub;
using namespace cohub::hub;

TEST_CASE("ids that a Hub accepts") {
  const std::string longest(96, 'a');
  for (const std::string& id :
       {std::string("a"), std::string("a/b"), std::string("123"), std::string("_a"),
        std::string("a_"), std::string("a_/_b"), std::string("a.b"), std::string("foo-bar"),
        std::string("foo-.bar"), std::string("foo.-bar"), std::string("é"), longest,
        "ns/" + longest, std::string(100, 'n') + "/" + longest}) {
    CAPTURE(id);
    CHECK(check_repo_id(id).has_value());
  }
}

TEST_CASE("ids that no Hub accepts") {
  const std::string too_long(97, 'a');
  for (const std::string& id : {std::string(),
                                std::string("/"),
                                std::string("a/"),
                                std::string("/a"),
                                std::string("-"),
                                std::string("-a"),
                                std::string("a-"),
                                std::string(".a"),
                                std::string("a."),
                                std::string("a./b"),
                                std::string("a/.b"),
                                std::string("a b"),
                                std::string("a/b/c"),
                                std::string("A--b"),
                                std::string("a..b"),
                                std::string("a/b.git"),
                                too_long,
                                "ns/" + too_long,
                                std::string("a\n"),
                                std::string("a\0b", 3),
                                std::string("a\\b")}) {
    CAPTURE(id);
    const auto checked = check_repo_id(id);
    REQUIRE_FALSE(checked.has_value());
    CHECK(checked.error() == errc::invalid_repository_id);
  }
}

TEST_CASE("words of the four types") {
  for (const auto type :
       {repo_type::model, repo_type::dataset, repo_type::space, repo_type::kernel}) {
    CHECK(parse_singular(singular(type)) == type);
    CHECK(parse_plural(plural(type)) == type);
  }
  CHECK(url_prefix(repo_type::model).empty());
  CHECK(url_prefix(repo_type::dataset) == "datasets/");
  CHECK_FALSE(parse_singular("models"));
  CHECK_FALSE(parse_plural("kernel"));
}

TEST_CASE("only a full lower-case id is a commit for ever; a parent may be short") {
  const std::string id(40, 'a');
  CHECK(is_commit_id(id));
  for (const std::string& text : {std::string(40, 'A'), std::string(39, 'a'), std::string("main")})
    CHECK_FALSE(is_commit_id(text));
  for (const std::string& text : {std::string("abcde"), id, std::string(40, 'A')})
    CHECK(is_commit_prefix(text));
  for (const std::string& text :
       {std::string("abcd"), std::string(41, 'a'), std::string("ghijk"), std::string()})
    CHECK_FALSE(is_commit_prefix(text));
}
