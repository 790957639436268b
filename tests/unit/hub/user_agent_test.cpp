#include "hub/user_agent.hpp"

#include <doctest/doctest.h>

using cohub::hub::join_user_agent;

TEST_CASE("a user agent names each part once, in the order they came") {
  CHECK(
      join_user_agent({"x/1", "hf_hub/1.29.0.dev0", "python/3.11.2", "a/b; python/3.11.2; a/b"}) ==
      "x/1; hf_hub/1.29.0.dev0; python/3.11.2; a/b");
  CHECK(join_user_agent({"", " a ;; b;", ";"}) == "a; b");
  CHECK(join_user_agent({}).empty());
}
