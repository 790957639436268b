#include "support/added_bytes.hpp"
#include "support/client_fixture.hpp"

#include <doctest/doctest.h>

#include <string>
#include <utility>
#include <vector>

using namespace cohub;
using test::add_bytes;

namespace {

struct base_fixture : test::client_fixture {
  base_fixture() { first = put_file("alice/m", "a.txt", "1"); }
  std::vector<git_commit_info> history() { return run(api->list_repo_commits("alice/m").all()); }
  commit_info first;
};

}  // namespace

TEST_CASE_FIXTURE(base_fixture, "what others delete after a listing need not be deleted") {
  put_file("alice/m", "logs/b.txt", "2");
  hub_fault listed;
  listed.path_part = "/tree/";
  const std::string id(40, '1');
  listed.body = R"([{"type":"file","oid":")" + id + R"(","size":1,"path":"logs/gone.txt"},)" +
                R"({"type":"file","oid":")" + id + R"(","size":1,"path":"logs/b.txt"}])";
  hub->inject(listed);
  std::vector<std::string> patterns(1, "logs/*");
  SUBCASE("some of it") {
    run(api->delete_files("alice/m", patterns));
    CHECK_FALSE(run(api->file_exists("alice/m", "logs/b.txt")));
    CHECK(history().size() == 4);
  }
  SUBCASE("all of it") {
    run(api->delete_file("logs/b.txt", "alice/m"));
    CHECK(run(api->delete_files("alice/m", patterns)).unchanged);
  }
  SUBCASE("with an upload") {
    test::write_all(folder.path() / "out/c.txt", "3");
    upload_folder_options options;
    options.delete_patterns = patterns;
    run(api->upload_folder(folder.path() / "out", "alice/m", options));
    CHECK_FALSE(run(api->file_exists("alice/m", "logs/b.txt")));
    CHECK(run(api->file_exists("alice/m", "c.txt")));
  }
  CHECK(failure_of(api->delete_file("logs/gone.txt", "alice/m")).code() == errc::entry_not_found);
}

TEST_CASE_FIXTURE(base_fixture, "a pull request changes the commit that it starts from") {
  put_file("alice/m", "a.txt", "2");
  put_file("alice/m", "logs/late.txt", "3");
  create_commit_options older;
  older.create_pr = true;
  older.parent_commit = first.oid;
  read_file_options where;
  SUBCASE("where a file is as the branch has it meanwhile") {
    const auto opened = run(api->create_commit("alice/m", add_bytes("a.txt", "2"), "two", older));
    REQUIRE_FALSE(opened.pr_revision.empty());
    where.revision = opened.pr_revision;
    CHECK(run(api->read_file("alice/m", "a.txt", where)) == "2");
  }
  SUBCASE("where a file is not there yet that the branch has") {
    test::write_all(folder.path() / "out/c.txt", "4");
    upload_folder_options options;
    options.create_pr = true;
    options.parent_commit = first.oid;
    options.delete_patterns = std::vector<std::string>{"logs/*"};
    const auto opened = run(api->upload_folder(folder.path() / "out", "alice/m", options));
    where.revision = opened.pr_revision;
    CHECK(run(api->read_file("alice/m", "c.txt", where)) == "4");
    CHECK(run(api->read_file("alice/m", "a.txt", where)) == "1");
  }
}
