#include "server/git/git_repository.hpp"

#include "git_output.hpp"
#include "io/file.hpp"
#include "server/failure.hpp"

#include <doctest/doctest.h>

#include <vector>

using cohub::server::git_change;
using cohub::test::git;

namespace {

struct repository_fixture {
  repository_fixture() {
    git_libgit2_init();
    cohub::server::create_git_repository(path, "alice");
    repository.emplace(path);
  }
  ~repository_fixture() {
    repository.reset();
    git_libgit2_shutdown();
  }

  git_change put(const std::string& name, const std::string& content) {
    return {git_change::kind::put, name, repository->write_blob(content)};
  }
  std::string commit(const std::vector<git_change>& changes) {
    const auto head = repository->ref_target("refs/heads/main").value();
    const auto made = repository->write_commit(head, changes, "a change", "alice");
    repository->set_ref("refs/heads/main", made, folder.path());
    return made;
  }
  std::vector<std::string> listing(bool recursive, const std::string& after = {},
                                   const std::string& below = {}) {
    std::vector<std::string> paths;
    repository->list(repository->resolve("main").value(), below, recursive, after,
                     [&](cohub::tree_entry entry) {
                       paths.push_back(entry.path);
                       return true;
                     });
    return paths;
  }

  cohub::io::temporary_directory folder{};
  std::filesystem::path path = folder.path() / "r.git";
  std::optional<cohub::server::git_repository> repository{};
};

}  // namespace

TEST_CASE_FIXTURE(repository_fixture, "a new repository is one that git accepts, with one commit") {
  CHECK(git(path, "fsck --strict").status == 0);
  CHECK(git(path, "log --format=%s main").text == "initial commit");
  CHECK(git(path, "ls-tree --name-only main").text == ".gitattributes");
  CHECK(git(path, "rev-parse main").text == repository->resolve("main"));
}

TEST_CASE_FIXTURE(repository_fixture, "ids are those that git computes") {
  commit({put("a.txt", "content"), put("d/empty", ""), put("d/hello", "Hello, World!")});
  CHECK(git(path, "rev-parse main:a.txt").text == "6b584e8ece562ebffc15d38808cd6b98fc3d97ea");
  CHECK(git(path, "rev-parse main:d/empty").text == "e69de29bb2d1d6434b8b29ae775ad8c2e48c5391");
  CHECK(git(path, "rev-parse main:d/hello").text == "b45ef6fec89518d314f546fd6c3025367b721684");
  CHECK(git(path, "fsck --strict").status == 0);
}

TEST_CASE_FIXTURE(repository_fixture,
                  "folders sort as git sorts them, among files of a like name") {
  commit({put("a/x", "1"), put("a.b", "2"), put("a0", "3"), put("a-b", "4")});
  CHECK(git(path, "fsck --strict").status == 0);
  CHECK(listing(true) ==
        std::vector<std::string>{".gitattributes", "a-b", "a.b", "a", "a/x", "a0"});
  CHECK(listing(false) == std::vector<std::string>{"a", ".gitattributes", "a-b", "a.b", "a0"});
}

TEST_CASE_FIXTURE(repository_fixture,
                  "a folder goes with its last file, and others stay untouched") {
  commit({put("a/b/c", "1"), put("a/b/d", "2"), put("e/f", "3")});
  commit(
      {{git_change::kind::remove_file, "a/b/c", {}}, {git_change::kind::remove_file, "a/b/d", {}}});
  CHECK(listing(true) == std::vector<std::string>{".gitattributes", "e", "e/f"});
  commit({{git_change::kind::remove_folder, "e", {}}});
  CHECK(listing(true) == std::vector<std::string>{".gitattributes"});
  CHECK(git(path, "fsck --strict").status == 0);
}

TEST_CASE_FIXTURE(repository_fixture,
                  "deleting what is not there, or as what it is not, is refused") {
  commit({put("a/b", "1")});
  const auto head = repository->ref_target("refs/heads/main").value();
  const auto attempt = [&](git_change::kind what, const char* name) {
    try {
      repository->write_commit(head, {{what, name, {}}}, "m", "alice");
    } catch (const cohub::server::failure& problem) {
      return problem.status();
    }
    return 0;
  };
  CHECK(attempt(git_change::kind::remove_file, "nothing") == 404);
  CHECK(attempt(git_change::kind::remove_folder, "a/b") == 404);
  CHECK(attempt(git_change::kind::remove_file, "a/b/c") == 404);
}

TEST_CASE_FIXTURE(repository_fixture,
                  "a file cannot take a folder's place, nor a folder a file's") {
  commit({put("a/b", "1"), put("c", "2")});
  CHECK_THROWS_AS(commit({put("a", "x")}), cohub::server::failure);
  CHECK_THROWS_AS(commit({put("c/d", "x")}), cohub::server::failure);
}

