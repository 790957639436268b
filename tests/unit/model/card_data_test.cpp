#include "cohub/card_data.hpp"

#include "cohub/error.hpp"
#include "cohub/model_card.hpp"

#include <doctest/doctest.h>

using namespace cohub;

namespace {

std::string keys(const card_map& map) {
  std::string all;
  for (const auto& member : map) all += (all.empty() ? "" : " ") + member.key;
  return all;
}

eval_result accuracy() {
  eval_result result;
  result.task_type = "image-classification";
  result.dataset_type = "beans";
  result.dataset_name = "Beans";
  result.metric_type = "acc";
  result.metric_value = 0.9;
  return result;
}

}  // namespace

TEST_CASE("results and the model's name become the index (V60)") {
  model_card_data data;
  data.eval_results({accuracy()}).set("extra", 1).model_name("net").license("mit");
  const auto metadata = data.metadata();
  CHECK(keys(metadata) == "license extra model-index");
  CHECK_FALSE(metadata.contains("eval_results"));
  const auto card =
      model_card::from_template(metadata, default_model_card_template(), {{"model_id", "net"}});
  CHECK(card.content().starts_with(
      "---\nlicense: mit\nextra: 1\nmodel-index:\n- name: net\n  results:\n  - task:\n"
      "      type: image-classification\n    dataset:\n      name: Beans\n      type: beans\n"
      "    metrics:\n    - type: acc\n      value: 0.9\n---\n"));
  const model_card_data read(card.data());
  CHECK(read.eval_results() == std::vector<eval_result>{accuracy()});
  CHECK(read.model_name() == "net");
  CHECK(keys(read.metadata()) == keys(metadata));
}

TEST_CASE("members that were there keep their order, others follow (V71)") {
  model_card_data data(card_map{{"license", "mit"}, {"tags", card_list{"a"}}});
  data.set("zzz", 1).set("aaa", 2).set("mmm", 3).set("bbb", 4);
  CHECK(keys(data.metadata()) == "license tags zzz aaa mmm bbb");
  CHECK(to_yaml(data.metadata()) == "license: mit\ntags:\n- a\nzzz: 1\naaa: 2\nmmm: 3\nbbb: 4");
}

TEST_CASE("from nothing, members come in the order of the Hub's cards") {
  model_card_data data;
  data.set("zzz", 1).tags("t").pipeline_tag("p").metrics("m").license_link("l").license_name("n");
  data.license("other").library_name("lib").language("en", "fr").datasets("d").base_model("b");
  CHECK(keys(data.metadata()) ==
        "base_model datasets language library_name license license_name license_link metrics "
        "pipeline_tag tags zzz");
  CHECK(data.language() == std::vector<std::string>{"en", "fr"});
  CHECK(data.base_model() == std::vector<std::string>{"b"});
  CHECK(data.license() == "other");
  CHECK(data.library_name() == "lib");
  CHECK(data.metadata().text_or("base_model") == "b");
}

TEST_CASE("results need the model's name, unless errors are ignored (V74)") {
  model_card_data data;
  data.eval_results({accuracy()});
  CHECK_THROWS_WITH_AS(static_cast<void>(data.metadata()), doctest::Contains("model_name"), error);
  data.ignore_metadata_errors();
  const auto metadata = data.metadata();
  const auto& element = metadata.at("model-index").as_list().at(0).as_map();
  CHECK_FALSE(element.contains("name"));
  CHECK(element.at("results").as_list().size() == 1);
  CHECK(data.eval_results() == std::vector<eval_result>{accuracy()});
}

TEST_CASE("equal tags are one, a single text is left alone (V76)") {
  const auto list = card_list{"tag2", "tag1", "tag3"};
  const card_map given{{"tags", card_list{"tag2", "tag1", "tag2", "tag3"}}};
  CHECK(model_card_data(given).metadata().at("tags").as_list() == list);
  CHECK(space_card_data(given).metadata().at("tags").as_list() == list);
  model_card_data data;
  data.tags("tag2", "tag1", "tag2", "tag3");
  CHECK(data.metadata().at("tags").as_list() == list);
  CHECK(data.tags() == std::vector<std::string>{"tag2", "tag1", "tag3"});
  CHECK(model_card_data({{"tags", "abca"}}).metadata().text_or("tags") == "abca");
}

TEST_CASE("nulls at the top are left out, those inside stay (V77)") {
  model_card_data data;
  data.set("tags", card_list{"tag1", nullptr}).set("foo", card_map{{"bar", 3}, {"baz", nullptr}});
  data.set("pipeline_tag", nullptr);
  CHECK(data.metadata() == card_map{{"tags", card_list{"tag1", nullptr}},
                                    {"foo", card_map{{"bar", 3}, {"baz", nullptr}}}});
}

TEST_CASE("what is not known is kept (V78)") {
  model_card_data data(card_map{{"some_arbitrary_kwarg", "some_value"}});
  CHECK(data.text("some_arbitrary_kwarg") == "some_value");
  CHECK(data.metadata().text_or("some_arbitrary_kwarg") == "some_value");
  CHECK(keys(dataset_card_data().set("x", 1).metadata()) == "x");
  CHECK(keys(space_card_data().set("x", 1).metadata()) == "x");
}

TEST_CASE("the index of training and evaluation has another spelling in cards (V79)") {
  const card_value index = card_list{card_map{{"config", "plain_text"}}};
  dataset_card_data data;
  data.train_eval_index(index).set("extra", 1).pretty_name("Beans").license("mit");
  CHECK(keys(data.metadata()) == "license pretty_name extra train-eval-index");
  CHECK(data.metadata().at("train-eval-index") == index);
  dataset_card_data by_python({{"train_eval_index", index}, {"license", "mit"}});
  CHECK(keys(by_python.metadata()) == "license train-eval-index");
  const dataset_card_data read(data.metadata());
  CHECK(read.train_eval_index() == index);
  CHECK(read.pretty_name() == "Beans");
  CHECK(read.license() == std::vector<std::string>{"mit"});
}

TEST_CASE("the card of a space (V80)") {
  space_card_data data;
  data.license("mit").title("Title").duplicated_from("me/other").sdk("gradio");
  CHECK(to_yaml(data.metadata()) ==
        "title: Title\nsdk: gradio\nlicense: mit\nduplicated_from: me/other");
  const auto card = model_card::parse(
      "---\ntitle: T\nsdk_version: 4.40\npython_version: '3.10'\napp_port: 80\n---\n");
  const space_card_data read(card.data());
  CHECK(read.sdk_version() == "4.40");
  CHECK(read.python_version() == "3.10");
  CHECK(read.app_port() == 80);
  CHECK(read.title() == "T");
  CHECK(read.license().empty());
  CHECK_FALSE(data.app_port());
}

TEST_CASE("another name goes into the index that was read") {
  model_card_data data;
  data.model_name("old").license("mit").eval_results({accuracy()});
  auto metadata = data.metadata();
  metadata["extra"] = 1;
  const auto renamed = model_card_data(metadata).model_name("new").metadata();
  CHECK(keys(renamed) == "license model-index extra");
  const model_card_data read(renamed);
  CHECK(read.model_name() == "new");
  CHECK(renamed.at("model-index").as_list().at(0).as_map().text_or("name") == "new");
  CHECK(read.eval_results() == std::vector<eval_result>{accuracy()});
  // Without an index it is a member like others.
  CHECK(model_card_data().model_name("net").metadata().text_or("model_name") == "net");
}
