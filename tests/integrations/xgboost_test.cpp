#include "cohub/xgboost.hpp"

#include "support/client_fixture.hpp"
#include "support/scripted_server.hpp"

#include <boost/json/parse.hpp>
#include <doctest/doctest.h>

#include <cmath>
#include <vector>

using namespace cohub;
using test::client_fixture;
namespace fs = std::filesystem;

namespace {

constexpr bst_ulong rows = 64, columns = 2;

/// Owns a matrix of points and whether they lie in the unit circle.
struct circle {
  circle() {
    for (bst_ulong i = 0; i < rows; ++i) {
      const float x = static_cast<float>(i % 8) / 4 - 1, y = static_cast<float>(i / 8) / 4 - 1;
      points.insert(points.end(), {x, y});
      labels.push_back(x * x + y * y < 1 ? 1.0f : 0.0f);
    }
    REQUIRE(XGDMatrixCreateFromMat(points.data(), rows, columns, NAN, &matrix) == 0);
    REQUIRE(XGDMatrixSetFloatInfo(matrix, "label", labels.data(), rows) == 0);
  }
  circle(circle&&) = delete;
  ~circle() { XGDMatrixFree(matrix); }

  std::vector<float> predicted_by(BoosterHandle booster) const {
    bst_ulong count = 0;
    const float* values = nullptr;
    REQUIRE(XGBoosterPredict(booster, matrix, 0, 0, 0, &count, &values) == 0);
    return {values, values + count};
  }

  std::vector<float> points, labels;
  DMatrixHandle matrix = nullptr;
};

struct xgboost_fixture : client_fixture {
  circle data;
  xgboost_booster booster = trained();

  xgboost_booster trained() const {
    BoosterHandle handle = nullptr;
    REQUIRE(XGBoosterCreate(&data.matrix, 1, &handle) == 0);
    xgboost_booster result(handle);
    for (const auto& [key, value] :
         {std::pair("objective", "binary:logistic"), std::pair("nthread", "1")})
      REQUIRE(XGBoosterSetParam(handle, key, value) == 0);
    for (int round = 0; round < 5; ++round)
      REQUIRE(XGBoosterUpdateOneIter(handle, round, data.matrix) == 0);
    return result;
  }
  std::string remote(const std::string& repo, const std::string& path) {
    return test::read_all(run(api->download_file(repo, path)));
  }
};

}  // namespace

TEST_CASE_FIXTURE(xgboost_fixture, "a booster is pushed and comes back with its predictions (G4)") {
  push_to_hub_xgboost_options options;
  for (const auto* file : {"model.json", "model.ubj"}) {
    CAPTURE(file);
    options.file = file;
    const auto commit = run(push_to_hub_xgboost(*api, booster.get(), "circle", options));
    from_pretrained_xgboost_options from;
    from.file = file;
    from.fetch.revision = commit.oid;
    const auto loaded = run(from_pretrained_xgboost(*api, "alice/circle", from));
    CHECK(data.predicted_by(loaded.get()) == data.predicted_by(booster.get()));
    CHECK(data.predicted_by(loaded.get()).size() == rows);
  }
}

TEST_CASE_FIXTURE(xgboost_fixture, "a push brings a card and a config (G15, G16)") {
  push_to_hub_xgboost_options options;
  options.info.license("mit").tags("circles");
  options.push.config = boost::json::object{{"radius", 1}};
  options.push.is_private = true;
  options.push.commit_message = "A circle";
  const auto commit = run(push_to_hub_xgboost(*api, booster.get(), "circle", options));
  CHECK(commit.commit_message == "A circle");
  CHECK(run(api->repo_info("alice/circle")).is_private);
  const auto pushed = boost::json::parse(remote("alice/circle", "config.json")).as_object();
  CHECK(pushed.at("radius") == 1);
  CHECK(pushed.at("num_features") == 2);
  CHECK(pushed.contains("xgboost_version"));
  const auto card = model_card::parse(remote("alice/circle", "README.md"));
  CHECK(card.data().text_or("library_name") == "xgboost");
  CHECK(*card.data().find("tags") == card_value(std::vector<std::string>{"circles", "xgboost"}));
  options.push.config = boost::json::array{1};
  CHECK(failure_of(push_to_hub_xgboost(*api, booster.get(), "circle", options)).code() ==
        errc::invalid_argument);
  options.push.config = boost::json::value();  // null: none is given
  options.file = "../model.json";
  CHECK(failure_of(push_to_hub_xgboost(*api, booster.get(), "circle", options)).code() ==
        errc::invalid_argument);
}

