#include "model/card/card_template.hpp"

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
  fails("a\nb {{ x | reverse }}", "line 2: unknown filter \"reverse\"");
  fails("\n\n{% set x = 1 %}", "line 3");
  fails("@book{{{x}}}", "raw");
  fails("{{ x", "line 1");
  fails("{{ }}", "line 1");
  fails("{{ x.y }}", "line 1");
  fails("{# never", "comment");
  fails("{% raw %} never", "raw block");
  fails("{{ 'never }}", "quote");
  fails("{{ 3 - 2 }}", "line 1: \"-\" is not understood");
  fails("{{ 1 == 1 == 1 }}", "line 1: \"==\" is not understood");
  fails("a\n{% if x\n!= 2 != 3 %}{% endif %}", "line 3: \"!=\" is not understood");
  fails("{{ x == y in z }}", "line 1: \"in\" is not understood");
  fails("{{ x in y not in z }}", "line 1: \"not\" is not understood");
  fails("{{ x | default(1 == 1 == 1) }}", "line 1: \"==\" is not understood");
  fails("{{ -x }}", "line 1: \"-\" is not understood");
}

TEST_CASE("conditions choose") {
  const auto said = [](const template_variables& variables) {
    return render(
        "{% if x is defined %}{% if x %}yes{% else %}empty{% endif %}"
        "{% elif y == 'b' or 3 in z %}why{% else %}no{% endif %}",
        variables);
  };
  CHECK(said({{"x", 1}}) == "yes");
  CHECK(said({{"x", card_list{}}}) == "empty");
  CHECK(said({{"y", "b"}}) == "why");
  CHECK(said({{"z", card_list{1, 3}}}) == "why");
  CHECK(said({{"y", "c"}, {"z", card_list{}}}) == "no");
  CHECK(render("{% if not a and b is not defined and c is undefined %}x{% endif %}") == "x");
  CHECK(render("{% if 'a' in 'cat' and 1 == 1.0 and 'b' not in m and 1 != '1' %}x{% endif %}",
               {{"m", card_map{{"a", 1}}}}) == "x");
  CHECK(render("{{ a or 'b' }}{{ c and 'd' }}", {{"c", "c"}}) == "bd");
  CHECK(render("a {%- if x -%} b {%- endif -%} c", {{"x", true}}) == "abc");
  CHECK(render("{% if (a or b) and not (a and b) %}x{% endif %}", {{"a", 1}}) == "x");
}

TEST_CASE("true is one and false is zero where values are compared, within lists, too") {
  const template_variables variables{{"l", card_list{card_list{1, 0.0}, 2}},
                                     {"m", card_list{card_list{true, false}, 2.0}}};
  CHECK(render("{{ true == 1 }} {{ 0.0 == false }} {{ true == 2 }} {{ true == 'True' }}") ==
        "True True False False");
  CHECK(render("{{ l == m }} {{ l != m }}", variables) == "True False");
  CHECK(render("{{ true in l[0] }} {{ 1 in m[0] }} {{ (1 == 1) == 1 }}", variables) ==
        "True True True");
}

TEST_CASE("loops go through lists and the keys of maps") {
  const template_variables variables{
      {"l", card_list{"a", "b", "c"}}, {"m", card_map{{"x", 1}, {"y", 2}}}, {"e", card_list{}}};
  CHECK(render("{% for i in l %}{{ loop.index }}{{ i }}{% if not loop.last %},{% endif %}"
               "{% endfor %}",
               variables) == "1a,2b,3c");
  CHECK(render("{% for k in m %}{{ k }}={{ m[k] }};{% endfor %}", variables) == "x=1;y=2;");
  CHECK(render("{% for i in e %}x{% else %}none{% endfor %}", variables) == "none");
  CHECK(render("{% for i in nothing %}x{% endfor %}") == "");
  CHECK(render("{% for i in l %}{% for j in l %}{{ i }}{{ j }} {% endfor %}{% endfor %}{{ i }}",
               variables) == "aa ab ac ba bb bc ca cb cc ");
  CHECK(render("- {% for i in l %}\n- {{ i }}\n{%- endfor %}\n", variables) == "- \n- a\n- b\n- c");
  CHECK(render("{{ l[1] }}{{ l[9] }}{{ m.x }}{{ m['y'] }}{{ m.z }}", variables) == "b12");
}

