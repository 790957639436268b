#include "model/safetensors/safetensors_index.hpp"

#include "cohub/error.hpp"

#include "model/safetensors/describe_safetensors.hpp"
#include "model/safetensors/safetensors_header.hpp"
#include "safetensors_text.hpp"

#include <doctest/doctest.h>

using namespace cohub;

namespace {

std::string refusal_of_index(const std::string& text) {
  try {
    model::parse_safetensors_index(text, "o/m/index");
    return {};
  } catch (const error& failure) {
    if (failure.code() != errc::invalid_safetensors) return "another code";
    return failure.what();
  }
}

std::string index_with(const std::string& file) {
  return R"({"weight_map":{"a":")" + file + "\"}}";
}

}  // namespace

TEST_CASE("an index names the files of its tensors, each once") {
  const auto index = model::parse_safetensors_index(
      R"({"metadata":{"total_size":12,"rate":0.22941573387056174},"weight_map":{
          "b":"model-00002-of-00002.safetensors","a":"model-00001-of-00002.safetensors",
          "c":"model-00002-of-00002.safetensors"}})",
      "index");
  REQUIRE(index.metadata.has_value());
  CHECK(index.metadata->at("total_size").as_int64() == 12);
  CHECK(index.metadata->at("rate").as_double() == 0.22941573387056174);
  CHECK(index.weight_map.size() == 3);
  CHECK(index.weight_map.at("c") == "model-00002-of-00002.safetensors");
  CHECK(index.files == std::vector<std::string>{"model-00001-of-00002.safetensors",
                                                "model-00002-of-00002.safetensors"});
  CHECK_FALSE(model::parse_safetensors_index(R"({"weight_map":{}})", "x").metadata.has_value());
}

TEST_CASE("an index that leads out of its folder is refused") {
  CHECK(refusal_of_index(index_with("sub/x.safetensors")).empty());
  for (const auto* name :
       {"../x.safetensors", "/x.safetensors", "a/../../x.safetensors", "C:x.safetensors",
        "C:\\\\x.safetensors", "\\\\x.safetensors", "..\\\\x.safetensors",
        "\\\\\\\\srv\\\\sh\\\\x.safetensors", "x.bin", "", "x\\u0000.safetensors"}) {
    CAPTURE(name);
    CHECK(refusal_of_index(index_with(name)).find("cannot be the name") != std::string::npos);
  }
}

TEST_CASE("an index that is none is refused") {
  for (const auto* text :
       {"", "[]", "{}", "null", R"({"weight_map":[]})", R"({"weight_map":{"a":1}})",
        R"({"weight_map":{"a":"x.safetensors"})", R"({"weight_map":{},"metadata":3})"}) {
    CAPTURE(text);
    CHECK(refusal_of_index(text).find("o/m/index") != std::string::npos);
  }
  std::string many = R"({"weight_map":{)";
  for (int i = 0; i < 10'001; ++i)
    many += (i == 0 ? "" : ",") + ('"' + std::to_string(i) + "\":\"" + std::to_string(i)) +
            ".safetensors\"";
  CHECK(refusal_of_index(many + "}}").find("10001 files") != std::string::npos);
}

TEST_CASE(
    "a header with unknown dtypes is read where that is asked for, and checked all the same") {
  const auto parse_open = [](const std::string& file, model::unknown_dtypes& unknown) {
    return model::parse_open_header(std::as_bytes(std::span(file)), file.size(), "x", {}, unknown);
  };
  const auto refusal_of = [&](const std::string& header, const std::string& data) {
    model::unknown_dtypes unknown;
    try {
      parse_open(test::file_of(header, data), unknown);
      return std::string();
    } catch (const error& failure) {
      return std::string(failure.what());
    }
  };
  const std::string header = R"({"a":{"dtype":"FP4","shape":[3],"data_offsets":[0,2]},)"
                             R"("b":{"dtype":"F32","shape":[1],"data_offsets":[2,6]}})";
  model::unknown_dtypes unknown;
  const auto read = parse_open(test::file_of(header, "123456"), unknown);
  CHECK(unknown == model::unknown_dtypes{{"a", "FP4"}});
  CHECK(read.tensors.size() == 2);
  CHECK(test::refusal(test::file_of(header, "123456")).find("unknown dtype FP4") !=
        std::string::npos);
  CHECK(refusal_of(header, "12345").find("MetadataIncompleteBuffer") != std::string::npos);
  CHECK(refusal_of(R"({"a":{"dtype":"FP4","shape":[3],"data_offsets":[1,2]}})", "12")
            .find("InvalidOffset") != std::string::npos);
  CHECK(refusal_of(R"({"a":{"dtype":"FP4","shape":[4294967296,4294967296],"data_offsets":[0,2]}})",
                   "12")
            .find("ValidationOverflow") != std::string::npos);
  CHECK(refusal_of(R"({"a":{"dtype":"FP4","shape":[3],"data_offsets":[0,2]},)"
                   R"("b":{"dtype":"F32","shape":[2],"data_offsets":[2,6]}})",
                   "123456")
            .find("TensorInvalidInfo") != std::string::npos);
}

TEST_CASE("numbers of parameters that no number can hold are refused, in a file and in all") {
  const std::string most = R"({"dtype":"FP4","shape":[9223372036854775808],"data_offsets":[0,0]})";
  const auto describe = [](const std::string& header) {
    const auto file = test::file_of(header, "");
    model::unknown_dtypes unknown;
    const auto parsed =
        model::parse_open_header(std::as_bytes(std::span(file)), file.size(), "x", {}, unknown);
    return model::describe_safetensors(parsed, unknown);
  };
  const auto half = describe(R"({"a":)" + most + '}');
  CHECK(half.parameter_count.at("FP4") == std::uint64_t{1} << 63);
  CHECK_THROWS_AS(describe(R"({"a":)" + most + R"(,"b":)" + most + '}'), error);
  CHECK(model::sum_parameter_counts({{"x", half}}).at("FP4") == std::uint64_t{1} << 63);
  CHECK_THROWS_AS(model::sum_parameter_counts({{"x", half}, {"y", half}}), error);
}
