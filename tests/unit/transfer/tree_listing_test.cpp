#include "transfer/tree_listing.hpp"

#include "scripted_hub.hpp"

#include <doctest/doctest.h>

using namespace cohub;
using test::scripted_reply;
using test::seen_request;

TEST_CASE_FIXTURE(test::scripted_hub, "pages follow their links, each asked for as it was given") {
  const auto page = [](int begin, int end) {
    std::string text;
    for (int i = begin; i < end; ++i)
      text += std::string(text.empty() ? "[" : ",") + R"({"type":"file","path":")" +
              std::to_string(i) + R"(","size":1,"oid":")" + std::string(40, '1') + "\"}";
    return text + "]";
  };
  const auto linked = [&](const std::string& target) {
    return "Link: <" + api.origin() + target + ">; rel=\"next\"\r\n";
  };
  api_fault = [&](const seen_request& request) -> std::optional<scripted_reply> {
    if (request.line.starts_with("GET /next?cursor=abc%3D "))
      return scripted_reply::text(200, page(4, 7), linked("/other?limit=2&cursor=%2F"));
    if (request.line.starts_with("GET /other?limit=2&cursor=%2F "))
      return scripted_reply::text(200, page(7, 9));
    return scripted_reply::text(200, page(1, 4), linked("/next?cursor=abc%3D"));
  };
  auto pages = transfer::list_repo_tree(shared, "o/m", {});
  const auto entries = run(pages.all());
  std::string paths;
  for (const auto& entry : entries) paths += entry.path;
  CHECK(paths == "12345678");
  CHECK(requests() == 3);
}
