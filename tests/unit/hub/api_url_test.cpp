#include "hub/api_url.hpp"

#include <doctest/doctest.h>

using namespace cohub::hub;

TEST_CASE("an address of the API names its repository") {
  struct {
    const char* url;
    const char* type;
    const char* id;
  } const cases[] = {
      {"https://hub/api/models/bert-base-cased/tree/main", "model", "bert-base-cased"},
      {"https://hub/api/models/bert-base-cased/preupload/main", "model", "bert-base-cased"},
      {"https://hub/api/models/bert-base-cased", "model", "bert-base-cased"},
      {"https://hub/api/models/u/r?expand=siblings", "model", "u/r"},
      {"https://hub/prefix/api/datasets/u/r/tree/main/sub", "dataset", "u/r"},
      {"http://127.0.0.1:80/api/spaces/u/r/commit/main", "space", "u/r"},
      {"https://hub/api/models/u/tree/tree/main", "model", "u"},
  };
  for (const auto& c : cases) {
    CAPTURE(c.url);
    const auto found = repository_of_api_url(c.url);
    REQUIRE(found.has_value());
    CHECK(found->type == c.type);
    CHECK(found->id == c.id);
  }
  for (const char* url :
       {"https://hub/api/kernels/a/b", "https://hub/gpt2/resolve/main/x", "https://hub/api/models/",
        "https://hub/api/models/a..b/c", "https://hub/x?y=/api/models/u/r", ""}) {
    CAPTURE(url);
    CHECK_FALSE(repository_of_api_url(url).has_value());
  }
}