TEST_CASE("a place in a text is a character, and counted from the end if it is negative") {
  const template_variables variables{{"s", "né\U0001F381"}, {"l", card_list{"a", "b"}}, {"i", -2}};
  CHECK(render("{{ s[0] }}{{ s[1] }}{{ s[2] }}", variables) == "né\U0001F381");
  CHECK(render("{{ s[-1] }}{{ s[i] }}{{ s[ - 3 ] }}", variables) == "\U0001F381én");
  CHECK(render("[{{ s[3] }}{{ s[-4] }}{{ ''[0] }}{{ s[0.5] }}]", variables) == "[]");
  CHECK(render("{{ s[3] | default('none') }} {{ s[0] | upper }}", variables) == "none N");
  CHECK(render("{{ l[-1] }}{{ l[i] }}[{{ l[-3] }}]{{ l[0][0] }}", variables) == "ba[]a");
  CHECK(render("{{ -1 }} {{ -2.5 }}{{ '' -}} ", variables) == "-1 -2.5");
}

TEST_CASE("filters do what Jinja's do") {
  const template_variables variables{{"l", card_list{"a", 1, true}}, {"t", "  Ab c "}, {"n", 12}};
  CHECK(render("{{ l | join(', ') }} {{ l|join }}", variables) == "a, 1, True a1True");
  CHECK(render("{{ 'né' | join('-') }}") == "n-é");
  CHECK(render("[{{ t | trim | lower }}] {{ t | upper }}", variables) == "[ab c]   AB C ");
  CHECK(render("{{ l | length }} {{ t | count }} {{ 'né' | length }} {{ u | length }}",
               variables) == "3 7 2 0");
  CHECK(render("{{ 'a-b-c' | replace('-', '+') | upper }} {{ n | replace('1', 'x') }}",
               variables) == "A+B+C x2");
  CHECK(render("{{ u | upper }}{{ u | join(',') }}{{ 'xax' | trim('x') }}") == "a");
  CHECK(render("{% if l | length == 3 %}three{% endif %}", variables) == "three");
  CHECK(render("{{ 'é à é' | trim('è') }} {{ 'éaé' | trim('é') }}[{{ 'ééé' | trim('é') }}]") ==
        "é à é a[]");
}

TEST_CASE("escapes in texts are Python's") {
  CHECK(render(R"({{ "\a\x41\u00e9\U0001F381\101\q\\\n|\
"}})") == "\aA\u00e9\U0001F381A\\q\\\n|");
  CHECK(render("{{ 'it\\'s' }}") == "it's");
}

TEST_CASE("errors in statements name the template and the line") {
  const auto fails = [](std::string_view text, const char* part,
                        const template_variables& variables = {}) {
    CHECK_THROWS_WITH_AS(model::render_template(text, variables, "card.md"),
                         doctest::Contains(part), error);
  };
  fails("\n{{ x | nope }}", "card.md, line 2: unknown filter \"nope\"");
  fails("{{ x | upper(1) }}", "does not take 1 arguments");
  fails("\n{% if x %}\n\n", "line 3: {% endif %} is missing");
  fails("{% for x in y %}", "{% endfor %} is missing");
  fails("\n{% endif %}", "line 2");
  fails("{% for x y %}{% endfor %}", "line 1");
  fails("{% if %}x{% endif %}", "line 1");
  fails("{% if x is odd %}{% endif %}", "the test \"odd\"");
  fails("\n{% for x in 5 %}{% endfor %}", "line 2: a loop needs");
  fails("{{ a.b.c }}", "not defined");
  fails("{{ 5 | length }}", "have a length");
  fails("{{ '\\x4' }}", "digits");
  fails("{{ '\\ud800' }}", "no character");
  fails("{{ 99999999999999999999 }}", "too large");
  fails("{{ f(x) }}", "line 1");
  fails("{% raw %}{% endraw", "line 1");
}

