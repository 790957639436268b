#include "unit/model/safetensors_text.hpp"

#include <doctest/doctest.h>

#include <random>
#include <vector>

using namespace cohub;
using test::file_of;
using test::parse;
using test::refusal;

namespace {

bool refused_as(const std::string& file, const std::string& word) {
  const auto text = refusal(file);
  INFO(text);
  return text.find("x.safetensors: " + word + " (") != std::string::npos;
}

std::string entry(const std::string& name, const std::string& dtype, const std::string& shape,
                  const std::string& offsets) {
  return "\"" + name + "\":{\"dtype\":\"" + dtype + "\",\"shape\":" + shape +
         ",\"data_offsets\":" + offsets + "}";
}

}  // namespace

TEST_CASE("a header tells of tensors and metadata, in the order of the data") {
  const auto header =
      parse(file_of("{\"__metadata__\":{\"format\":\"pt\"}," + entry("b", "F32", "[2]", "[8,16]") +
                        "," + entry("a", "I64", "[1]", "[0,8]") + "}",
                    std::string(16, 'x')));
  REQUIRE(header.tensors.size() == 2);
  CHECK(header.metadata.at("format") == "pt");
  CHECK(header.tensors[0].name == "a");
  CHECK(header.tensors[0].dtype == tensor_dtype::i64);
  CHECK(header.tensors[1].begin == 8);
  CHECK(header.tensors[1].element_count() == 2);
}

TEST_CASE("scalars, empty tensors and white space around the header are accepted (V101)") {
  CHECK(parse(file_of("{" + entry("t", "I32", "[]", "[0,4]") + "}", "1234"))
            .tensors[0]
            .element_count() == 1);
  CHECK(
      parse(file_of("{" + entry("t", "I32", "[2,0]", "[0,0]") + "}")).tensors[0].element_count() ==
      0);
  for (const auto* header : {"{}\r\n\t ", "\r\n\t {}", " {} ", "{}"})
    CHECK(refusal(file_of(header)) == "");
}

TEST_CASE("tensors that overlap or leave a gap are refused (V102)") {
  std::string ten = "{";
  for (int i = 0; i < 10; ++i)
    ten += (i ? "," : "") + entry("t" + std::to_string(i), "F32", "[4]", "[0,16]");
  CHECK(refused_as(file_of(ten + "}", std::string(16, 0)), "InvalidOffset"));
  CHECK(refused_as(file_of("{" + entry("t", "F32", "[1]", "[4,8]") + "}", std::string(8, 0)),
                   "InvalidOffset"));
  CHECK(refused_as(file_of("{" + entry("t", "F32", "[0]", "[4,0]") + "}", std::string(8, 0)),
                   "InvalidOffset"));
}

TEST_CASE("data that is longer or shorter than the tensors is refused (V103)") {
  const auto header = "{" + entry("t", "F32", "[2]", "[0,8]") + "}";
  CHECK(refusal(file_of(header, std::string(8, 0))) == "");
  CHECK(refused_as(file_of(header, std::string(9, 0)), "MetadataIncompleteBuffer"));
  CHECK(refused_as(file_of(header, std::string(6, 0)), "MetadataIncompleteBuffer"));
}

TEST_CASE("broken lengths and broken text are refused (V104)") {
  CHECK(refused_as(std::string("\xff\xff\xff\xff\xff\xff\xff\xff{}", 10), "HeaderTooLarge"));
  CHECK(
      refused_as(std::string("\x01\xe1\xf5\x05\0\0\0\0{}", 10), "HeaderTooLarge"));  // 100,000,001
  CHECK(refused_as("", "HeaderTooSmall"));
  CHECK(refused_as("1234567", "HeaderTooSmall"));
  CHECK(refused_as(std::string("\x3c\0\0\0\0\0\0\0", 8), "InvalidHeaderLength"));
  CHECK(refused_as(file_of("\xff"), "InvalidHeader"));
  CHECK(refused_as(file_of("{"), "InvalidHeaderDeserialization"));
}

