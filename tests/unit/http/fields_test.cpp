#include "http/fields.hpp"

#include <doctest/doctest.h>

using cohub::http::fields;

TEST_CASE("header names compare without case and the first value wins") {
  fields headers;
  headers.add("X-Repo-Commit", "one");
  headers.add("x-repo-commit", "two");
  CHECK(headers.get("X-REPO-COMMIT") == "one");
  CHECK(headers.get("absent").empty());
  CHECK(headers.has("x-Repo-Commit"));
  CHECK_FALSE(headers.has("x-repo"));
}

TEST_CASE("setting a header replaces every earlier value of it") {
  fields headers;
  headers.add("Accept", "a");
  headers.add("ACCEPT", "b");
  headers.set("accept", "c");
  CHECK(headers.get("Accept") == "c");
  headers.erase("aCCept");
  CHECK(headers.empty());
}