TEST_CASE_FIXTURE(xgboost_fixture, "loading asks for the config, which a model may lack (G50)") {
  REQUIRE(XGBoosterSaveModel(booster.get(), (folder.path() / "model.json").c_str()) == 0);
  put_file("alice/bare", "model.json", test::read_all(folder.path() / "model.json"));
  hub->clear_requests();
  const auto loaded = run(from_pretrained_xgboost(*api, "alice/bare"));
  CHECK(data.predicted_by(loaded.get()) == data.predicted_by(booster.get()));
  CHECK(hub->count_requests("/alice/bare/resolve/main/config.json") >= 1);
  const auto local = run(from_pretrained_xgboost(*api, folder.path().string()));
  CHECK(data.predicted_by(local.get()) == data.predicted_by(booster.get()));
}

TEST_CASE_FIXTURE(xgboost_fixture,
                  "a model of a newer XGBoost, a broken one and none are told apart") {
  put_file("alice/m", "config.json", R"({"xgboost_version":"99.0.0"})");
  CHECK(failure_of(from_pretrained_xgboost(*api, "alice/m")).code() == errc::entry_not_found);
  put_file("alice/m", "model.json", "{\"learner\": 1}");
  const auto newer = failure_of(from_pretrained_xgboost(*api, "alice/m"));
  CHECK(std::string(newer.what()).find("XGBoost 99.0.0") != std::string::npos);
  put_file("alice/m", "config.json", "{}");
  const auto broken = failure_of(from_pretrained_xgboost(*api, "alice/m"));
  CHECK(broken.code() == errc::invalid_argument);
  CHECK(std::string(broken.what()).find("model.json") != std::string::npos);
  CHECK(failure_of(from_pretrained_xgboost(*api, "alice/none")).code() ==
        errc::repository_not_found);
}

TEST_CASE_FIXTURE(xgboost_fixture, "loading has every parameter (G10, G11, G12, G13)") {
  push_to_hub_xgboost_options pushing;
  pushing.push.is_private = true;
  const auto first = run(push_to_hub_xgboost(*api, booster.get(), "circle", pushing));
  put_file("alice/circle", "model.json", "{}");
  auto anonymous = client_settings;
  anonymous.token = "";
  client stranger(context.get_executor(), anonymous);
  from_pretrained_xgboost_options from;
  from.fetch.revision = first.oid;
  from.fetch.cache_dir = folder.path() / "elsewhere";
  CHECK(failure_of(from_pretrained_xgboost(stranger, "alice/circle", from)).code() ==
        error_kind::repository_not_found);
  from.fetch.token = token;
  const auto loaded = run(from_pretrained_xgboost(stranger, "alice/circle", from));
  CHECK(data.predicted_by(loaded.get()) == data.predicted_by(booster.get()));
  CHECK(fs::exists(from.fetch.cache_dir / "models--alice--circle"));
  hub->clear_requests();
  from.fetch.local_files_only = true;
  run(from_pretrained_xgboost(stranger, "alice/circle", from));
  CHECK(hub->requests().empty());
  from.fetch.local_files_only = false;
  from.fetch.force_download = true;
  run(from_pretrained_xgboost(stranger, "alice/circle", from));
  CHECK(hub->count_requests("/model.json", "GET") >= 1);
}

