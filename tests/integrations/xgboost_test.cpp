#include "cohub/xgboost.hpp"

#include "support/client_fixture.hpp"

#include <boost/json/parse.hpp>
#include <doctest/doctest.h>

#include <array>
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

TEST_CASE_FIXTURE(xgboost_fixture,
                  "a booster is pushed and comes back with its predictions (G4, G5)") {
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

TEST_CASE_FIXTURE(xgboost_fixture,
                  "a push brings a card and a config, and takes all options (G10-G20)") {
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
        errc::invalid_config);
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
