#include "cohub/error.hpp"
#include "cohub/model_card.hpp"

#include "hub/yaml.hpp"
#include "model/card/card_template.hpp"

#include <doctest/doctest.h>

#include <array>
#include <random>
#include <string>

using namespace cohub;

namespace {

/// Changes a text at a few places: bytes, pieces of syntax, parts that are repeated or cut out. The
/// same on every machine.
class mutator {
 public:
  std::string mutate(std::string text) {
    const auto count = 1 + below(4);
    for (std::size_t i = 0; i < count; ++i) {
      const auto at = below(text.size() + 1);
      switch (below(5)) {
        case 0:
          text.insert(at, 1, static_cast<char>(below(256)));
          break;
        case 1:
          text.insert(at, syntax.at(below(syntax.size())));
          break;
        case 2:
          text.erase(at, below(12));
          break;
        case 3:
          text.insert(below(text.size() + 1), text.substr(at, below(60)));
          break;
        default:
          if (at < text.size()) text[at] = static_cast<char>(32 + below(95));
      }
    }
    return text;
  }

 private:
  std::size_t below(std::size_t limit) { return random_() % limit; }

  static constexpr std::array<const char*, 40> syntax{"---\n",
                                                      "\r\n",
                                                      "\n",
                                                      "\r",
                                                      ": ",
                                                      "- ",
                                                      "? ",
                                                      "#",
                                                      "[",
                                                      "]",
                                                      "{",
                                                      "}",
                                                      ", ",
                                                      "&a ",
                                                      "*a",
                                                      "<<: ",
                                                      "|\n  ",
                                                      ">+\n ",
                                                      "'",
                                                      "\"",
                                                      "!!int ",
                                                      "%",
                                                      "\t",
                                                      "\\",
                                                      "\xef\xbb\xbf",
                                                      "é",
                                                      "null",
                                                      "3.10",
                                                      "{{ x }}",
                                                      "{% if x %}",
                                                      "{% endif %}",
                                                      "{% for x in l %}",
                                                      "{% endfor %}",
                                                      "{% raw %}",
                                                      "{% endraw %}",
                                                      "{#",
                                                      "#}",
                                                      " | upper",
                                                      " is defined",
                                                      "\n\n"};
  std::minstd_rand random_{7};
};

const std::string card_text =
    "---\n# c\nlicense: \"mit\"  # t\ntags: [a, 'b']\nlanguage:\n- en\n- no\ntext: |\n  a\n\n  b\n"
    "version: 3.10\nmap:\n  x: &a {y: 1}\n  z: *a\nmodel-index:\n- name: n\n  results: "
    "[]\n---\nbody\n";
const std::string template_text =
    "---\n{{ card_data }}\n---\n{% if x is defined and l | length == 2 %}{{ x | default('a', true) "
    "}}"
    "{% elif y %}{{- m.k -}}{% else %}{% raw %}{{ }}{% endraw %}{% endif %}{# c #}"
    "{% for i in l %}{{ loop.index }} {{ i | upper | replace('A', \"b\") }}\n{% endfor %}";

}  // namespace

TEST_CASE("whatever a card looks like, it is refused or written so that it reads as the same") {
  mutator change;
  const card_options keeping{.ignore_metadata_errors = true, .keep_comments = true};
  int read = 0;
  for (int i = 0; i < 1500; ++i) {
    const auto text = change.mutate(card_text);
    model_card card;
    model_card commented;
    try {
      card = model_card::parse(text);
      commented = model_card::parse(text, "README.md", keeping);
    } catch (const error& failure) {
      REQUIRE(failure.code() == errc::invalid_card);
      continue;
    }
    ++read;
    INFO(text);
    for (const auto* one : {&card, &commented}) {
      const auto again = model_card::parse(one->content());
      // Written once it is as it stays, but for texts without header that come to look like one.
      REQUIRE(again.data() == one->data());
      REQUIRE(again.text() == one->text());
      REQUIRE(model_card::parse(again.content()).data() == again.data());
    }
    card.data()["license"] = "other";
    card.data()["new"] = nullptr;
    const auto changed = model_card::parse(card.content());
    REQUIRE(changed.data().text_or("license") == "other");
    REQUIRE_FALSE(changed.data().contains("new"));
    static_cast<void>(commented.eval_results());
  }
  CHECK(read > 200);
}

TEST_CASE("whatever YAML looks like, it is refused or written so that it reads as the same") {
  mutator change;
  const auto yaml = card_text.substr(4, card_text.rfind("---") - 4);
  for (int i = 0; i < 2500; ++i) {
    const auto text = change.mutate(yaml);
    card_value value;
    try {
      value = hub::read_yaml(text, "card");
    } catch (const error& failure) {
      REQUIRE(failure.code() == errc::invalid_card);
      continue;
    }
    if (!value.is_map()) continue;
    INFO(text);
    REQUIRE(hub::read_yaml(hub::write_yaml(value.as_map()), "card") == value);
  }
}

TEST_CASE("whatever a template looks like, it is refused or rendered") {
  mutator change;
  const template_variables variables{{"x", "X"},
                                     {"l", card_list{"a", "b"}},
                                     {"m", card_map{{"k", 1}}},
                                     {"card_data", "license: mit"}};
  int rendered = 0;
  for (int i = 0; i < 2500; ++i) {
    try {
      const auto text = model::render_template(change.mutate(template_text), variables);
      REQUIRE(text.size() < 100'000);
      ++rendered;
    } catch (const error& failure) {
      REQUIRE(failure.code() == errc::invalid_card);
    }
  }
  CHECK(rendered > 50);
}
