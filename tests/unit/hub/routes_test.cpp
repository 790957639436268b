#include "hub/routes.hpp"

#include <doctest/doctest.h>

using namespace cohub;
namespace routes = cohub::hub::routes;

TEST_CASE("a file's address escapes the revision wholly and the path but for its slashes") {
  struct {
    const char* id;
    repo_type type;
    const char* revision;
    const char* path;
    const char* expected;
  } const cases[] = {
      {"gpt2", repo_type::model, "main", "config.json", "gpt2/resolve/main/config.json"},
      {"u/r", repo_type::dataset, "refs/pr/3", "a b/ü#1?.bin",
       "datasets/u/r/resolve/refs%2Fpr%2F3/a%20b/%C3%BC%231%3F.bin"},
      {"u/r", repo_type::space, "refs/convert/parquet", "file.txt",
       "spaces/u/r/resolve/refs%2Fconvert%2Fparquet/file.txt"},
      {"u/r", repo_type::kernel, "main", "f", "kernels/u/r/resolve/main/f"},
      {"u/r", repo_type::model, "v1.0~^feature/x y", "f", "u/r/resolve/v1.0~%5Efeature%2Fx%20y/f"},
      {"u/r", repo_type::model, "main", "~a+b&c=d;e@f:g$h!i'j(k)*l,m.txt",
       "u/r/resolve/main/~a%2Bb%26c%3Dd%3Be%40f%3Ag%24h%21i%27j%28k%29%2Al%2Cm.txt"},
      {"u/r", repo_type::model, "main", "a//b.txt", "u/r/resolve/main/a//b.txt"},
      {"u/r", repo_type::model, "main", "subfolder/to?/awful?filename%you:should,never.give",
       "u/r/resolve/main/subfolder/to%3F/awful%3Ffilename%25you%3Ashould%2Cnever.give"},
  };
  for (const auto& c : cases) {
    CAPTURE(c.path);
    CHECK(routes::resolve("https://huggingface.co", c.type, c.id, c.revision, c.path) ==
          std::string("https://huggingface.co/") + c.expected);
  }
}

TEST_CASE("addresses of the API") {
  CHECK(routes::tree("http://h", repo_type::model, "u/r", "refs/pr/1", "a/b c", true) ==
        "http://h/api/models/u/r/tree/refs%2Fpr%2F1/a%2Fb%20c?recursive=true&expand=false");
  CHECK(routes::repo_info("http://h", repo_type::dataset, "u/r", "", true) ==
        "http://h/api/datasets/u/r?blobs=true");
  CHECK(routes::commit("http://h", repo_type::space, "u/r", "main", true) ==
        "http://h/api/spaces/u/r/commit/main?create_pr=1");
  CHECK(routes::lfs_batch("http://h", repo_type::dataset, "u/r") ==
        "http://h/datasets/u/r.git/info/lfs/objects/batch");
}

TEST_CASE("addresses of what belongs to a repository") {
  const auto type = repo_type::dataset;
  const std::string_view at = "http://h";
  const std::string repo = "http://h/api/datasets/u/r";
  CHECK(routes::duplicate_repo(at, type, "u/r") == repo + "/duplicate");
  CHECK(routes::auth_check(at, type, "u/r", false) == repo + "/auth-check");
  CHECK(routes::auth_check(at, type, "u/r", true) == repo + "/auth-check/write");
  CHECK(routes::lfs_files(at, type, "u/r") == repo + "/lfs-files");
  CHECK(routes::lfs_deletions(at, type, "u/r") == repo + "/lfs-files/batch");
  CHECK(routes::compare(at, type, "u/r", "refs/pr/1", "main", false) ==
        repo + "/compare/refs%2Fpr%2F1..main");
  CHECK(routes::compare(at, type, "u/r", "a", "b", true) == repo + "/compare/a..b?raw=true");
  CHECK(routes::commits(at, type, "u/r", "main") == repo + "/commits/main");
  CHECK(routes::commits(at, type, "u/r", "main", true) ==
        repo + "/commits/main?expand%5B%5D=formatted");
  CHECK(routes::tree(at, type, "u/r", "main", "", false, true) ==
        repo + "/tree/main?recursive=false&expand=true");
  CHECK(routes::repo_info(at, type, "u/r", "", true, {}, true) ==
        repo + "?securityStatus=true&blobs=true");
  CHECK(routes::repo_info(at, type, "u/r", "v1", false, {"sha", "tags"}) ==
        repo + "/revision/v1?expand=sha&expand=tags");
  CHECK(routes::user_repos(at, "") == "http://h/api/settings/repositories");
  CHECK(routes::user_repos(at, "o") == "http://h/api/organizations/o/settings/repositories");
}

