#include "cohub/model_card.hpp"

#include "cohub/error.hpp"

#include "hub/front_matter.hpp"
#include "support/temporary_folder.hpp"

#include <doctest/doctest.h>

#include <chrono>

using namespace cohub;

namespace {

struct card_fixture {
  test::temporary_folder folder;
  std::filesystem::path file = folder.path() / "README.md";

  std::string saved(const card_map& data) {
    metadata_save(file, data);
    return test::read_all(file);
  }
};

const std::string simple = "---\nlicense: mit\ndatasets:\n- foo\n- bar\n---\n\nHello\n";

}  // namespace

TEST_CASE_FIXTURE(card_fixture, "the metadata of a file is its header (V36, V40)") {
  test::write_all(file, "\n" + simple);
  const auto data = metadata_load(file);
  REQUIRE(data);
  CHECK(*data == card_map{{"license", "mit"}, {"datasets", card_list{"foo", "bar"}}});
  test::write_all(file, "# no header\n");
  CHECK_FALSE(metadata_load(file));
  test::write_all(file, "\n---\n---\n# empty\n");
  CHECK_FALSE(metadata_load(file));
}

TEST_CASE_FIXTURE(card_fixture,
                  "saving metadata replaces the header and keeps the text (V37, V38, V39)") {
  test::write_all(file, "\n" + simple);
  CHECK(saved({{"meaning_of_life", 42}}) == "---\nmeaning_of_life: 42\n---\n\nHello\n");
  test::write_all(file, "Hello\n");
  CHECK(saved({{"emoji", "🎁"}}) == "---\nemoji: 🎁\n---\nHello\n");
  std::filesystem::remove(file);
  CHECK(saved({{"a", "b"}}) == "---\na: b\n---\n");
  CHECK(saved({{"b", nullptr}, {"c", card_list{nullptr}}}) == "---\nb: null\nc:\n- null\n---\n");
  test::write_all(file, "---\r\na: b\r\n---\r\nHello\r\n");
  CHECK(saved({{"c", "d"}}) == "---\r\nc: d\r\n---\r\nHello\r\n");
}

TEST_CASE("a card that is changed keeps what was not (V43, V50, V58)") {
  auto card = model_card::parse(simple);
  card.data()["license"] = "test";
  CHECK(card.content() == "---\nlicense: test\ndatasets:\n- foo\n- bar\n---\n\nHello\n");
  card.text() = "Hello, world!";
  card.data().erase("datasets");
  card.data()["zzz"] = 1;
  CHECK(card.content() == "---\nlicense: test\nzzz: 1\n---\nHello, world!");
}

TEST_CASE("headers are found as the Hub finds them (V51 to V54)") {
  CHECK(model_card::parse("   \n---\nmetadata: 1\n---").data().size() == 1);
  CHECK(model_card::parse("something\n---\nmetadata: 1\n---").data().empty());
  const auto crlf = model_card::parse("---\r\nlanguage: en\r\n---\r\nSome body\r\n");
  CHECK(crlf.data().text_or("language") == "en");
  CHECK(crlf.text() == "Some body\r\n");
  for (const std::string lb : {"\n", "\r\n"}) {
    const auto empty = model_card::parse("---" + lb + lb + "---" + lb + "text");
    CHECK(empty.data().empty());
    CHECK(empty.text() == "text");
    CHECK(empty.content() == "---" + lb + "{}" + lb + "---" + lb + "text");
  }
  CHECK(model_card::parse("---\n---\nbody").text() == "---\n---\nbody");
  const auto three = model_card::parse("---\r\n---\r\nlanguage: en\r\n---\r\nbody\r\n");
  CHECK(three.data().text_or("language") == "en");
  CHECK(three.text() == "body\r\n");
  CHECK(model_card::parse("---\na: 1\n--- \t\nb").text() == "b");
  CHECK(model_card::parse("\xef\xbb\xbf---\na: 1\n---\nb").data().size() == 1);
}

TEST_CASE("the line breaks of the original are kept (V49)") {
  const std::string text = "---\r\nlicense: mit\r\nlanguage:\r\n- en\r\n---\r\nHello\r\n";
  CHECK(model_card::parse(text).content() == text);
}

TEST_CASE("an opener without end does not take long (V55)") {
  for (const std::string lb : {"\n", "\r\n", "\r"}) {
    std::string text = "---" + lb;
    for (int i = 0; i < 200'000; ++i) text += lb;
    const auto start = std::chrono::steady_clock::now();
    CHECK_FALSE(hub::find_front_matter(text));
    CHECK_FALSE(hub::find_front_matter(text + "body"));
    CHECK(std::chrono::steady_clock::now() - start < std::chrono::seconds(1));
  }
}

TEST_CASE("a header that is no map, or no YAML, is refused (V46)") {
  CHECK_THROWS_AS(model_card::parse("---\n- a\n---\n"), error);
  CHECK_THROWS_AS(model_card::parse("---\njust text\n---\n"), error);
  CHECK_THROWS_WITH_AS(model_card::parse("\n\n---\na: 1\nb: [\n---\n", "x/README.md"),
                       doctest::Contains("x/README.md, line 6"), error);
  CHECK_THROWS_AS(model_card::parse("---\na: \xff\n---\n"), error);
  CHECK(model_card::parse("# just text").data().empty());
}

TEST_CASE("a card without metadata has no header, unless it was emptied (V111)") {
  CHECK(model_card::parse("# Hello\n").content() == "# Hello\n");
  CHECK(model_card::parse("---\n# c\nlicense: mit # t\n---\nbody").content() ==
        "---\nlicense: mit\n---\nbody");
  auto card = model_card::parse("---\na: 1\n---\nbody");
  card.data().erase("a");
  CHECK(card.content() == "---\n{}\n---\nbody");
  CHECK(model_card::parse(card.content()).text() == "body");
}

TEST_CASE("templates are filled with the metadata and with variables (V44, V45)") {
  const auto title = [](template_variables variables) {
    const auto card = model_card::from_template({{"license", "mit"}}, default_model_card_template(),
                                                std::move(variables));
    CHECK(card.data().text_or("license") == "mit");
    return card.text().substr(0, card.text().find('\n', 2));
  };
  CHECK(title({}) == "\n# Model Card for Model ID");
  CHECK(title({{"model_id", nullptr}}) == "\n# Model Card for Model ID");
  CHECK(title({{"model_id", "alice/iris"}}) == "\n# Model Card for alice/iris");
  const auto card = model_card::from_template(
      {{"license", "mit"}}, "---\n{{ card_data }}\n---\n{{ license }} {{ some_data }}\n",
      {{"some_data", "asdf"}});
  CHECK(card.text() == "mit asdf");
  CHECK(model_card::from_template({{"license", "mit"}}, "text").content() == "text");
}

TEST_CASE_FIXTURE(card_fixture, "a card is read from disk and written to a folder that is made") {
  const auto deep = folder.path() / "a" / "b" / "README.md";
  model_card::parse(simple).save(deep);
  CHECK(model_card::load(deep).content() == simple);
}
