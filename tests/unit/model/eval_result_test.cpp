#include "cohub/eval_result.hpp"

#include "cohub/error.hpp"
#include "cohub/hub_card.hpp"

#include <doctest/doctest.h>

#include <cmath>

using namespace cohub;

namespace {

const std::string header =
    "---\n"
    "license: mit\n"
    "model-index:\n"
    "- name: net\n"
    "  results:\n"
    "  - task:\n"
    "      type: image-classification\n"
    "      name: Image Classification\n"
    "    dataset:\n"
    "      name: Beans\n"
    "      type: beans\n"
    "      config: default\n"
    "      split: test\n"
    "    metrics:\n"
    "    - type: acc\n"
    "      value: 0.9\n"
    "      name: Accuracy\n"
    "    - type: f1\n"
    "      value: 0.66\n"
    "  - task:\n"
    "      type: image-classification\n"
    "    dataset:\n"
    "      name: Beans\n"
    "      type: beans\n"
    "      config: other\n"
    "      split: test\n"
    "      revision: abc\n"
    "      args:\n"
    "        lang: en\n"
    "    metrics:\n"
    "    - type: acc\n"
    "      value: 20.0 ± 1.2\n"
    "      verified: true\n"
    "      verifyToken: '1234'\n"
    "    source:\n"
    "      url: https://example.org\n"
    "      name: A board\n"
    "---\n\n# Net\n";

eval_result accuracy(double value) {
  eval_result result;
  result.task_type = "image-classification";
  result.task_name = "Image Classification";
  result.dataset_type = "beans";
  result.dataset_name = "Beans";
  result.dataset_config = "default";
  result.dataset_split = "test";
  result.metric_type = "acc";
  result.metric_name = "Accuracy";
  result.metric_value = value;
  return result;
}

std::string refusal(const std::string& yaml) {
  const auto card = model_card::parse("---\n" + yaml + "---\n");
  try {
    static_cast<void>(card.eval_results());
  } catch (const error& e) {
    CHECK(e.code() == errc::invalid_card);
    return e.what();
  }
  return {};
}

}  // namespace

TEST_CASE("results are read from an index, and written as they were (V57, V72, V73)") {
  auto card = model_card::parse(header);
  const auto indexes = card.eval_results();
  REQUIRE(indexes.size() == 1);
  const auto* index = &indexes.front();
  CHECK(index->name == "net");
  REQUIRE(index->results.size() == 3);
  CHECK(index->results[0] == accuracy(0.9));
  CHECK(index->results[1].metric_type == "f1");
  CHECK(index->results[1].dataset_split == "test");
  CHECK(index->results[2].verified == true);
  CHECK(index->results[2].verify_token == "1234");
  CHECK(index->results[2].source_name == "A board");
  CHECK(index->results[2].metric_value == card_value("20.0 ± 1.2"));
  CHECK(*index->results[2].dataset_args.as_map().find("lang") == card_value("en"));
  card.set_eval_results(*index);
  CHECK(card.content() == header);
}

TEST_CASE("one result is metadata of its own (V41)") {
  auto result = accuracy(0.9);
  result.dataset_config.clear();
  result.dataset_split.clear();
  result.verified = true;
  model_card card;
  card.data() = metadata_eval_result("net", result);
  CHECK(card.content() ==
        "---\nmodel-index:\n- name: net\n  results:\n  - task:\n      type: image-classification\n"
        "      name: Image Classification\n    dataset:\n      name: Beans\n      type: beans\n"
        "    metrics:\n    - type: acc\n      value: 0.9\n      name: Accuracy\n"
        "      verified: true\n---\n");
  result.verified.reset();
  const auto unverified =
      read_model_index(*metadata_eval_result("net", result).find("model-index")).at(0);
  CHECK(unverified.results[0].verified == false);
}

