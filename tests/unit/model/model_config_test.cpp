#include "cohub/model_config.hpp"

#include "cohub/error.hpp"

#include <doctest/doctest.h>

#include <bit>
#include <cmath>
#include <limits>
#include <random>

using namespace cohub;

namespace {

namespace json = boost::json;

enum class activation { relu, tanh };
BOOST_DESCRIBE_ENUM(activation, relu, tanh)

struct schedule {
  double rate = 0.1;
  int steps = 3;
};
BOOST_DESCRIBE_STRUCT(schedule, (), (rate, steps))

struct base_config {
  std::string name = "m";
};
BOOST_DESCRIBE_STRUCT(base_config, (), (name))

struct full_config : base_config {
  int hidden_size = 512;
  float scale = 0.1f;
  bool bias = true;
  activation act = activation::relu;
  std::optional<double> dropout{};
  schedule sched{};
  std::vector<std::uint8_t> layers{1, 2};
  std::map<std::string, schedule> by_name{};
  std::variant<int, std::string, schedule> mixed = 1;
  std::array<int, 2> pair{1, 2};
  transient<void*> handle{};
};
BOOST_DESCRIBE_STRUCT(full_config, (base_config),
                      (hidden_size, scale, bias, act, dropout, sched, layers, by_name, mixed, pair,
                       handle))

struct strict_config {
  required<int> size{};
  extra_fields rest{};
};
BOOST_DESCRIBE_STRUCT(strict_config, (), (size, rest))

struct guide_config {
  required<std::string> value{};
  int size = 3;
};
BOOST_DESCRIBE_STRUCT(guide_config, (), (value, size))

struct date {
  int year = 0;
};
void tag_invoke(json::value_from_tag, json::value& into, const date& from) {
  into = "Y" + std::to_string(from.year);
}
date tag_invoke(json::value_to_tag<date>, const json::value& from) {
  return {std::stoi(std::string(from.as_string().subview(1)))};
}

struct dated_config {
  std::vector<date> dates{{1936}};
};
BOOST_DESCRIBE_STRUCT(dated_config, (), (dates))

/// A foreign type that has no conversion, and one that has another one.
struct day {
  int number = 0;
  friend bool operator==(const day&, const day&) = default;
};
struct day_coder {
  static json::value encode(const day& value) {
    return json::object{{"value", "day " + std::to_string(value.number)}};
  }
  static day decode(const json::value& from) {
    if (from.is_null()) return {-1};
    return {std::stoi(std::string(from.at("value").as_string().subview(4)))};
  }
};
struct year_coder {
  static json::value encode(const date& value) { return value.year; }
  static date decode(const json::value& from) { return {from.to_number<int>()}; }
};

struct inner_with_day {
  std::vector<day> days{{1}};
};
BOOST_DESCRIBE_STRUCT(inner_with_day, (), (days))

struct coded_config {
  using hub_coders = coders<day_coder>;
  int foo = 1;
  std::string bar = "bar";
  std::variant<double, std::string> baz = 1.0;
  day custom{};
  std::optional<day> set{};
  std::optional<day> unset{};
  day otherwise{7};
  inner_with_day inner{};
  date when{};
};
BOOST_DESCRIBE_STRUCT(coded_config, (), (foo, bar, baz, custom, set, unset, otherwise, inner, when))

struct heir_config {
  using hub_coders = coders<year_coder>;
  date when{1};
  coded_config part{};
};
BOOST_DESCRIBE_STRUCT(heir_config, (), (when, part))

/// An enumeration that is written as a number, by its own conversion.
enum class level { low = 1, high = 2 };
BOOST_DESCRIBE_ENUM(level, low, high)
void tag_invoke(json::value_from_tag, json::value& into, level from) {
  into = static_cast<int>(from);
}
level tag_invoke(json::value_to_tag<level>, const json::value& from) {
  const auto number = from.to_number<int>();
  if (number != 1 && number != 2) throw std::runtime_error("no such level");
  return static_cast<level>(number);
}

struct choice_config {
  using hub_coders = coders<day_coder>;
  std::variant<level, std::string> grade = level::low;
  std::variant<schedule, day> when{};
  std::variant<day, schedule> other{};
};
BOOST_DESCRIBE_STRUCT(choice_config, (), (grade, when, other))

struct adam {
  double rate = 0.1;
  double beta = 0.9;
};
BOOST_DESCRIBE_STRUCT(adam, (), (rate, beta))
struct sgd {
  double rate = 0.2;
  double momentum = 0.5;
};
BOOST_DESCRIBE_STRUCT(sgd, (), (rate, momentum))
struct plain_descent {
  double rate = 0.3;
};
BOOST_DESCRIBE_STRUCT(plain_descent, (), (rate))

using optimizer = std::variant<adam, sgd, plain_descent>;

struct variant_config {
  std::variant<activation, std::string> act{};
  std::variant<std::uint8_t, int> count{};
  std::variant<std::vector<int>, std::vector<std::string>> items{};
  optimizer first{};
  std::variant<std::vector<adam>, std::vector<sgd>> steps{};
  std::variant<std::optional<adam>, sgd> perhaps{};
  std::variant<std::map<std::string, adam>, std::map<std::string, sgd>> by_name{};
  std::variant<std::variant<adam, plain_descent>, sgd> nested{};
};
BOOST_DESCRIBE_STRUCT(variant_config, (),
                      (act, count, items, first, steps, perhaps, by_name, nested))

/// Converted without exceptions, but for who asks for what it is not.
struct percent {
  int value = 0;
};
void tag_invoke(json::value_from_tag, json::value& into, const percent& from) {
  if (from.value > 100) throw std::runtime_error("more than all");
  into = from.value;
}
json::result<percent> tag_invoke(json::try_value_to_tag<percent>, const json::value& from) {
  if (!from.is_int64()) return make_error_code(json::error::not_exact);
  return percent{static_cast<int>(from.get_int64())};
}

struct shy_coder {
  static json::value encode(const day& value) {
    if (value.number < 0) throw std::runtime_error("no such day");
    return value.number;
  }
  static day decode(const json::value& from) { return {from.to_number<int>()}; }
};

struct careful_config {
  std::vector<percent> shares{};
  std::vector<day> days{};
  json::value anything{};
};
BOOST_DESCRIBE_STRUCT(careful_config, (), (shares, days, anything))

struct two_records {
  schedule arg1{};
  schedule arg2{};
};
BOOST_DESCRIBE_STRUCT(two_records, (), (arg1, arg2))

struct open_config {
  int num_classes = 50;
  std::string state = "layernorm";
  extra_fields rest{};
};
BOOST_DESCRIBE_STRUCT(open_config, (), (num_classes, state, rest))

struct everything_goes {
  extra_fields rest{};
};
BOOST_DESCRIBE_STRUCT(everything_goes, (), (rest))

template <class Config>
Config read(std::string_view text) {
  return config_from_json<Config>(parse_config(text, "f/config.json"), "f/config.json");
}

template <class Config>
void refuses(std::string_view text, const char* part) {
  INFO(text);
  try {
    read<Config>(text);
    FAIL_CHECK("read");
  } catch (const error& failure) {
    CHECK(failure.code() == errc::invalid_config);
    CHECK(std::string(failure.what()).find("f/config.json") != std::string::npos);
    INFO(failure.what());
    CHECK(std::string(failure.what()).find(part) != std::string::npos);
  }
}

}  // namespace

