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

/// The single file that a path of a model's weights stands for, be it that file itself, one of its
/// shards or its index: "a/model.safetensors" for "a/model-00001-of-00003.safetensors". Files with
/// the same answer take each other's place. Empty: no safetensors file or index.
std::string weight_family(std::string_view path);

/// In which order the files of a save are put in place: 0 shards and single files, 1 indices,
/// 2 what is about all of them, 3 `README.md`.
int publishing_rank(std::string_view path);

/// Which of the files of a family are looked for first: 2 a single file, 1 an index, 0 a shard.
int weight_file_rank(std::string_view path);

/// "00003" of a shard "-00001-of-00003"; empty for other files.
std::string_view shard_count(std::string_view path);

}  // namespace cohub::model