TEST_CASE_FIXTURE(xgboost_fixture, "pushing has every parameter (G17, G18, G19, G20)") {
  push_to_hub_xgboost_options options;
  options.push.ignore_patterns = {"*.md"};
  run(push_to_hub_xgboost(*api, booster.get(), "circle", options));
  CHECK(failure_of(api->download_file("alice/circle", "README.md")).code() ==
        errc::entry_not_found);
  options.push = {};
  options.push.allow_patterns = {"config.json"};
  options.push.delete_patterns = {"model.*"};
  run(push_to_hub_xgboost(*api, booster.get(), "circle", options));
  CHECK(failure_of(from_pretrained_xgboost(*api, "alice/circle")).code() == errc::entry_not_found);
  run(api->create_branch("alice/circle", "dev"));
  options.push = {};
  options.push.branch = "dev";
  run(push_to_hub_xgboost(*api, booster.get(), "circle", options));
  options.push = {};
  options.push.create_pr = true;
  const auto proposed = run(push_to_hub_xgboost(*api, booster.get(), "circle", options));
  for (const auto& revision : {std::string("dev"), proposed.pr_revision}) {
    from_pretrained_xgboost_options from;
    from.fetch.revision = revision;
    const auto loaded = run(from_pretrained_xgboost(*api, "alice/circle", from));
    CHECK(data.predicted_by(loaded.get()) == data.predicted_by(booster.get()));
  }
  auto anonymous = client_settings;
  anonymous.token = "";
  client stranger(context.get_executor(), anonymous);
  options.push = {};
  CHECK(failure_of(push_to_hub_xgboost(stranger, booster.get(), "alice/circle", options)).code() ==
        errc::unauthorized);
  options.push.token = token;
  options.push.edit_card = [](model_card& card) { card.text() += "\nEdited.\n"; };
  run(push_to_hub_xgboost(stranger, booster.get(), "alice/circle", options));
  CHECK(remote("alice/circle", "README.md").ends_with("\nEdited.\n"));
}

TEST_CASE_FIXTURE(xgboost_fixture, "config and model come from one commit, or from the cache") {
  run(push_to_hub_xgboost(*api, booster.get(), "circle"));
  hub->clear_requests();
  run(from_pretrained_xgboost(*api, "alice/circle"));
  CHECK(hub->count_requests("/resolve/main/model.json") == 0);
  REQUIRE(XGBoosterSaveModel(booster.get(), (folder.path() / "model.json").c_str()) == 0);
  put_file("alice/bare", "model.json", test::read_all(folder.path() / "model.json"));
  run(from_pretrained_xgboost(*api, "alice/bare"));
  hub->clear_requests();
  from_pretrained_xgboost_options cached;
  cached.fetch.local_files_only = true;
  const auto loaded = run(from_pretrained_xgboost(*api, "alice/bare", cached));
  CHECK(data.predicted_by(loaded.get()) == data.predicted_by(booster.get()));
  CHECK(hub->requests().empty());
}

TEST_CASE_FIXTURE(xgboost_fixture, "loading outlives the client it was asked of") {
  run(push_to_hub_xgboost(*api, booster.get(), "circle"));
  auto loading = from_pretrained_xgboost(*api, "alice/circle");
  api.reset();
  const auto loaded = run(std::move(loading));
  CHECK(data.predicted_by(loaded.get()) == data.predicted_by(booster.get()));
}

TEST_CASE_FIXTURE(xgboost_fixture, "the Hub is told that XGBoost asks (G5)") {
  test::scripted_server server(context, [](const test::seen_request&) {
    return test::scripted_reply::text(404, "", "X-Error-Code: RepoNotFound\r\n");
  });
  client_settings.endpoint = server.origin();
  client asking(context.get_executor(), client_settings);
  CHECK_THROWS_AS(run(from_pretrained_xgboost(asking, "alice/none")), error);
  CHECK_THROWS_AS(run(push_to_hub_xgboost(asking, booster.get(), "alice/none")), error);
  REQUIRE(server.seen().size() >= 2);
  int major = 0, minor = 0, patch = 0;
  XGBoostVersion(&major, &minor, &patch);
  const auto version =
      std::to_string(major) + '.' + std::to_string(minor) + '.' + std::to_string(patch);
  for (const auto& request : server.seen())
    CHECK(request.header("user-agent").starts_with("xgboost/" + version + "; cohub/"));
}
