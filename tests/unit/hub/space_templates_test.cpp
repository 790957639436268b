#include "hub/space_templates.hpp"

#include "cohub/error.hpp"

#include <doctest/doctest.h>

using namespace cohub;
using namespace cohub::hub;

TEST_CASE("a template is found by its id or its name") {
  const auto templates =
      read_space_templates(
          R"({"templates":[{"name":"Other","repoId":"o/JupyterLab","sdk":"static"},)"
          R"({"name":"JupyterLab","repoId":"SpacesExamples/jupyterlab",)"
          R"("sdk":"docker","preferredPrivate":true,"more":[]}]})")
          .value();
  REQUIRE(templates.size() == 2);
  CHECK_FALSE(templates[0].preferred_private);
  for (const char* wanted : {"SpacesExamples/jupyterlab", "jupyterlab", "JUPYTERLAB"}) {
    const auto* const found = find_space_template(templates, wanted);
    REQUIRE(found != nullptr);
    CHECK(found->repo_id == "SpacesExamples/jupyterlab");
    CHECK(found->sdk == "docker");
    CHECK(found->preferred_private);
  }
  CHECK(find_space_template(templates, "jupyter") == nullptr);
}

TEST_CASE("what is no list of templates is refused") {
  for (const char* body : {"", "[]", "{}", R"({"templates":{}})", R"({"templates":[1]})"})
    CHECK(read_space_templates(body).error() == errc::invalid_response);
}
