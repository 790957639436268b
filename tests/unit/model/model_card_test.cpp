#include "cohub/model_card.hpp"

#include "cohub/error.hpp"

#include "hub/front_matter.hpp"
#include "support/temporary_folder.hpp"

#include <doctest/doctest.h>

#include <chrono>
#include <cmath>

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

TEST_CASE_FIXTURE(card_fixture, "the metadata of a file is the same with any line breaks") {
  const std::string text = "---\na: |\n  one\n  two\nb: 'x\n\n  y'\n---\nbody\n";
  for (const std::string line_break : {"\n", "\r\n", "\r"}) {
    std::string content;
    for (const char c : text) content += c == '\n' ? line_break : std::string(1, c);
    test::write_all(file, content);
    const auto data = metadata_load(file);
    REQUIRE(data);
    CHECK(*data == card_map{{"a", "one\ntwo\n"}, {"b", "x\ny"}});
  }
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
  test::write_all(file, "one\r\ntwo\nthree\r\n");
  CHECK(saved({{"c", "d"}}) == "---\nc: d\n---\none\r\ntwo\nthree\r\n");
  test::write_all(file, "one\ntwo\nthree\rfour\r\n");
  CHECK(saved({{"c", "d"}}) == "---\rc: d\r---\rone\ntwo\nthree\rfour\r\n");
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
  for (const char* space : {"\u00a0", "\u1680", "\u2000", "\u200a", "\u2028", "\u2029", "\u202f",
                            "\u205f", "\u3000", "\ufeff", "\v\f\r", " \u00a0\n\u3000\t"}) {
    const auto card = model_card::parse(space + simple);
    CHECK(card.data().text_or("license") == "mit");
    CHECK(card.content() == simple);
  }
  for (const char* other : {"\u200b", "\u0085", "\u180e", "\u2060"})
    CHECK(model_card::parse(other + simple).data().empty());
}

TEST_CASE("the line breaks of the original are kept (V49)") {
  const std::string text = "---\r\nlicense: mit\r\nlanguage:\r\n- en\r\n---\r\nHello\r\n";
  CHECK(model_card::parse(text).content() == text);
}

