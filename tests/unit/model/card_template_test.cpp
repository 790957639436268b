#include "model/card_template.hpp"

#include "cohub/error.hpp"

#include <doctest/doctest.h>

using namespace cohub;

namespace {

std::string render(std::string_view text, const template_variables& variables = {}) {
  return model::render_template(text, variables);
}

}  // namespace

TEST_CASE("names are replaced by their values, unknown ones by nothing") {
  CHECK(render("a {{ x }} b {{y}}c", {{"x", "X"}}) == "a X b c");
  CHECK(render("{{ l }} {{ n }} {{ t }} {{ f }}",
               {{"l", card_list{"en", "fr"}}, {"n", nullptr}, {"t", true}, {"f", 1e-5}}) ==
        "['en', 'fr'] None True 1e-05");
}

TEST_CASE("default replaces what is undefined, and with true also what is false") {
  const template_variables variables{
      {"e", ""}, {"n", nullptr}, {"z", 0}, {"l", card_list{}}, {"v", "v"}};
  CHECK(render(R"({{ u | default("d") }}{{u|default('d', true)}})", variables) == "dd");
  CHECK(render(R"([{{ e | default("d") }}] {{ n | default("d") }} {{ z | default("d") }})",
               variables) == "[] None 0");
  CHECK(
      render(
          R"({{ e | default("d", true) }}{{ n | default("d", true) }}{{ z | default("d", true) }}{{ l | default("d", true)}}{{ v | default("d", true) }})",
          variables) == "ddddv");
  CHECK(render(R"({{ u | default("a \"b\" \\ c", true) }})") == "a \"b\" \\ c");
  CHECK(render("{{ u | default(v) }}", variables) == "v");
}

TEST_CASE("line breaks of the template become LF, its last one goes, those of values stay") {
  CHECK(render("a\r\nb\rc {{ x }}\r\n", {{"x", "1\r\n2"}}) == "a\nb\nc 1\r\n2");
  CHECK(render("a\n\n") == "a\n");
  CHECK(render("{{ x }}\n", {{"x", "1\n"}}) == "1\n");
}

TEST_CASE("comments go, raw blocks stay, dashes trim the template but not the values") {
  CHECK(render("a{# {{ x }} #}b") == "ab");
  CHECK(render("{% raw %}{{Title}} {% x %}{% endraw %}") == "{{Title}} {% x %}");
  CHECK(render("a \n {{- x -}} \n b", {{"x", " X "}}) == "a X b");
  CHECK(render("a {#- c -#} b") == "ab");
  CHECK(render("{{ \"{{\" }} }} { { lone") == "{{ }} { { lone");
}

TEST_CASE("what is not understood is an error with its line") {
  const auto fails = [](std::string_view text, const char* part) {
    CHECK_THROWS_WITH_AS(render(text), doctest::Contains(part), error);
  };
  fails("a\nb {{ x | upper }}", "line 2: unknown filter \"upper\"");
  fails("\n\n{% if x %}{% endif %}", "line 3");
  fails("@book{{{x}}}", "raw");
  fails("{{ x", "line 1");
  fails("{{ }}", "line 1");
  fails("{{ x.y }}", "line 1");
  fails("{# never", "comment");
  fails("{% raw %} never", "raw block");
  fails("{{ 'never }}", "quote");
}
