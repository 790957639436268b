#include "model/safetensors/filename_pattern.hpp"

#include <doctest/doctest.h>

#include <string_view>
#include <utility>

using namespace cohub::model;

TEST_CASE("file, shards and index of one pattern are one family") {
  using row = std::pair<std::string_view, std::string_view>;
  for (const auto& [name, family] : {
           row{"model.safetensors", "model.safetensors"},
           row{"model-00001-of-00003.safetensors", "model.safetensors"},
           row{"model.safetensors.index.json", "model.safetensors"},
           row{"a/b/model-00001-of-00003.safetensors", "a/b/model.safetensors"},
           row{"a-00001-of-00003/w.safetensors", "a-00001-of-00003/w.safetensors"},
           row{"model-00001-of-00003.fp16.safetensors", "model.fp16.safetensors"},
           row{"model.fp16.safetensors", "model.fp16.safetensors"},
           row{"model-1-of-3.safetensors", "model-1-of-3.safetensors"},
           row{"model.safetensors.bak", ""},
           row{"pytorch_model.bin.index.json", ""},
           row{"config.json", ""},
       }) {
    CAPTURE(name);
    CHECK(weight_family(name) == family);
  }
}

TEST_CASE("weights are put in place before their index, and that before what describes them") {
  CHECK(publishing_rank("model.safetensors") < publishing_rank("model.safetensors.index.json"));
  CHECK(publishing_rank("model.safetensors.index.json") < publishing_rank("config.json"));
  CHECK(publishing_rank("config.json") < publishing_rank("README.md"));
  CHECK(weight_file_rank("model.safetensors") > weight_file_rank("model.safetensors.index.json"));
  CHECK(weight_file_rank("model.safetensors.index.json") >
        weight_file_rank("model-00001-of-00002.safetensors"));
}