TEST_CASE("a listing asks for what its kind of repository has") {
  list_repos_options options;
  options.search = {"a b", "c"};
  options.filter = {"license:mit"};
  options.pipeline_tag = "fill-mask";
  options.apps = {"ollama", "vllm"};
  options.inference = "warm";
  options.inference_provider = {"all"};
  options.num_parameters = "min:6B,max:128B";
  options.trained_dataset = {"u/d", "dataset:u/e"};
  options.benchmark = "official";
  options.language = {"en", "language:fr"};
  options.size_categories = {"1K<n<10K"};
  options.task_categories = {"summarization"};
  options.datasets = {"u/d"};
  options.models = {"u/m"};
  options.linked = true;
  options.gated = false;
  options.sort = "last_modified";
  options.limit = 5'000;
  options.fetch_config = true;
  options.full = true;
  const std::string begin = "?search=a%20b&search=c&filter=license%3Amit";
  const std::string end = "&gated=false&sort=lastModified&limit=1000&full=true";
  CHECK(
      routes::list_repos("http://h", repo_type::model, options) ==
      "http://h/api/models" + begin +
          "&filter=dataset%3Au%2Fd&filter=dataset%3Au%2Fe&pipeline_tag=fill-mask&apps=ollama"
          "&apps=vllm&inference=warm&inference_provider=all&num_parameters=min%3A6B%2Cmax%3A128B" +
          end + "&config=true");
  CHECK(routes::list_repos("http://h", repo_type::dataset, options) ==
        "http://h/api/datasets" + begin +
            "&filter=benchmark%3Aofficial&filter=language%3Aen&filter=language%3Afr"
            "&filter=size_categories%3A1K%3Cn%3C10K&filter=task_categories%3Asummarization" +
            end);
  CHECK(routes::list_repos("http://h", repo_type::space, options) ==
        "http://h/api/spaces" + begin + "&datasets=u%2Fd&models=u%2Fm&linked=true" + end);
  options.expand = {"sha"};
  CHECK(routes::list_repos("http://h", repo_type::space, options)
            .ends_with("&limit=1000&expand=sha"));
  CHECK(routes::list_repos("http://h", repo_type::model, {}) == "http://h/api/models");
}

TEST_CASE("a list in a query repeats its key, and what is not said is left out") {
  list_repos_options options;
  options.search = {"a b", "c"};
  options.gated = false;
  options.limit = 1;
  options.expand = {"formatted", "x/y"};
  CHECK(routes::list_repos("http://h", repo_type::kernel, options) ==
        "http://h/api/kernels?search=a%20b&search=c&gated=false&limit=1&expand=formatted&"
        "expand=x%2Fy");
}

TEST_CASE("what the public Hub writes is moved to the endpoint in use") {
  CHECK(routes::rebase("https://huggingface.co/a?b", "http://m/hub") == "http://m/hub/a?b");
  CHECK(routes::rebase("https://hub-ci.huggingface.co/a", "http://m") == "http://m/a");
  CHECK(routes::rebase("https://huggingface.company/a", "http://m") ==
        "https://huggingface.company/a");
  CHECK(routes::rebase("https://cdn.example/a", "http://m") == "https://cdn.example/a");
}
