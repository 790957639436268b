#include "server/git/git_diff.hpp"

#include "commit_text.hpp"
#include "hub_caller.hpp"
#include "server/git/git_repository.hpp"

#include <doctest/doctest.h>

#include <string>
#include <vector>

using namespace cohub::test;
namespace server = cohub::server;

namespace {

struct diff_fixture : hub_caller {
  diff_fixture() { make_repo("m"); }

  static std::string text(int number, const std::string& last) {
    std::string lines;
    for (int i = 0; i < 60; ++i)
      lines += "line " + std::to_string(i) + " of " + std::to_string(number) + "\n";
    return lines + last;
  }
  /// Moves so many files from one folder to another, of which the last one alone stays as it is;
  /// what `compare` tells of that.
  std::string compare_moved(int count) {
    std::string before, after = delete_folder_line("a");
    for (int i = 0; i < count; ++i) {
      const auto name = std::to_string(i);
      before += file_line("a/" + name, text(i, "old\n"));
      after += file_line("b/" + name, text(i, i + 1 == count ? "old\n" : "new\n"));
    }
    CHECK(commit("alice/m", before).status == 200);
    const auto from = head_of("alice/m");
    CHECK(commit("alice/m", after).status == 200);
    return get("/api/models/alice/m/compare/" + from + "..main?raw=true").body;
  }
  /// What differs where `count` files of many lines differ in one of them.
  std::optional<std::string> compare_large(int count, server::diff_format format) {
    server::git_repository repository(git_dir("alice/m"));
    std::string many;
    while (many.size() < 9u << 20) many += std::string(1000, 'x') + '\n';
    const auto write = [&](const std::string& parent, const std::string& content) {
      const auto blob = repository.write_blob(content);
      std::vector<server::git_change> changes;
      for (int i = 0; i < count; ++i) {
        server::git_change change;
        change.path = std::to_string(i);
        change.blob = blob;
        changes.push_back(change);
      }
      return repository.write_commit(parent, changes, "change", "alice");
    };
    const auto from = write(repository.ref_target("refs/heads/main").value(), many + "old\n");
    const auto to = write(from, many + "new\n");
    return server::write_diff(git_dir("alice/m"), from, to, format, 16u << 20);
  }
};

bool is_renamed(const std::string& diff, const std::string& name, const char* score) {
  for (std::size_t at = 0; at < diff.size();) {
    const auto end = std::min(diff.find('\n', at), diff.size());
    const auto line = diff.substr(at, end - at);
    if (line.find(std::string(" ") + score) != line.npos && line.ends_with("b/" + name))
      return true;
    at = end + 1;
  }
  return false;
}

}  // namespace

TEST_CASE_FIXTURE(diff_fixture, "a renamed file is known again by what it mostly holds") {
  const auto diff = compare_moved(5);
  CHECK(is_renamed(diff, "0", "R09"));
  CHECK(is_renamed(diff, "4", "R100"));
}

TEST_CASE_FIXTURE(diff_fixture,
                  "of very many files only those that stay the same are known again") {
  const auto diff = compare_moved(120);
  CHECK_FALSE(is_renamed(diff, "0", "R0"));
  CHECK(is_renamed(diff, "119", "R100"));
  CHECK(diff.find(" D\ta/0") != diff.npos);
  CHECK(diff.find(" A\tb/0") != diff.npos);
}

TEST_CASE_FIXTURE(diff_fixture, "very much text is not looked through for what has changed in it") {
  CHECK(compare_large(2, server::diff_format::patch).value_or("").find("+new") !=
        std::string::npos);
  CHECK_FALSE(compare_large(5, server::diff_format::patch).has_value());
  CHECK(compare_large(5, server::diff_format::raw).has_value());
}

TEST_CASE_FIXTURE(diff_fixture, "a merge looks for renamed files by the same rule") {
  const auto propose_and_merge = [&](const std::string& where, int count) {
    std::string before, edited;
    std::string moved = delete_folder_line(where);
    for (int i = 0; i < count; ++i) {
      const auto name = where + '/' + std::to_string(i);
      before += file_line(name, text(i, "old\n"));
      moved += file_line("moved-" + name, text(i, "new\n"));
    }
    CHECK(commit("alice/m", before).status == 200);
    const auto made = commit("alice/m", moved, "?create_pr=1");
    const auto url = text_at(made.json(), "/pullRequestUrl");
    const auto number = url.substr(url.rfind('/') + 1);
    CHECK(commit("alice/m", file_line(where + "/0", text(0, "old\nmore\n") + text(0, ""))).status ==
          200);
    const auto target = "/api/models/alice/m/discussions/" + number;
    const auto conflicts = get(target).json().at("filesWithConflicts").as_array().size();
    const auto status = post(target + "/merge", "{}").status;
    CHECK((status == 200) == (conflicts == 0));
    return conflicts;
  };
  propose_and_merge("few", 3);
  CHECK(propose_and_merge("many", 120) == 1);
}