TEST_CASE("what is missing in an index is named by its path (V56, V75)") {
  CHECK(refusal("model-index: x\n").find("model-index is not a list") != std::string::npos);
  CHECK(refusal("model-index:\n- results: []\n").find("model-index[0].name is missing") !=
        std::string::npos);
  const std::string begin = "model-index:\n- name: n\n  results:\n  - task: {type: t}\n";
  CHECK(refusal(begin).find("model-index[0].results[0].dataset is missing") != std::string::npos);
  CHECK(refusal(begin + "    dataset: {type: d, name: D}\n    metrics:\n    - {type: m}\n")
            .find("metrics[0].value is missing") != std::string::npos);
  CHECK(refusal(begin + "    dataset: {type: d, name: D}\n    source: {name: x}\n    metrics: []\n")
            .find("source.url is missing") != std::string::npos);
}

TEST_CASE("a result that lacks something is not written (V74, V75)") {
  const auto refused = [](auto change) {
    auto result = accuracy(1);
    change(result);
    model_index index;
    index.name = "net";
    index.results.push_back(result);
    CHECK_THROWS_AS(write_model_index(index), error);
  };
  refused([](eval_result& result) { result.task_type.clear(); });
  refused([](eval_result& result) { result.dataset_name.clear(); });
  refused([](eval_result& result) { result.metric_type.clear(); });
  refused([](eval_result& result) { result.source_name = "without url"; });
}

TEST_CASE("nulls within values and arguments are not written") {
  auto result = accuracy(1);
  result.metric_value = card_map{{"a", 1}, {"b", nullptr}, {"c", card_list{nullptr, 2}}};
  result.metric_args = card_map{{"k", card_map{{"x", nullptr}}}, {"l", card_list{nullptr}}};
  result.metric_config = card_list{"x", nullptr};
  result.dataset_args = card_map{{"lang", "en"}, {"seed", nullptr}};
  const auto written =
      read_model_index(write_model_index(model_index{"net", {result}})).at(0).results.at(0);
  CHECK(written.metric_value == card_value(card_map{{"a", 1}, {"c", card_list{2}}}));
  CHECK(written.metric_args == card_value(card_map{{"k", card_map{}}, {"l", card_list{}}}));
  CHECK(written.metric_config == card_value(card_list{"x"}));
  CHECK(written.dataset_args == card_value(card_map{{"lang", "en"}}));
}

TEST_CASE("older results that lack something are no obstacle to new ones") {
  const std::string old =
      "---\nmodel-index:\n- name: net\n  results:\n"
      "  - task:\n      type: ''\n    dataset:\n      name: ''\n      type: null\n"
      "    metrics:\n    - type: acc\n      value: null\n      name: Old\n---\n";
  auto card = model_card::parse(old);
  const auto first = card.eval_results().at(0).results.at(0);
  CHECK(first.metric_value.is_null());
  CHECK(first.dataset_name.empty());
  CHECK(first.dataset_type.empty());
  for (const int again : {1, 2}) {
    CAPTURE(again);
    const auto result = accuracy(0.9);
    update_metadata(card, metadata_eval_result("net", result), false, "me/net");
    card = model_card::parse(card.content());
    const auto results = card.eval_results().at(0).results;
    REQUIRE(results.size() == 2);
    CHECK(results[0] == first);
    CHECK(results[1].metric_value == card_value(0.9));
  }
  auto incomplete = accuracy(1);
  incomplete.metric_type = "f1";
  auto data = metadata_eval_result("net", incomplete);
  auto& group = data.find("model-index")->as_list()[0].as_map().find("results")->as_list()[0];
  group.as_map().find("dataset")->as_map()["name"] = "";
  CHECK_THROWS_WITH_AS(update_metadata(card, data, false, "me/net"),
                       doctest::Contains("dataset_name is missing"), error);
  auto empty = model_card::parse("---\nlicense: mit\n---\n");
  CHECK_THROWS_AS(update_metadata(empty, data, false, "me/net"), error);
}

TEST_CASE("metrics are the same whatever they measure") {
  auto other = accuracy(0.1);
  CHECK(is_same_metric(accuracy(0.9), other));
  other.verify_token = "x";
  CHECK(is_same_metric(accuracy(0.9), other));
  other.verified = true;
  CHECK_FALSE(is_same_metric(accuracy(0.9), other));
}

