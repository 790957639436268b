#include "cohub/hub_card.hpp"

#include "support/client_fixture.hpp"

#include <doctest/doctest.h>

using namespace cohub;
using test::client_fixture;

TEST_CASE_FIXTURE(client_fixture, "a card is pushed and loaded, to a pull request if asked (V48)") {
  run(api->create_repo("alice/m"));
  model_card card;
  card.data()["license"] = "mit";
  card.text() = "# A model\n";
  CHECK(failure_of(load_card(*api, "alice/m")).code() == errc::entry_not_found);
  const auto pushed = run(push_card(*api, card, "alice/m"));
  CHECK(pushed.commit_message == "Upload README.md with cohub");
  CHECK(run(load_card(*api, "alice/m")).content() == card.content());
  card.data()["license"] = "apache-2.0";
  const push_card_options as_pr{.create_pr = true};
  const auto proposed = run(push_card(*api, card, "alice/m", as_pr));
  REQUIRE(proposed.pr_num);
  CHECK(run(api->get_repo_discussions("alice/m").all()).size() == 1);
  CHECK(run(load_card(*api, "alice/m")).data().text_or("license") == "mit");
  const load_card_options of_pr{.revision = proposed.pr_revision};
  CHECK(run(load_card(*api, "alice/m", of_pr)).data().text_or("license") == "apache-2.0");
}

TEST_CASE_FIXTURE(client_fixture, "the Hub refuses a license that it does not know (V47)") {
  run(api->create_repo("alice/m"));
  model_card card;
  card.data()["license"] = "asdf";
  const auto failure = failure_of(push_card(*api, card, "alice/m"));
  CHECK(failure.code() == errc::bad_request);
  CHECK(std::string(failure.what()).find("license") != std::string::npos);
}

TEST_CASE_FIXTURE(client_fixture, "metadata is updated in place, on the Hub (V42, V61, V64)") {
  std::filesystem::create_directories(folder.path() / "alice" / "m");  // means nothing
  put_file("alice/m", "README.md", "---\nlicense: mit\n---\n# Net\n");
  const auto info = run(metadata_update(*api, "alice/m", {{"language", "en"}}));
  CHECK(info.commit_message == "Update metadata with cohub");
  CHECK(run(load_card(*api, "alice/m")).content() ==
        "---\nlicense: mit\nlanguage: en\n---\n# Net\n");
  CHECK(failure_of(metadata_update(*api, "alice/m", {{"language", "fr"}})).code() ==
        errc::invalid_card);
  metadata_update_options overwriting;
  overwriting.overwrite = true;
  overwriting.push.create_pr = true;
  const auto proposed = run(metadata_update(*api, "alice/m", {{"language", "fr"}}, overwriting));
  CHECK(proposed.pr_num);
  CHECK(run(load_card(*api, "alice/m")).data().text_or("language") == "en");
}

TEST_CASE_FIXTURE(client_fixture, "a repository without card gets one, but no space (V69)") {
  run(api->create_repo("alice/m"));
  run(metadata_update(*api, "alice/m", {{"license", "mit"}}));
  const auto card = run(load_card(*api, "alice/m"));
  CHECK(card.text().find("# Model Card for Model ID") != std::string::npos);
  CHECK(card.data().text_or("license") == "mit");
  const create_repo_options space{.type = repo_type::space, .space_sdk = "static"};
  run(api->create_repo("alice/s", space));
  metadata_update_options of_space;
  of_space.push.type = repo_type::space;
  CHECK(failure_of(metadata_update(*api, "alice/s", {{"title", "x"}}, of_space)).code() ==
        errc::invalid_card);
}