TEST_CASE("a template that does too much is stopped") {
  const auto stopped = [](const std::string& text, const template_variables& variables,
                          const char* part) {
    CHECK_THROWS_WITH_AS(render(text, variables), doctest::Contains(part), error);
  };
  const auto repeated = [](const std::string& text, int count) {
    std::string out;
    for (int i = 0; i < count; ++i) out += text;
    return out;
  };
  stopped(repeated("{% if x %}", 100'000), {}, "nested too deeply");
  stopped("{{ " + repeated("(", 100'000) + " }}", {}, "nested too deeply");
  stopped("{{ x" + repeated(" | upper", 100'000) + " }}", {}, "nested too deeply");
  stopped("{{ x" + repeated("[0]", 100'000) + " }}", {}, "nested too deeply");
  stopped("{{ " + repeated("not ", 100'000) + "x }}", {}, "nested too deeply");
  stopped("{% if x " + repeated("and x ", 100'000) + "%}{% endif %}", {}, "nested too deeply");
  const template_variables many{{"l", card_list(1000, card_value(1))},
                                {"t", std::string(1'000'000, 'a')}};
  stopped("{% for a in l %}{% for b in l %}{% for c in l %}{% endfor %}{% endfor %}{% endfor %}",
          many, "does too much");
  stopped("{% for a in l %}{{ t }}{% endfor %}", many, "does too much");
  stopped("{{ t | replace('a', t) }}", many, "does too much");
  stopped("{% for a in l %}{% if t in t %}{% endif %}{% endfor %}", many, "does too much");
  stopped(
      "{% for a in l %}{% if l == l %}{% endif %}{{ l | join }}{% endfor %}{% for a in l %}"
      "{% for b in l %}{% if l == l %}{% endif %}{% endfor %}{% endfor %}",
      many, "does too much");
}

TEST_CASE("a loop tells of its turn as Jinja's does") {
  const template_variables variables{{"l", card_list{"a", "b", "c"}}};
  CHECK(render("{% for i in l %}{{ loop.revindex }}{{ loop.revindex0 }}{{ loop.index0 }}"
               "{{ loop.length }}{{ loop.depth }}{{ loop.depth0 }} {% endfor %}",
               variables) == "320310 211310 102310 ");
  CHECK(render("{% for i in l %}{{ loop.previtem | default('-') }}{{ loop['nextitem'] }}"
               "{% if loop.nextitem is undefined %}.{% endif %} {% endfor %}",
               variables) == "-b ac b. ");
  CHECK(render("{% for i in l %}{% for j in l %}{{ loop.index }}{% endfor %}{{ loop.index }} "
               "{% endfor %}",
               variables) == "1231 1232 1233 ");
  CHECK(render("{% for i in l %}{{ loop }}{% if loop is defined and loop.first %};{% endif %}"
               "{% endfor %}",
               variables) == "<LoopContext 1/3>;<LoopContext 2/3><LoopContext 3/3>");
  CHECK(render("{{ loop.other }}", {{"loop", card_map{{"other", 1}}}}) == "1");
  CHECK_THROWS_WITH_AS(render("\n{% for i in l %}\n{{ loop.indx }}{% endfor %}", variables),
                       doctest::Contains("line 3: \"loop\" has no member \"indx\""), error);
  CHECK_THROWS_WITH_AS(
      render("{% for i in l %}{% if loop.parent %}{% endif %}{% endfor %}", variables),
      doctest::Contains("line 1: \"loop\" has no member \"parent\""), error);
}

TEST_CASE("arguments of filters have the names that Jinja gives them") {
  const template_variables variables{{"e", ""}, {"l", card_list{1, 2}}, {"one", 1}};
  CHECK(render("{{ e | default('d', boolean=true) }}{{ e | d(boolean=True, default_value='x') }}",
               variables) == "dx");
  CHECK(render("[{{ u | default(boolean=true) }}]", variables) == "[]");
  CHECK(render("{{ l | join(d=', ') }} {{ 'xax' | trim(chars='x') }}", variables) == "1, 2 a");
  CHECK(render("{{ 'aaa' | replace('a', 'b', 2) }} {{ 'aaa' | replace(new='c', old='a') }} "
               "{{ 'aaa' | replace('a', 'b', count=one) }} {{ 'aa' | replace('a', 'b', none) }} "
               "{{ 'aa' | replace('a', 'b', -1) }} {{ 'aa' | replace('a', 'b', 0) }}",
               variables) == "bba ccc baa bb bb aa");
  const auto fails = [](std::string_view text, const char* part) {
    CHECK_THROWS_WITH_AS(render(text), doctest::Contains(part), error);
  };
  fails("{{ 'a' | replace('a', 'b', 'c') }}", "a whole number");
  fails("{{ 'a' | replace('a', count=1) }}", "lacks an argument");
  fails("{{ 'a' | join(sep=', ') }}", "\"join\" does not take \"sep\"");
  fails("{{ 'a' | default('b', default_value='c') }}", "given twice");
  fails("{{ 'a' | default(boolean=true, 'b') }}", "is not understood");
  fails("{{ a = 'b' }}", "\"=\" is not understood");
}

TEST_CASE("what Jinja does not read is refused here, too") {
  const auto fails = [](std::string_view text, const char* part) {
    CHECK_THROWS_WITH_AS(render(text), doctest::Contains(part), error);
  };
  fails("a\n{{ a +}}", "line 2: \"+\" is not understood");
  fails("{{ 007 }}", "line 1: a number that begins with zero");
  fails("{{ -01 }}", "begins with zero");
  CHECK(render("{{ 00 }} {{ 0 }} {{ 10 }} {{ 0.5 }}") == "0 0 10 0.5");
  CHECK(render("{{+ 'a' }}{% if true +%} b{%+ endif %}{#+ c +#}") == "a b");
}
