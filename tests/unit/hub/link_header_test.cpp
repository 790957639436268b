#include "hub/link_header.hpp"

#include <doctest/doctest.h>

using cohub::hub::link_target;

TEST_CASE("the next page is found, verbatim") {
  CHECK(link_target(R"(<https://huggingface.co/api/models?limit=2&cursor=abc%3D>; rel="next")",
                    "next") == "https://huggingface.co/api/models?limit=2&cursor=abc%3D");
  CHECK(link_target(R"(<http://h/a,b;c>; rel=prev, <http://h/2>; title="x"; rel="next")", "next") ==
        "http://h/2");
  CHECK(link_target(R"(<http://h/a>; rel="xet-auth", <http://h/b>; rel="next")", "xet-auth") ==
        "http://h/a");
}

TEST_CASE("a link may be spelt in many ways") {
  for (const char* header :
       {"<http://h/2>; Rel=\"next\"", "<http://h/2>; rel=\"next last\"", "<http://h/2>;REL=Next",
        "<http://h/2>; title=\"a, <b\"; rel=\"next\"", "<http://h/2>; title=\"a;b\\\"\"; rel=next",
        "<http://h/2> ; rel = \"last\tNEXT\" ; x", "<http://h/1>; rel=prev,<http://h/2>;rel=next",
        "<http://h/1>; title=\"; rel=next\", <http://h/2>; rel=next",
        ", <http://h/1>, <http://h/2>; rel=\"next"}) {
    CAPTURE(header);
    CHECK(link_target(header, "next") == "http://h/2");
  }
  CHECK_FALSE(link_target("<http://h/1>; title=\"rel=next\"; rel=nextest", "next"));
}

TEST_CASE("no link is no link") {
  for (const char* header :
       {"", "<http://h/2>", "<http://h/2>; rel=\"prev\"", "<http://h/2; rel=next",
        "http://h/2; rel=\"next\"", "<>", "><", "<a>;;;=;rel"}) {
    CAPTURE(header);
    CHECK_FALSE(link_target(header, "next"));
  }
}