TEST_CASE("a config is written as Python writes it (V107)") {
  guide_config config;
  config.value = std::string("my_value");
  CHECK(config_text(config_to_json(config)) == "{\n  \"size\": 3,\n  \"value\": \"my_value\"\n}");
}

TEST_CASE("keys that no member takes are dropped (V16, V108)") {
  const auto config = read<guide_config>(R"({"value":"v","size":4,"unknown":1})");
  CHECK(config_text(config_to_json(config)) == "{\n  \"size\": 4,\n  \"value\": \"v\"\n}");
}

TEST_CASE("numbers and other alphabets are written as Python does (V109)") {
  CHECK(config_text(json::value{1e-5, 1e16, 1.0, "한글"}) ==
        "[\n  1e-05,\n  1e+16,\n  1.0,\n  \"\\ud55c\\uae00\"\n]");
  CHECK(config_text(
            json::value{{"b", json::array()}, {"a", json::object()}, {"c", "\x01\"\\\n🎁\x7f/"}}) ==
        "{\n  \"a\": {},\n  \"b\": [],\n  \"c\": \"\\u0001\\\"\\\\\\n\\ud83c\\udf81\\u007f/\"\n}");
  CHECK(config_text(std::numeric_limits<std::uint64_t>::max()) == "18446744073709551615");
}

