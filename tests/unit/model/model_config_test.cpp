#include "cohub/model_config.hpp"

#include "cohub/error.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <limits>

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
  CHECK_THROWS_WITH_AS(parse_config("{\n\n\"a\": NaN}", "c.json"),
                       doctest::Contains("c.json, line 3"), error);
  CHECK_THROWS_AS(parse_config("[]"), error);
  CHECK_THROWS_AS(parse_config(""), error);
  CHECK_THROWS_AS(parse_config("{} x"), error);
  CHECK_THROWS_AS(parse_config("{\"a\":" + std::string(5000, '[')), error);
  CHECK(config_text(config_to_json(no_config())) == "{}");
}