TEST_CASE("shapes that overflow or do not fit are refused (V105)") {
  CHECK(refused_as(file_of("{" + entry("t", "I32", "[2,18446744073709551614]", "[0,16]") + "}",
                           std::string(16, 0)),
                   "ValidationOverflow"));
  CHECK(refused_as(file_of("{" + entry("t", "I32", "[2,9223372036854775807]", "[0,16]") + "}",
                           std::string(16, 0)),
                   "ValidationOverflow"));
  CHECK(refused_as(file_of("{" + entry("t", "I32", "[2,2]", "[0,4]") + "}", std::string(4, 0)),
                   "TensorInvalidInfo"));
  CHECK(refused_as(file_of("{" + entry("t", "F4", "[1,3]", "[0,2]") + "}", std::string(2, 0)),
                   "MisalignedSlice"));
}

TEST_CASE("text that is JSON but no header is refused, with the offset") {
  for (const std::string header :
       {"[]",
        "null",
        "\"t\"",
        "1",
        "{}x",
        "{} {}",
        R"({"t":1})",
        R"({"t":null})",
        R"({"t":[]})",
        R"({"t":{}})",
        R"({"t":{"dtype":"F32","shape":[]}})",
        R"({"t":{"dtype":1,"shape":[],"data_offsets":[0,4]}})",
        R"({"t":{"dtype":"F32","shape":[-1],"data_offsets":[0,4]}})",
        R"({"t":{"dtype":"F32","shape":[1.5],"data_offsets":[0,4]}})",
        R"({"t":{"dtype":"F32","shape":["1"],"data_offsets":[0,4]}})",
        R"({"t":{"dtype":"F32","shape":[[1]],"data_offsets":[0,4]}})",
        R"({"t":{"dtype":"F32","shape":[99999999999999999999],"data_offsets":[0,4]}})",
        R"({"t":{"dtype":"F32","shape":[],"data_offsets":[0]}})",
        R"({"t":{"dtype":"F32","shape":[],"data_offsets":[0,4,4]}})",
        R"({"t":{"dtype":"F32","shape":[],"data_offsets":{"a":1}}})",
        R"({"t":{"dtype":"F31","shape":[],"data_offsets":[0,4]}})",
        R"({"__metadata__":{"a":1}})",
        R"({"__metadata__":{"a":{}}})",
        R"({"__metadata__":"a"})"}) {
    INFO(header);
    CHECK(refused_as(file_of(header, "1234"), "InvalidHeaderDeserialization"));
  }
  CHECK(refusal(file_of("{\"t\":true}")).find("offset 13") != std::string::npos);
}

TEST_CASE("keys that occur twice are refused at every level") {
  const auto one = entry("t", "F32", "[1]", "[0,4]");
  CHECK(refused_as(file_of("{" + one + "," + entry("t", "F32", "[1]", "[4,8]") + "}", "12345678"),
                   "InvalidHeaderDeserialization"));
  CHECK(refused_as(
      file_of("{" + one + R"(,"\u0074":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}})",
              "12345678"),
      "InvalidHeaderDeserialization"));
  CHECK(
      refused_as(file_of(R"({"__metadata__":{"a":"b","a":"c"}})"), "InvalidHeaderDeserialization"));
  CHECK(refused_as(file_of(R"({"__metadata__":{},"__metadata__":{}})"),
                   "InvalidHeaderDeserialization"));
  CHECK(refused_as(
      file_of(R"({"t":{"dtype":"U8","dtype":"U8","shape":[],"data_offsets":[0,1]}})", "1"),
      "InvalidHeaderDeserialization"));
}