TEST_CASE("lone carriage returns of the text do not cost the header") {
  const std::string text = "---\nlicense: mit\n---\nepoch 1\repoch 2\repoch 3\rdone\r";
  auto card = model_card::parse(text);
  CHECK(card.content() == text);
  card.data()["tags"] = card_list{"a"};
  CHECK(model_card::parse(card.content()).data().text_or("license") == "mit");
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

TEST_CASE("a card without header says so (V46)") {
  CHECK(model_card::parse(simple).warnings().empty());
  const auto card = model_card::parse("# just text", "x/README.md");
  CHECK(card.data().empty());
  REQUIRE(card.warnings().size() == 1);
  CHECK(card.warnings()[0] == "x/README.md has no metadata: there is no header");
}

TEST_CASE("a null that was set, or made by looking, is not written (V112)") {
  auto card = model_card::parse("---\nlicense: mit\n---\n");
  card.data()["license"] = nullptr;
  card.data()["tags"] = std::vector<std::string>{"b", "a", "b"};
  card.data()["zzz"] = "q";
  CHECK(card.data()["never set"].is_null());
  CHECK(card.content() == "---\ntags:\n- b\n- a\n- b\nzzz: q\n---\n");
  CHECK(to_yaml(card.data()) == "tags:\n- b\n- a\n- b\nzzz: q");
  model_card bare;
  CHECK(bare.data()["x"].is_null());
  bare.text() = "text";
  CHECK(bare.content() == "text");
  const std::string read = "---\na:\nb: ~\nc: null\nd:\n- null\n---\n";
  card = model_card::parse(read);
  CHECK(card.content() == read);
  card.data()["a"] = nullptr;
  CHECK(card.content() == "---\nb: ~\nc: null\nd:\n- null\n---\n");
  const auto made = model_card::from_template({{"a", nullptr}, {"b", 1}},
                                              "---\n{{ card_data }}\n---\n{{ a | default('no') }}");
  CHECK(made.content() == "---\nb: 1\n---\nno");
}

TEST_CASE_FIXTURE(card_fixture, "saved metadata keeps its nulls (V113)") {
  CHECK(saved({{"b", nullptr}, {"c", card_list{nullptr}}}) == "---\nb: null\nc:\n- null\n---\n");
}

TEST_CASE("a map knows defaults and what is not there, and has a text form (V70)") {
  card_map data{{"foo", "bar"}, {"none", nullptr}};
  CHECK(data.get("FOO", nullptr).is_null());
  CHECK_THROWS_WITH_AS(static_cast<void>(data.at("FOO")), doctest::Contains("\"FOO\""), error);
  CHECK(data.at("foo") == card_value("bar"));
  CHECK(data.get("none", "default") == card_value("default"));
  CHECK(data.get("foo", "default") == card_value("bar"));
  data["foo"] = "BAR";
  CHECK(to_yaml(data) == "foo: BAR");
}

namespace {

const std::string styled =
    "---\n"
    "license: \"mit\"\n"
    "tags: [a,  'b', \"c\"]\n"
    "language: no\n"
    "version: 3.10\n"
    "text: |\n"
    "  one\n"
    "   two\n"
    "folded: >-\n"
    "  a long\n"
    "  line\n"
    "map: {x: 1,\n"
    "      y: 2}\n"
    "list:\n"
    "  - indented\n"
    "  - 日本か\n"
    "---\n"
    "body";

}  // namespace

TEST_CASE("members that are not touched keep their text") {
  auto card = model_card::parse(styled);
  CHECK(card.content() == styled);
  card.data()["license"] = "apache-2.0";
  card.data().erase("version");
  card.data()["new"] = "x";
  auto expected = styled;
  expected.replace(expected.find("\"mit\""), 5, "apache-2.0");
  expected.erase(expected.find("version"), std::string("version: 3.10\n").size());
  expected.insert(expected.rfind("---"), "new: x\n");
  CHECK(card.content() == expected);
  card.data()["tags"].as_list().emplace_back("d");
  expected.replace(expected.find("tags: "), std::string("tags: [a,  'b', \"c\"]").size(),
                   "tags:\n- a\n- b\n- c\n- d");
  CHECK(card.content() == expected);
  CHECK(model_card::parse(expected).data() == card.data());
  card.data()["map"].as_map()["y"] = 2;  // as it was
  CHECK(card.content().find("map:\n  x: 1\n  y: 2\n") != std::string::npos);

  std::string crlf;
  for (const char c : styled) crlf += c == '\n' ? std::string("\r\n") : std::string(1, c);
  CHECK(model_card::parse(crlf).content() == crlf);
}

TEST_CASE("comments are lost, unless they are to be kept") {
  const std::string text =
      "---\n"
      "# first\n"
      "\n"
      "license: 'mit'  # why\n"
      "# of the tags\n"
      "tags:\n"
      "- \"a\"\n"
      "# inside\n"
      "- b # behind\n"
      "\n"
      "# last\n"
      "---\n"
      "body";
  CHECK(model_card::parse(text).content() == "---\nlicense: 'mit'\ntags:\n- a\n- b\n---\nbody");
  const card_options keeping{.keep_comments = true};
  auto card = model_card::parse(text, "README.md", keeping);
  CHECK(card.content() == text);
  card.data()["license"] = "other";
  card.data()["new"] = 1;
  CHECK(card.content() ==
        "---\n# first\n\nlicense: other\n# of the tags\ntags:\n- \"a\"\n# inside\n- b # behind\n"
        "new: 1\n\n# last\n---\nbody");
  card.data().erase("tags");
  CHECK(card.content() == "---\n# first\n\nlicense: other\nnew: 1\n\n# last\n---\nbody");
  const std::string only = "---\n# nothing yet\n---\nbody";
  CHECK(model_card::parse(only).content() == "---\n{}\n---\nbody");
  card = model_card::parse(only, "README.md", keeping);
  CHECK(card.content() == only);
  card.data()["a"] = 1;
  CHECK(card.content() == "---\na: 1\n# nothing yet\n---\nbody");
  for (const char* same : {"---\na: 1\n\n---\nb", "---\n--- # two\na: 1\n---\nb",
                           "---\na: |+\n  x\n\nb: 1\n---\n", "---\na: 1 # x\nb:\n# y\n---\n"})
    CHECK(model_card::parse(same, "README.md", keeping).content() == same);
}

TEST_CASE("a number that is none costs no comments") {
  const std::string text = "---\n# ours\na: .nan  # why\nb: [.nan, 1]\n---\nbody";
  const card_options keeping{.keep_comments = true};
  auto card = model_card::parse(text, "README.md", keeping);
  CHECK(card.content() == text);
  card.data()["c"] = std::nan("");
  CHECK(card.content() == "---\n# ours\na: .nan  # why\nb: [.nan, 1]\nc: .nan\n---\nbody");
}

TEST_CASE("a member whose text depends on others is written anew") {
  const auto again = [](const std::string& yaml) {
    auto text = model_card::parse("---\n" + yaml + "---\n").content();
    return text.substr(4, text.size() - 8);
  };
  CHECK(again("a: &x [1, 2]\nb: *x\n") == "a: &x [1, 2]\nb:\n- 1\n- 2\n");
  CHECK(again("a: '1'\nb: 2\na: '3'\n") == "a: '3'\nb: 2\n");
  CHECK(again("d: &d {x: 1}\n<<: *d\n") == "d: &d {x: 1}\nx: 1\n");
  CHECK(again("{a: 1, b: [2]}\n") == "a: 1\nb:\n- 2\n");
  CHECK(again("  a: [1]\n  b: 2\n") == "a:\n- 1\nb: 2\n");
  CHECK(again("? a\n: [1]\n") == "a:\n- 1\n");
  CHECK(again("a: |+\n  x\n\nb: 1\n") == "a: |+\n  x\n\nb: 1\n");
  auto card = model_card::parse("---\na: |\n  x\nb: [1]\n---\n");
  card.data().erase("b");  // the fence takes the line break of what is last
  CHECK(card.content() == "---\na: 'x\n\n  '\n---\n");
  CHECK(model_card::parse(card.content()).data() == card.data());
}

TEST_CASE("a header of many members is written in time that grows with it") {
  std::string yaml = "---\n";
  for (int i = 0; i < 20'000; ++i) yaml += "k" + std::to_string(i) + ": 'v'\n";
  yaml += "---\n";
  CHECK(model_card::parse(yaml).content() == yaml);
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
  CHECK(default_card_template(repo_type::space) == default_model_card_template());
  CHECK(default_card_template(repo_type::dataset) == default_dataset_card_template());
}

TEST_CASE_FIXTURE(card_fixture, "a card is read from disk and written to a folder that is made") {
  const auto deep = folder.path() / "a" / "b" / "README.md";
  model_card::parse(simple).save(deep);
  CHECK(model_card::load(deep).content() == simple);
}
