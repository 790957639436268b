#pragma once

#include <string>
#include <string_view>

namespace cohub::model {

/// How the weight files of a model are called: "model{suffix}.safetensors".
class filename_pattern {
 public:
  /// @throws error  errc::invalid_argument: not one "{suffix}", or a name that is no plain file
  /// name
  explicit filename_pattern(std::string_view pattern);

  std::string with(std::string_view suffix) const;
  std::string single_file() const { return with({}); }
  std::string index_file() const { return with({}) + ".index.json"; }
  /// Whether a file of that name would be one of the pattern's: single, shard or index.
  bool matches(std::string_view name) const;

 private:
  std::string before_{}, after_{};
};

}  // namespace cohub::model