TEST_CASE("other keys of a tensor are passed over, whatever they hold") {
  const auto header = parse(file_of(
      R"({"t":{"a":[1,{"dtype":[]}],"dtype":"U8","b":{"shape":null},"shape":[],"c":"x","d":1.5,"data_offsets":[0,1],"e":null}})",
      "1"));
  CHECK(header.tensors[0].dtype == tensor_dtype::u8);
  CHECK(header.tensors[0].shape.empty());
}

TEST_CASE("deep nesting is refused, not followed") {
  const std::string deep(100'000, '[');
  CHECK(refused_as(file_of("{\"t\":{\"a\":" + deep), "InvalidHeaderDeserialization"));
}

TEST_CASE("every dtype has its size") {
  const std::vector<std::pair<std::string, unsigned>> types{
      {"BOOL", 8},        {"F4", 4},      {"F6_E2M3", 6}, {"F6_E3M2", 6}, {"U8", 8},
      {"I8", 8},          {"F8_E5M2", 8}, {"F8_E4M3", 8}, {"F8_E8M0", 8}, {"F8_E4M3FNUZ", 8},
      {"F8_E5M2FNUZ", 8}, {"I16", 16},    {"U16", 16},    {"F16", 16},    {"BF16", 16},
      {"I32", 32},        {"U32", 32},    {"F32", 32},    {"C64", 64},    {"F64", 64},
      {"I64", 64},        {"U64", 64}};
  for (const auto& [name, bits] : types) {
    INFO(name);
    const auto size = std::to_string(bits * 4 / 8);
    const auto header = parse(file_of("{" + entry("t", name, "[4]", "[0," + size + "]") + "}",
                                      std::string(bits * 4 / 8, 0)));
    CHECK(to_string(header.tensors[0].dtype) == name);
    CHECK(bits_of(header.tensors[0].dtype) == bits);
  }
}

TEST_CASE("the start of a file tells how much of it the header needs") {
  const auto file = file_of("{" + entry("t", "F32", "[1]", "[0,4]") + "}", "1234");
  const auto bytes = std::as_bytes(std::span(file));
  const auto size = safetensors_header_size(bytes.first(8));
  CHECK(size == file.size() - 4);
  const auto header = parse_safetensors_header(bytes.first(size));
  CHECK(header.data_offset == size);
  CHECK(header.file_size == file.size());
  const safetensors_options small{.max_header_bytes = 10};
  CHECK_THROWS_WITH_AS(safetensors_header_size(bytes, "a/b.safetensors", small),
                       doctest::Contains("reading a/b.safetensors: HeaderTooLarge"), error);
  CHECK_THROWS_WITH_AS(safetensors_header_size(bytes.first(7), "a/b.safetensors"),
                       doctest::Contains("reading a/b.safetensors: HeaderTooSmall"), error);
}

TEST_CASE("a file that is damaged anywhere is refused or read, never worse") {
  const auto valid =
      file_of("{\"__metadata__\":{\"format\":\"pt\"}," + entry("b", "F32", "[2]", "[8,16]") + "," +
                  entry("\\u00e9", "I64", "[1]", "[0,8]") + "}",
              std::string(16, 'x'));
  std::mt19937 random(7);
  const auto below = [&](std::size_t limit) { return static_cast<std::size_t>(random() % limit); };
  const std::string interesting = "{}[]\",:0129-\\eu\xff\x00 \n";
  int refused = 0;
  for (int round = 0; round < 5000; ++round) {
    auto file = valid;
    for (std::size_t edits = 1 + below(4); edits-- > 0 && !file.empty();) {
      const auto at = below(file.size());
      switch (below(4)) {
        case 0:
          file[at] = static_cast<char>(random());
          break;
        case 1:
          file[at] = interesting[below(interesting.size())];
          break;
        case 2:
          file.erase(at, 1 + below(4));
          break;
        default:
          file.insert(at, 1, interesting[below(interesting.size())]);
          break;
      }
    }
    refused += refusal(file).empty() ? 0 : 1;
    CHECK(refusal(file) != "another code");
  }
  CHECK(refused > 2500);
}
