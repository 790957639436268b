#include "commit_text.hpp"
#include "hub_caller.hpp"

#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

using namespace cohub::test;
using method = cohub::http::method;

namespace {

using names = std::vector<std::string>;

struct listing_fixture : hub_caller {
  names listed(const std::string& target) {
    names found;
    const auto reply = get(target);
    CHECK(reply.status == 200);
    const auto page = reply.json();
    for (const auto& each : page.as_array()) found.push_back(text_at(each, "/id"));
    return found;
  }
};

}  // namespace

TEST_CASE_FIXTURE(listing_fixture, "a moved repository is listed once, under its new name") {
  make_repo("old");
  const std::string move = R"({"fromRepo":"alice/old","toRepo":"alice/new","type":"model"})";
  CHECK(post("/api/repos/move", move).status == 200);
  CHECK(listed("/api/models") == names{"alice/new"});
  CHECK(listed("/api/settings/repositories") == names{"alice/new"});
  make_repo("old");
  CHECK(listed("/api/models?sort=id&direction=1") == names{"alice/new", "alice/old"});
}

TEST_CASE_FIXTURE(listing_fixture, "one repository that cannot be read hides no other") {
  make_repo("broken");
  make_repo("garbled");
  make_repo("sound");
  std::filesystem::remove_all(git_dir("alice/broken") / "objects");
  std::ofstream(git_dir("alice/garbled") / "cohub.json") << "{";
  CHECK(listed("/api/models") == names{"alice/sound"});
  CHECK(listed("/api/models?full=true&filter=x").empty());
  CHECK(listed("/api/settings/repositories") == names{"alice/broken", "alice/sound"});
}

TEST_CASE_FIXTURE(listing_fixture, "a page is cut after the sorting, and its files are named") {
  for (const char* name : {"a", "b", "c"}) make_repo(name);
  CHECK(commit("alice/b", file_line("dir/x", "1") + file_line("dir.txt", "2")).status == 200);
  CHECK(listed("/api/models?sort=id&direction=1&limit=2") == names{"alice/a", "alice/b"});
  CHECK(listed("/api/models?sort=id&direction=1&limit=2&cursor=2") == names{"alice/c"});
  const auto page = get("/api/models?sort=id&direction=1&limit=1&cursor=1&full=true").json();
  const auto files = page.as_array().at(0).at("siblings").as_array();
  REQUIRE(files.size() == 3);
  CHECK(text_at(files[0], "/rfilename") == ".gitattributes");
  CHECK(text_at(files[1], "/rfilename") == "dir.txt");
  CHECK(text_at(files[2], "/rfilename") == "dir/x");
}

TEST_CASE_FIXTURE(listing_fixture, "data sets are found by all that their cards tell") {
  const std::string create = R"({"name":"d","type":"dataset"})";
  CHECK(post("/api/repos/create", create).status == 200);
  const std::string card =
      "---\ntask_ids:\n- natural-language-inference\nmultilinguality: monolingual\n"
      "language_creators:\n- found\nannotations_creators:\n- crowdsourced\n"
      "source_datasets:\n- original\nbenchmark: official\n---\n";
  CHECK(
      post("/api/datasets/alice/d/commit/main",
           "{\"key\":\"header\",\"value\":{\"summary\":\"card\"}}\n" + file_line("README.md", card))
          .status == 200);
  for (const char* tag : {"task_ids:natural-language-inference", "multilinguality:monolingual",
                          "language_creators:found", "annotations_creators:crowdsourced",
                          "source_datasets:original", "benchmark:official"}) {
    CAPTURE(tag);
    CHECK(listed("/api/datasets?filter=" + std::string(tag)) == names{"alice/d"});
  }
  CHECK(listed("/api/datasets?filter=task_ids:other").empty());
}

TEST_CASE_FIXTURE(listing_fixture, "one's own kernels are listed too") {
  CHECK(post("/api/repos/create", R"({"name":"k","type":"kernel"})").status == 200);
  CHECK(listed("/api/settings/repositories") == names{"alice/k"});
}

TEST_CASE_FIXTURE(listing_fixture,
                  "repositories are found by what they hold, whatever their cards say") {
  make_repo("a");
  make_repo("b");
  const auto config_text = R"({"model_type":"bert"})";
  CHECK(commit("alice/a",
               file_line("unet/w.safetensors", "w") + file_line("config.json", config_text))
            .status == 200);
  CHECK(listed("/api/models?filter=safetensors") == names{"alice/a"});
  CHECK(listed("/api/models?filter=bert") == names{"alice/a"});
  CHECK(get("/api/models/alice/b").json().at("tags").as_array().empty());
  post("/api/repos/create", R"({"name":"s","type":"space","sdk":"gradio"})");
  CHECK(listed("/api/spaces?filter=gradio") == names{"alice/s"});
  CHECK(listed("/api/spaces?filter=static").empty());
}