TEST_CASE("a number is the same as an integer or with a point, in lists and maps, too") {
  auto card = model_card::parse("---\nn: 1\nl: [1, {a: 2.0}]\nx: .nan\n---\n");
  const auto text = card.content();
  update_metadata(card,
                  {{"n", 1.0}, {"l", card_list{1.0, card_map{{"a", 2}}}}, {"x", std::nan("")}},
                  false, "me/net");
  CHECK(card.content() == text);
  CHECK_THROWS_AS(update_metadata(card, {{"n", 1.5}}, false, "me/net"), error);
  CHECK_THROWS_AS(update_metadata(card, {{"n", "1"}}, false, "me/net"), error);

  auto whole = accuracy(1), real = accuracy(1);
  whole.metric_value = 1;
  whole.metric_args = card_map{{"k", card_list{1}}};
  real.metric_args = card_map{{"k", card_list{1.0}}};
  CHECK(is_same_metric(whole, real));
  card.set_eval_results(model_index{"net", {whole}});
  update_metadata(card, {{"model-index", write_model_index(model_index{"net", {real}})}}, false,
                  "me/net");
  CHECK(card.eval_results().at(0).results.size() == 1);
  real.metric_args = card_map{{"k", card_list{2.0}}};
  CHECK_FALSE(is_same_metric(whole, real));
}

TEST_CASE("metadata is updated key by key (V61, V64, V66)") {
  auto card = model_card::parse("---\nlicense: mit\n---\n");
  update_metadata(card, {{"meaning_of_life", 42}, {"license", "mit"}}, false, "me/net");
  CHECK(card.content() == "---\nlicense: mit\nmeaning_of_life: 42\n---\n");
  CHECK_THROWS_WITH_AS(
      update_metadata(card, {{"language", "en"}, {"license", "apache-2.0"}}, false, "me/net"),
      doctest::Contains("\"license\" has another value"), error);
  CHECK_FALSE(card.data().contains("language"));  // all or nothing
  update_metadata(card, {{"license", "apache-2.0"}, {"meaning_of_life", nullptr}}, true, "me/net");
  CHECK(card.content() == "---\nlicense: apache-2.0\n---\n");
}

TEST_CASE("results are merged into those that are there (V62, V63, V65, V68)") {
  auto card = model_card::parse(header);
  const auto update = [&](eval_result result, bool overwrite) {
    model_index index;
    index.name = "ignored";
    index.results.push_back(std::move(result));
    update_metadata(card, {{"model-index", write_model_index(index)}}, overwrite, "me/net");
    return card.eval_results().at(0);
  };
  CHECK(update(accuracy(0.9), false).results.size() == 3);
  CHECK_THROWS_WITH_AS(update(accuracy(0.8), false), doctest::Contains("Accuracy"), error);
  auto index = update(accuracy(0.8), true);
  CHECK(index.name == "net");
  CHECK(index.results[0].metric_value == card_value(0.8));
  auto another = accuracy(0.5);
  another.metric_type = "recall";
  index = update(another, false);
  CHECK(index.results.size() == 4);
  CHECK(index.results[2].metric_type == "recall");  // beside its dataset's others
  another.dataset_type = "other/beans";
  CHECK(update(another, false).results.back().dataset_type == "other/beans");
  auto verified = accuracy(0.8);
  verified.verified = true;
  verified.verify_token = "1";
  CHECK(update(verified, false).results.size() == 6);
  verified.verify_token = "2";
  for (const auto& result : update(verified, true).results)
    if (result.verified == true && result.dataset_config == "default")
      CHECK(result.verify_token == "2");
}

TEST_CASE("an index without name has that of the card, or the repository's (V67)") {
  auto card = model_card::parse("---\nlicense: mit\n---\n");
  const auto result = accuracy(1);
  auto data = metadata_eval_result("x", result);
  data.find("model-index")->as_list()[0].as_map().erase("name");
  update_metadata(card, data, false, "me/net");
  CHECK(card.eval_results().at(0).name == "me/net");
  auto named = model_card::parse(header);
  update_metadata(named, data, true, "me/net");
  CHECK(named.eval_results().at(0).name == "net");
}