TEST_CASE("numbers are read back as they were, to the last digit") {
  CHECK(parse_config(R"({"a":0.22941573387056174})").at("a") == 0.22941573387056174);
  std::mt19937_64 random(7);
  std::string wrong;
  for (int i = 0; i < 20'000; ++i) {
    // Of all magnitudes, and of those that configs have.
    auto number = std::bit_cast<double>(random());
    if (i % 2 == 0) number = std::generate_canonical<double, 53>(random);
    if (!std::isfinite(number)) continue;
    const auto text = config_text(json::object{{"a", number}});
    const auto again = parse_config(text).at("a").as_double();
    if (std::bit_cast<std::uint64_t>(again) != std::bit_cast<std::uint64_t>(number)) wrong = text;
  }
  CHECK(wrong == "");
  CHECK(parse_config(R"({"a":-0.0})").at("a").as_double() == 0);
  CHECK(std::signbit(parse_config(R"({"a":-0.0})").at("a").as_double()));
}

TEST_CASE("numbers that are out of all range are what they were") {
  const auto read_number = [](const std::string& text) {
    return parse_config("{\"a\":" + text + "}").at("a");
  };
  CHECK(read_number("18446744073709551615").is_uint64());
  CHECK(read_number("18446744073709551616").as_double() == 0x1p64);
  CHECK(read_number("-9223372036854775809").as_double() == -0x1p63);
  CHECK(read_number("123456789012345678901234567890").as_double() ==
        123456789012345678901234567890.0);
  CHECK(std::isinf(read_number("1e400").as_double()));
  CHECK(read_number("1e-400").as_double() == 0);
  CHECK_THROWS_AS(read_number("1e99999999999"), error);
  refuses<full_config>(R"({"dropout":1e400})", "config.dropout: the number is out of range");
}

TEST_CASE("a config may be as deep as it is written, and no deeper") {
  const auto nested = [](std::size_t depth) {
    return "{\"a\":" + std::string(depth - 1, '[') + std::string(depth - 1, ']') + "}";
  };
  CHECK(parse_config(nested(128)).size() == 1);
  CHECK_THROWS_WITH_AS(parse_config(nested(129), "c"), doctest::Contains("c, line 1"), error);
}

TEST_CASE("every kind of member survives a round trip") {
  full_config config;
  config.name = "other";
  config.act = activation::tanh;
  config.dropout = 0.5;
  config.sched.rate = 1e-5;
  config.by_name["x"].steps = 9;
  config.mixed = std::string("text");
  config.pair = {7, 8};
  const auto text = config_text(config_to_json(config));
  CHECK(text.find("\"act\": \"tanh\"") != std::string::npos);
  CHECK(text.find("\"scale\": 0.1,") != std::string::npos);
  CHECK(text.find("handle") == std::string::npos);
  const auto again = read<full_config>(text);
  CHECK(config_text(config_to_json(again)) == text);
  CHECK(again.name == "other");
  CHECK(again.scale == 0.1f);
  CHECK(again.sched.rate == 1e-5);
  CHECK(again.by_name.at("x").steps == 9);
  CHECK(std::get<std::string>(again.mixed) == "text");
}

TEST_CASE("members that are missing keep their defaults, null empties an optional (V3, V20)") {
  const auto config = read<full_config>(R"({"dropout":null,"sched":{"steps":7}})");
  CHECK(config.hidden_size == 512);
  CHECK_FALSE(config.dropout);
  CHECK(config.sched.steps == 7);
  CHECK(config.sched.rate == 0.1);
  CHECK(config_to_json(config).as_object().at("dropout").is_null());
}

TEST_CASE("whole numbers may be spelled as floats, and a variant takes what fits") {
  CHECK(read<full_config>(R"({"hidden_size":4.0})").hidden_size == 4);
  CHECK(std::get<int>(read<full_config>(R"({"mixed":4})").mixed) == 4);
  CHECK(std::get<schedule>(read<full_config>(R"({"mixed":{"steps":1}})").mixed).steps == 1);
}