TEST_CASE_FIXTURE(repository_fixture, "a listing goes on behind any entry of it") {
  commit({put("a/b/c", "1"), put("a/d", "2"), put("e", "3"), put("f/g", "4")});
  const auto all = listing(true);
  REQUIRE(all.size() == 8);
  for (std::size_t i = 0; i < all.size(); ++i)
    CHECK(listing(true, all[i]) ==
          std::vector<std::string>(all.begin() + static_cast<std::ptrdiff_t>(i) + 1, all.end()));
  CHECK(listing(true, "a/b/c", "a") == std::vector<std::string>{"a/d"});
}

TEST_CASE_FIXTURE(repository_fixture, "a revision is a branch, a tag, a full ref or a commit") {
  const auto first = repository->resolve("main").value();
  const auto second = commit({put("a", "1")});
  repository->set_ref("refs/tags/v1", first, folder.path());
  repository->set_ref("refs/pr/1", second, folder.path());
  git(path, "-c user.name=a -c user.email=a@b tag -a v2 -m annotated " + first);
  CHECK(repository->resolve("v1") == first);
  CHECK(repository->resolve("v2") == first);
  CHECK(repository->resolve("refs/pr/1") == second);
  CHECK(repository->resolve("refs/heads/main") == second);
  CHECK(repository->resolve(first) == first);
  CHECK(repository->resolve(first.substr(0, 9)) == first);
  CHECK(repository->resolve("HEAD") == second);
  for (const char* wrong : {"nope", "main~1", "main^", "refs/heads/nope", "refs/../config", "../x",
                            "0000000000000000000000000000000000000000", "", "@{-1}"})
    CHECK_FALSE(repository->resolve(wrong));
}

TEST_CASE_FIXTURE(repository_fixture, "a ref cannot be part of another's name") {
  const auto head = repository->resolve("main").value();
  repository->set_ref("refs/heads/a/b", head, folder.path());
  CHECK_THROWS_AS(repository->set_ref("refs/heads/a", head, folder.path()), cohub::server::failure);
  CHECK_THROWS_AS(repository->set_ref("refs/heads/a/b/c", head, folder.path()),
                  cohub::server::failure);
  CHECK(repository->delete_ref("refs/heads/a/b"));
  CHECK_FALSE(repository->delete_ref("refs/heads/a/b"));
  repository->set_ref("refs/heads/a", head, folder.path());
  CHECK(git(path, "rev-parse a").text == head);
}

TEST_CASE_FIXTURE(repository_fixture, "each path knows the commit that touched it last") {
  const auto one = commit({put("a", "1"), put("d/x", "1")});
  const auto two = commit({put("d/y", "2")});
  commit({put("z", "3")});
  auto touched = repository->last_commits(repository->resolve("main").value(), {"a", "d", "d/x"});
  CHECK(touched["a"].id == one);
  CHECK(touched["d"].id == two);
  CHECK(touched["d/x"].id == one);
  git_change gone;
  gone.what = git_change::kind::remove_file;
  gone.path = "d/y";
  const auto four = commit({gone});
  touched = repository->last_commits(four, {"a", "d", "d/x"});
  CHECK(touched["d"].id == four);
  CHECK(touched["d/x"].id == one);
}

TEST_CASE_FIXTURE(repository_fixture, "thousands of files in one commit are one sound tree") {
  std::vector<git_change> changes;
  for (int i = 0; i < 3000; ++i)
    changes.push_back(
        put("d" + std::to_string(i % 50) + "/f" + std::to_string(i), std::to_string(i)));
  commit(changes);
  CHECK(git(path, "ls-tree -r main | wc -l").text == "3001");
  CHECK(git(path, "fsck --strict").status == 0);
}

TEST_CASE_FIXTURE(repository_fixture, "a path is looked for in the folder that it was in then") {
  const auto one = commit({put("d/e/x", "1"), put("d/e/y", "1"), put("f", "1")});
  git_change gone;
  gone.what = git_change::kind::remove_folder;
  gone.path = "d";
  commit({gone});
  const auto three = commit({put("d", "a file"), put("d-e/z", "1")});
  gone.what = git_change::kind::remove_file;
  commit({gone});
  const auto five = commit({put("d/e/x", "1")});
  const auto six = commit({put("d/e/y", "1")});
  auto touched = repository->last_commits(six, {"d", "d/e", "d/e/x", "d/e/y", "d-e", "f"});
  CHECK(touched["d"].id == six);
  CHECK(touched["d/e"].id == six);
  CHECK(touched["d/e/x"].id == five);
  CHECK(touched["d/e/y"].id == six);
  CHECK(touched["d-e"].id == three);
  CHECK(touched["f"].id == one);
  CHECK(touched.size() == 6);
}

TEST_CASE_FIXTURE(repository_fixture, "histories that have nothing in common are not merged") {
  const auto ours = commit({put("a", "1")});
  const auto alone = repository->write_squash(ours, "alone", "alice");
  CHECK_FALSE(repository->write_merge(ours, alone, "merge", "alice"));
}