TEST_CASE("elements of an index stay apart, and results go into the one of their name") {
  auto other = accuracy(0.5);
  other.dataset_type = "other/beans";
  auto card = model_card::parse("---\nlicense: mit\n---\n");
  card.set_eval_results({{"first", {accuracy(0.9)}}, {"second", {accuracy(0.7), other}}});
  const auto update = [&](const char* name, const eval_result& result) {
    update_metadata(card, metadata_eval_result(name, result), true, "me/net");
    return card.eval_results();
  };
  auto unverified = other;
  unverified.verified = false;
  unverified.metric_type = "f1";
  auto indexes = update("second", unverified);
  REQUIRE(indexes.size() == 2);
  CHECK(indexes[0].name == "first");
  CHECK(indexes[0].results == std::vector<eval_result>{accuracy(0.9)});
  CHECK(indexes[1].name == "second");
  CHECK(indexes[1].results.size() == 3);
  indexes = update("nobody", unverified);  // a name that is not there: the first one
  CHECK(indexes[0].results.size() == 2);
  CHECK(indexes[1].results.size() == 3);
  CHECK(model_card::parse(card.content()).eval_results().size() == 2);
}

TEST_CASE("results that do not fit are no results, if errors in metadata are ignored (V56)") {
  const std::string text =
      "---\nmodel-index:\n- name: n\n  results:\n  - task: {type: t}\n---\nbody";
  CHECK_THROWS_AS(static_cast<void>(model_card::parse(text).eval_results()), error);
  const card_options ignoring{.ignore_metadata_errors = true};
  const auto card = model_card::parse(text, "x/README.md", ignoring);
  CHECK(card.eval_results().empty());
  REQUIRE(card.warnings().size() == 1);
  CHECK(card.warnings()[0].starts_with("x/README.md: its results are ignored"));
  CHECK(card.warnings()[0].find("dataset is missing") != std::string::npos);
  CHECK(card.content() == text);
  CHECK(model_card::parse(text).warnings().empty());
}

TEST_CASE("the template of datasets fills itself from the metadata (V59)") {
  auto card = model_card::from_template({}, default_dataset_card_template());
  CHECK(card.text().find("# Dataset Card for Dataset Name\n") != std::string::npos);
  card =
      model_card::from_template({{"pretty_name", "Beans"}, {"license", "mit"}},
                                default_dataset_card_template(), {{"repo", "https://example.org"}});
  CHECK(card.text().find("# Dataset Card for Beans\n") != std::string::npos);
  CHECK(card.text().find("**Repository:** https://example.org") != std::string::npos);
  CHECK(card.text().find("**License:** mit") != std::string::npos);
  CHECK(card.data().text_or("pretty_name") == "Beans");
}

TEST_CASE("headers of either line break are found, also empty ones (V52, V53, V54)") {
  auto card = model_card::parse("---\r\nlanguage: en\r\n---\r\nSome body\r\n");
  CHECK(card.data().text_or("language") == "en");
  CHECK(card.text() == "Some body\r\n");
  for (const char* text : {"---\n\n---\nHello\n", "---\r\n\r\n---\r\nHello\n"}) {
    card = model_card::parse(text);
    CHECK(card.data().empty());
    CHECK(card.text() == "Hello\n");
  }
  card = model_card::parse("---\r\n---\r\nlanguage: en\r\n---\r\nbody\r\n");
  CHECK(card.data().text_or("language") == "en");
  CHECK(card.text() == "body\r\n");
}

TEST_CASE("results without the name of a model are not written into a card") {
  auto card = model_card::parse("---\nlicense: mit\n---\n");
  const auto before = card.content();
  CHECK_THROWS_WITH_AS(card.set_eval_results(model_index{"", {accuracy(1)}}),
                       doctest::Contains("name"), error);
  CHECK_THROWS_AS(card.set_eval_results({{"net", {accuracy(1)}}, {"", {accuracy(1)}}}), error);
  CHECK(card.content() == before);
}