TEST_CASE("a number that a program made unsigned is as good as any other") {
  json::object object{{"hidden_size", 7u}, {"mixed", std::uint64_t{5}}};
  const auto config = config_from_json<full_config>(object);
  CHECK(config.hidden_size == 7);
  CHECK(std::get<int>(config.mixed) == 5);
  object["hidden_size"] = std::uint64_t{1} << 63;
  CHECK_THROWS_WITH_AS(config_from_json<full_config>(object), doctest::Contains("out of range"),
                       error);
}

TEST_CASE("a value that does not fit is an error with the member's path") {
  refuses<full_config>(R"({"hidden_size":"big"})",
                       "config.hidden_size: an integer is expected, not text");
  refuses<full_config>(R"({"hidden_size":1.5})", "config.hidden_size");
  refuses<full_config>(R"({"hidden_size":3000000000})",
                       "config.hidden_size: the number is out of range");
  refuses<full_config>(R"({"layers":[1,256]})", "config.layers[1]");
  refuses<full_config>(R"({"layers":[1,-1]})", "config.layers[1]");
  refuses<full_config>(R"({"sched":{"rate":"fast"}})", "config.sched.rate");
  refuses<full_config>(R"({"sched":null})", "config.sched: an object is expected, not null");
  refuses<full_config>(R"({"by_name":{"x":{"steps":true}}})", "config.by_name.x.steps");
  refuses<full_config>(R"({"act":"gelu"})", "\"gelu\" is none of relu, tanh");
  refuses<full_config>(R"({"mixed":null})", "config.mixed");
  refuses<full_config>(R"({"pair":[1]})", "config.pair");
  refuses<full_config>(R"({"scale":1e300})", "config.scale");
  refuses<strict_config>("{}", "config.size: it is required and missing");
  refuses<dated_config>(R"({"dates":["1"]})", "config.dates[0]");
}

TEST_CASE("extra fields are kept where a member asks for them") {
  const auto config = read<strict_config>(R"({"architectures":["A"],"size":1,"z":null})");
  CHECK(config.size == 1);
  CHECK(config.rest.values.size() == 2);
  CHECK(config_text(config_to_json(config)) ==
        "{\n  \"architectures\": [\n    \"A\"\n  ],\n  \"size\": 1,\n  \"z\": null\n}");
}

TEST_CASE("types with their own conversion are coded at any depth") {
  CHECK(config_text(config_to_json(dated_config())) == "{\n  \"dates\": [\n    \"Y1936\"\n  ]\n}");
  CHECK(read<dated_config>(R"({"dates":["Y1","Y2"]})").dates[1].year == 2);
}

TEST_CASE("what cannot be written is refused") {
  full_config config;
  config.sched.rate = std::numeric_limits<double>::infinity();
  CHECK_THROWS_WITH_AS(config_to_json(config), doctest::Contains("config.sched.rate"), error);
  CHECK_THROWS_WITH_AS(config_to_json(strict_config()), doctest::Contains("config.size"), error);
  CHECK_THROWS_AS(config_text(json::value(std::nan(""))), error);
  CHECK_THROWS_AS(config_text("\xff"), error);
}

TEST_CASE("text that is no object is refused with its line") {
  CHECK_THROWS_WITH_AS(parse_config("{\n\n\"a\": nil}", "c.json"),
                       doctest::Contains("c.json, line 3"), error);
  CHECK_THROWS_AS(parse_config("[]"), error);
  CHECK_THROWS_AS(parse_config(""), error);
  CHECK_THROWS_AS(parse_config("{} x"), error);
  CHECK_THROWS_AS(parse_config("{\"a\":" + std::string(5000, '[')), error);
  CHECK(config_text(config_to_json(no_config())) == "{}");
}

