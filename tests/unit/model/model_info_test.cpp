#include "cohub/model_info.hpp"

#include "cohub/error.hpp"
#include "cohub/model_card.hpp"

#include <doctest/doctest.h>

using namespace cohub;

namespace {

struct family {
  static model_info hub_info() {
    return model_info()
        .library_name("p")
        .tags("z", "a")
        .license("mit")
        .language("en")
        .repo_url("r")
        .docs_url("d");
  }
};

struct child : family {
  static model_info hub_info() {
    return family::hub_info()
        .tags("b", "a")
        .license("apache-2.0")
        .language("fr")
        .pipeline_tag("x")
        .paper_url("pp");
  }
};

struct foreign {};
struct unknown {};

}  // namespace

template <>
struct cohub::hub_traits<foreign> {
  static model_info info() { return model_info().library_name("foreign"); }
};

TEST_CASE("a class starts from its base's info: setters replace, tags unite (V18)") {
  const auto info = model_info_of<child>();
  CHECK(info.metadata() == card_map{{"language", "fr"},
                                    {"library_name", "p"},
                                    {"license", "apache-2.0"},
                                    {"pipeline_tag", "x"},
                                    {"tags", card_list{"a", "b", "z"}}});
  CHECK(info.repo_url() == "r");
  CHECK(info.docs_url() == "d");
  CHECK(info.paper_url() == "pp");
  CHECK(model_info_of<family>().metadata().find("tags")->as_list() == card_list{"a", "z"});
}

TEST_CASE("tags that are set by their name are united too") {
  const auto metadata = model_info()
                            .tags("model_hub_mixin")
                            .set("tags", "one")
                            .set("tags", card_list{"two"})
                            .metadata();
  CHECK(metadata.find("tags")->as_list() == card_list{"model_hub_mixin", "one", "two"});
  CHECK_THROWS_AS(model_info().set("tags", 1), error);
}

TEST_CASE("metadata comes in the order of the Hub's cards") {
  const auto metadata = model_info()
                            .tags("t")
                            .set("zzz", 1)
                            .license("mit")
                            .set("base_model", "m")
                            .language("en", "zh")
                            .metadata();
  std::string keys;
  for (const auto& member : metadata) keys += member.key + " ";
  CHECK(keys == "base_model language license tags zzz ");
  CHECK(metadata.find("language")->as_list().size() == 2);
}

TEST_CASE("a class that cannot be edited has its info beside it, others have none") {
  CHECK(model_info_of<foreign>().metadata().text_or("library_name") == "foreign");
  CHECK(model_info_of<unknown>().metadata().empty());
  CHECK(model_info_of<unknown>().weight_files() == std::vector<std::string>{"model.safetensors"});
}
