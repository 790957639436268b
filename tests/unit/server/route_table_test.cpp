#include "server/handlers/route_table.hpp"

#include "server/failure.hpp"
#include "server/handlers/handlers.hpp"
#include "server/handlers/target.hpp"

#include <doctest/doctest.h>

#include <string>
#include <vector>

namespace server = cohub::server;

namespace {

struct found {
  int status = 200;
  std::string allowed{};
  server::route to{};
  server::call what{};
};

found route_of(const std::string& method, const std::string& target) {
  found result;
  server::request_head head;
  head.method = method;
  head.target = target;
  try {
    result.to = server::find_route(head, result.what);
  } catch (const server::failure& problem) {
    result.status = problem.status();
    result.allowed = std::string(problem.headers().get("Allow"));
  }
  return result;
}

}  // namespace

TEST_CASE("parameters are read from addresses and from forms") {
  const std::string query = "recursive=true&expand=false&a=x&a=y&n=&k=1&expand%5B%5D=formatted";
  using values = std::vector<std::string>;
  CHECK(server::query_flag(query, "recursive"));
  CHECK(server::query_values(query, "a") == values{"x", "y"});
  CHECK(server::query_values(query, "n") == values{""});
  CHECK(server::query_values(query, "k") == values{"1"});
  CHECK(server::query_values(query, "expand") == values{"false", "formatted"});
  CHECK(server::query_values(query, "b").empty());
  const std::string form = "paths=a+b&paths=c%2Fd&expand=false";
  CHECK(server::query_values(form, "paths") == values{"a b", "c/d"});
  CHECK_FALSE(server::query_flag(form, "expand"));
}

TEST_CASE("the url says type, id, revision and path") {
  struct {
    const char* method;
    const char* target;
    server::call_handler handler;
    cohub::repo_type type;
    const char* id;
    const char* revision;
    const char* path;
  } const cases[] = {
      {"GET", "/api/models/a/b", server::get_repo_info, cohub::repo_type::model, "a/b", "", ""},
      {"GET", "/api/models/gpt2", server::get_repo_info, cohub::repo_type::model, "gpt2", "", ""},
      {"GET", "/api/models/gpt2/revision/main", server::get_repo_info, cohub::repo_type::model,
       "gpt2", "main", ""},
      {"GET", "/api/datasets/a/b/revision/refs%2Fpr%2F3?x=1", server::get_repo_info,
       cohub::repo_type::dataset, "a/b", "refs/pr/3", ""},
      {"GET", "/api/spaces/a/tree/tree/main", server::list_tree, cohub::repo_type::space, "a/tree",
       "main", ""},
      {"GET", "/api/models/a/b/compare/v1..refs%2Fpr%2F1?raw=true", server::compare_commits,
       cohub::repo_type::model, "a/b", "v1..refs/pr/1", ""},
      {"POST", "/api/datasets/a/b/duplicate", server::duplicate_repo, cohub::repo_type::dataset,
       "a/b", "", ""},
      {"GET", "/api/models/a/b/lfs-files?cursor=1", server::list_lfs_files, cohub::repo_type::model,
       "a/b", "", ""},
      {"GET", "/api/organizations/team/settings/repositories", server::list_own_repos,
       cohub::repo_type::model, "team", "", ""},
      {"GET", "/api/models/a/b/tree/v1/x%2Fy%20z", server::list_tree, cohub::repo_type::model,
       "a/b", "v1", "x/y z"},
      {"GET", "/a/b/resolve/main/c%2Fd.txt?download=true", server::resolve_file,
       cohub::repo_type::model, "a/b", "main", "c/d.txt"},
      {"HEAD", "/datasets/a/b/resolve/refs/pr/1/x", server::resolve_file, cohub::repo_type::dataset,
       "a/b", "refs/pr/1", "x"},
      {"GET", "/a/resolve/resolve/main/x", server::resolve_file, cohub::repo_type::model,
       "a/resolve", "main", "x"},
      {"GET", "/gpt2/raw/main/x", server::raw_file, cohub::repo_type::model, "gpt2", "main", "x"},
      {"POST", "/spaces/a/b.git/info/lfs/objects/batch", server::lfs_batch, cohub::repo_type::space,
       "a/b", "", ""},
      {"POST", "/api/models/a/b/branch/dev%2Fx", server::create_branch, cohub::repo_type::model,
       "a/b", "dev/x", ""},
      {"DELETE", "/api/models/a/b/tag/v1", server::delete_tag, cohub::repo_type::model, "a/b", "v1",
       ""},
  };
  for (const auto& each : cases) {
    CAPTURE(each.target);
    const auto got = route_of(each.method, each.target);
    CHECK(got.status == 200);
    CHECK((got.to.handler == each.handler));
    CHECK(got.what.type == each.type);
    CHECK(got.what.id == each.id);
    CHECK(got.what.revision == each.revision);
    CHECK(got.what.path == each.path);
  }
}

TEST_CASE("urls that lead nowhere or are malformed are refused") {
  CHECK(route_of("GET", "/").status == 404);
  CHECK(route_of("GET", "/api").status == 404);
  CHECK(route_of("GET", "/api/agent-harnesses").status == 404);
  CHECK(route_of("GET", "/api/buckets/a/b").status == 404);
  CHECK(route_of("GET", "/api/models/a/b/xet-write-token/main").status == 404);
  CHECK(route_of("GET", "/api/models/a/b/tree").status == 404);
  CHECK(route_of("GET", "/a/b/resolve/main").status == 404);
  CHECK(route_of("GET", "/a/b/resolve/main/").status == 404);
  CHECK(route_of("PUT", "/api/models/a/b").status == 405);
  CHECK(route_of("POST", "/api/whoami-v2").status == 405);
  CHECK(route_of("GET", "/api/models/a%2").status == 400);
  CHECK(route_of("GET", "/api/models/a%zz/b").status == 400);
  CHECK(route_of("GET", "/api/models/a/b?x=%").status == 400);
  CHECK(route_of("GET", "/a/b/resolve/main/x%00y").status == 400);
  CHECK(route_of("GET", "/a/b/resolve/main/x%ff").status == 400);
  CHECK(route_of("GET", "/a/b/resolve/main/%C3%A9").status == 200);
  CHECK(route_of("GET", "a/b").status == 400);
  CHECK(route_of("GET", "*").status == 400);
}

TEST_CASE("a method that is not allowed is told those that are") {
  CHECK(route_of("PUT", "/api/models/a/b").allowed == "GET, HEAD");
  CHECK(route_of("PUT", "/api/whoami-v2").allowed == "GET, HEAD");
  CHECK(route_of("PUT", "/api/models/a/b/branch/x").allowed == "POST, DELETE");
  CHECK(route_of("PUT", "/api/models/a/b/discussions").allowed == "GET, HEAD, POST");
  CHECK(route_of("GET", "/a/b.git/info/lfs/objects/batch").allowed == "POST");
  CHECK(route_of("POST", "/a/b/resolve/main/x").allowed == "GET, HEAD");
  CHECK(route_of("GET", "/api/models/a/b/nothing/x").allowed.empty());
}