TEST_CASE("coders of a class write its members at any depth, and read them back (V17)") {
  coded_config config;
  config.custom = {3};
  config.set = day{4};
  config.inner.days = {{5}, {6}};
  config.when.year = 1969;
  const auto text = config_text(config_to_json(config));
  const auto object = parse_config(text);
  CHECK(object.at("foo") == 1);
  CHECK(object.at("bar") == "bar");
  CHECK(object.at("baz").as_double() == 1.0);
  CHECK(object.at("custom") == json::object{{"value", "day 3"}});
  CHECK(object.at("set") == json::object{{"value", "day 4"}});
  CHECK(object.at("unset").is_null());
  CHECK(object.at("otherwise") == json::object{{"value", "day 7"}});
  CHECK(object.at("when") == "Y1969");  // by its own conversion
  const auto again = read<coded_config>(text);
  CHECK(again.custom == day{3});
  CHECK(again.set == day{4});
  CHECK_FALSE(again.unset);
  CHECK(again.otherwise == day{7});
  CHECK(again.inner.days == std::vector<day>{{5}, {6}});
  refuses<coded_config>(R"({"inner":{"days":[1]}})", "config.inner.days[0]");
}

TEST_CASE("coders come before a type's own conversion, and those around a struct hold within") {
  heir_config config;
  config.part.custom = {9};
  const auto object = config_to_json(config).as_object();
  CHECK(object.at("when") == 1);
  CHECK(object.at("part").at("when") == 0);
  CHECK(object.at("part").at("custom") == json::object{{"value", "day 9"}});
  CHECK(read<heir_config>(config_text(object)).part.custom == day{9});
}

TEST_CASE("alternatives that are coded are chosen by what their coders take (V24)") {
  choice_config config;
  config.grade = level::high;
  config.when = day{2};
  config.other = schedule{0.5, 1};
  const auto text = config_text(config_to_json(config));
  const auto again = read<choice_config>(text);
  CHECK(std::get<level>(again.grade) == level::high);
  CHECK(std::get<day>(again.when) == day{2});
  CHECK(std::get<schedule>(again.other).rate == 0.5);
  CHECK(std::get<day>(read<choice_config>(R"({"other":{"value":"day 8"}})").other) == day{8});
  CHECK(std::get<std::string>(read<choice_config>(R"({"grade":"good"})").grade) == "good");
  refuses<choice_config>(R"({"grade":3})", "config.grade");
}

TEST_CASE("an alternative is read back as what it was") {
  variant_config config;
  config.act = "gelu";
  config.count = 300;
  config.items = std::vector<std::string>{"a"};
  config.steps = std::vector<sgd>(2);
  const auto again = [&] { return read<variant_config>(config_text(config_to_json(config))); };
  CHECK(std::get<std::string>(again().act) == "gelu");
  CHECK(std::get<int>(again().count) == 300);
  CHECK(std::get<std::vector<std::string>>(again().items).front() == "a");
  CHECK(std::get<std::vector<sgd>>(again().steps)[1].momentum == 0.5);
  for (const optimizer& held : {optimizer(adam()), optimizer(sgd()), optimizer(plain_descent())}) {
    config.first = held;
    CHECK(again().first.index() == held.index());
  }
  config.perhaps = sgd();
  config.by_name = std::map<std::string, sgd>{{"head", sgd()}};
  config.nested = sgd();
  CHECK(again().perhaps.index() == 1);
  CHECK(again().by_name.index() == 1);
  CHECK(again().nested.index() == 1);
  config.perhaps = std::optional<adam>();
  CHECK_FALSE(std::get<0>(again().perhaps));
  config.act = activation::tanh;
  config.count = std::uint8_t{3};
  CHECK(std::get<activation>(again().act) == activation::tanh);
  CHECK(std::get<std::uint8_t>(again().count) == 3);
}

TEST_CASE("an alternative that others wrote is the first that knows all keys, else the first") {
  const auto index_of = [](const char* object) {
    return read<variant_config>(std::string("{\"first\":") + object + "}").first.index();
  };
  CHECK(index_of(R"({"momentum":0.1})") == 1);
  CHECK(index_of(R"({"beta":0.1})") == 0);
  CHECK(index_of(R"({"rate":1,"momentum":0.1,"new":1})") == 0);
  refuses<variant_config>(R"({"first":{"rate":"fast"}})", "config.first.rate");
  refuses<variant_config>(R"({"items":[1,"a"]})", "config.items");
}

