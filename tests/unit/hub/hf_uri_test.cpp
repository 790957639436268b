#include "cohub/hf_uri.hpp"

#include "cohub/error.hpp"

#include <doctest/doctest.h>

using namespace cohub;

TEST_CASE("addresses that people write name a repository, a revision and a path") {
  struct {
    const char* text;
    repo_type type;
    const char* id;
    const char* revision;  // "": none
    const char* path;
  } const cases[] = {
      {"hf://my-org/my-model@v1.0", repo_type::model, "my-org/my-model", "v1.0", ""},
      {"hf://datasets/foo/bar@refs/pr/10/file.csv", repo_type::dataset, "foo/bar", "refs/pr/10",
       "file.csv"},
      {"hf://my-org/my-model@feature%2Ffoo/config.json", repo_type::model, "my-org/my-model",
       "feature/foo", "config.json"},
      {"hf://a/b/c@v1", repo_type::model, "a/b", "", "c@v1"},
      {"https://huggingface.co/datasets/a/b/blob/main/my%20file.txt?download=true",
       repo_type::dataset, "a/b", "main", "my file.txt"},
      {"https://hf.co/a/b", repo_type::model, "a/b", "", ""},
      {"huggingface.co/a/b", repo_type::model, "a/b", "", ""},
      {"hf://kernels/a/b@refs/convert/parquet/x/y", repo_type::kernel, "a/b",
       "refs/convert/parquet", "x/y"},
      {"hf://models/a/b/", repo_type::model, "a/b", "", ""},
      {"https://huggingface.co/spaces/a/b/tree/refs%2Fpr%2F1/src#top", repo_type::space, "a/b",
       "refs/pr/1", "src"},
      {"http://127.0.0.1:80/hub/a/b/resolve/main/x", repo_type::model, "a/b", "main", "x"},
  };
  for (const auto& c : cases) {
    CAPTURE(c.text);
    const auto found = parse_hf_uri(c.text, "http://127.0.0.1:80/hub/");
    CHECK(is_hf_uri(c.text, "http://127.0.0.1:80/hub"));
    CHECK(found.type == c.type);
    CHECK(found.id == c.id);
    CHECK(found.revision.value_or("") == c.revision);
    CHECK(found.path_in_repo == c.path);
  }
}

TEST_CASE("addresses that name no repository are refused with the reason") {
  struct {
    const char* text;
    const char* reason;
  } const cases[] = {
      {"hf://gpt2", "owner/name"},
      {"https://huggingface.co/gpt2", "owner/name"},
      {"hf://dataset/a/b", "plural"},
      {"hf://models/o/m//x", "empty"},
      {"hf://o/m@/x", "revision is empty"},
      {"hf://buckets/o/b@v1", "no revisions"},
      {"hf://buckets/o/b", "no repository"},
      {"https://huggingface.co/a/b/commit/abc", "commit"},
      {"https://huggingface.co/a/b/tree", "revision is empty"},
      {"https://huggingface.company/a/b", "no address"},
      {"hf://", "owner/name"},
  };
  for (const auto& c : cases) {
    CAPTURE(c.text);
    try {
      parse_hf_uri(c.text, "http://h");
      FAIL("nothing was thrown");
    } catch (const error& e) {
      CHECK(e.code() == errc::invalid_url);
      CHECK(std::string(e.what()).find(c.reason) != std::string::npos);
    }
  }
}

TEST_CASE("an address tells whether its path is a folder, where it can") {
  CHECK(parse_hf_uri("hf://a/b/data/").is_folder);
  CHECK_FALSE(parse_hf_uri("hf://a/b/data").is_folder);
  CHECK_FALSE(parse_hf_uri("hf://a/b/").is_folder);
  CHECK(parse_hf_uri("hf.co/a/b/tree/main/data").is_folder);
  CHECK_FALSE(parse_hf_uri("hf.co/a/b/tree/main").is_folder);
  CHECK_FALSE(parse_hf_uri("hf.co/a/b/blob/main/data").is_folder);
}

TEST_CASE("ids are no addresses") {
  CHECK_FALSE(is_hf_uri("gpt2", "http://h"));
  CHECK_FALSE(is_hf_uri("owner/name", "http://h"));
  CHECK_FALSE(is_hf_uri("hf.com/name", "http://h"));
}