TEST_CASE("a failure of a coder, and what only the text shows, is told with the member's path") {
  const auto text_of = [](const careful_config& config) {
    return config_text(config_to_json<careful_config, coders<shy_coder>>(config));
  };
  const auto refused = [&](const careful_config& config, const char* message) {
    CHECK_THROWS_WITH_AS(text_of(config), message, error);
    CHECK_THROWS_AS(text_of(config), error);
  };
  careful_config config;
  config.shares = {{1}, {101}};
  refused(config,
          "writing config.json: config.shares[1]: more than all: the configuration does not fit");
  config.shares = {{1}};
  config.days = {{-1}};
  refused(config,
          "writing config.json: config.days[0]: no such day: the configuration does not fit");
  config.days = {{4}};
  config.anything = json::object{{"a", json::array{1, std::nan("")}}};
  refused(config,
          "writing config.json: config.anything.a[1]: it is not a finite number"
          ": the configuration does not fit");
  config.anything = json::object{{"a", "\xff"}};
  refused(config,
          "writing config.json: config.anything.a: text that is not UTF-8"
          ": the configuration does not fit");
  config.anything = nullptr;
  const auto given = parse_config(text_of(config));
  CHECK(given.at("days") == json::array{4});
  const auto again = config_from_json<careful_config, coders<shy_coder>>(given);
  CHECK(again.days.front() == day{4});
  CHECK(again.shares.front().value == 1);
  CHECK_THROWS_WITH_AS(
      (config_from_json<careful_config, coders<shy_coder>>(parse_config(R"({"shares":["x"]})"))),
      doctest::Contains("config.shares[0]"), error);
}

TEST_CASE("two records are two objects, and records again (V19)") {
  two_records config{{1, 1}, {2, 2}};
  const auto text = config_text(config_to_json(config));
  CHECK(parse_config(text) == json::object{{"arg1", {{"rate", 1.0}, {"steps", 1}}},
                                           {"arg2", {{"rate", 2.0}, {"steps", 2}}}});
  CHECK(read<two_records>(text).arg2.rate == 2);
}

TEST_CASE("what a class takes beside its own members is written beside them (V7, V23)") {
  const auto given = parse_config(R"({"num_classes":50,"state":"layernorm","a":1,"b":2,"c":3})");
  const auto config = config_from_json<open_config>(given);
  CHECK(config_to_json(config) == given);
  const auto anything = read<everything_goes>(R"({"something":"else"})");
  CHECK(config_to_json(anything) == json::object{{"something", "else"}});
}

TEST_CASE("what is not written keeps its default when it is read (V22)") {
  full_config config;
  int here = 0;
  config.handle.value = &here;
  const auto text = config_text(config_to_json(config));
  CHECK(text.find("handle") == std::string::npos);
  CHECK(read<full_config>(text).handle.value == nullptr);
}

TEST_CASE("numbers that Python writes and JSON does not have are called by their name") {
  const auto refused = [](const char* text, const char* part) {
    CAPTURE(text);
    CHECK_THROWS_WITH_AS(parse_config(text, "c"), doctest::Contains(part), error);
  };
  refused("{\"a\":\n[1, NaN]}", "c, line 2: NaN is no JSON");
  refused("{\"a\": Infinity}", "c, line 1: Infinity is no JSON");
  refused("{\"a\": -Infinity}", "c, line 1: -Infinity is no JSON");
  refused("{\"a\": nil}", "c, line 1: not JSON");
  CHECK(parse_config(R"({"NaN":"-Infinity"})").size() == 1);
}

TEST_CASE("a whole number is read as an integer where an alternative is one") {
  using either = std::variant<double, int, std::uint8_t>;
  const auto one = [](const json::value& value) {
    return config_from_json<std::vector<either>>(json::array{value})[0];
  };
  CHECK(std::get<int>(one(3)) == 3);
  CHECK(std::get<int>(one(std::uint64_t{3})) == 3);
  CHECK(std::get<double>(one(3.0)) == 3);
  CHECK(std::get<double>(one(std::int64_t{1} << 40)) == 0x1p40);
  const auto written = config_text(config_to_json(std::vector<either>{1.0, 2}));
  CHECK(written == "[\n  1.0,\n  2\n]");
  const auto mixed = [](const json::value& value) {
    return config_from_json<std::vector<std::variant<std::string, float, bool>>>(
        json::array{value})[0];
  };
  CHECK(std::get<float>(mixed(3)) == 3);
}
