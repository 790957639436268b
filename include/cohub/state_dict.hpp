#pragma once

#include "cohub/named.hpp"
#include "cohub/safetensors.hpp"

#include <concepts>
#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

/// Saving the weights of a model: shared tensors once, large models in shards with an index
/// (mixin-and-cards, section 5.5). `safetensors_model` reads what is written here.
///
/// @par Threads  These functions block on the disk, as those of `cohub/safetensors.hpp` do.

namespace cohub {

/// "5GB" as bytes: a positive decimal number, and TB, GB, MB or KB in powers of 1000, in either
/// case, white space around both; a fraction of a byte is cut off.
/// @throws error  errc::invalid_argument: no such unit, or no such number
/// @par Mirrors  parse_size_to_int(), without signs, exponents and underscores
std::uint64_t parse_size_to_int(std::string_view text);

/// A size given as a number of bytes or as text: `5'000'000'000` or `"5GB"`.
class byte_size {
 public:
  template <std::integral T>
  byte_size(T bytes) : bytes_(checked(bytes)) {}
  byte_size(const char* text) : bytes_(parse_size_to_int(text)) {}
  byte_size(const std::string& text) : bytes_(parse_size_to_int(text)) {}
  std::uint64_t bytes() const noexcept { return bytes_; }

 private:
  template <class T>
  static std::uint64_t checked(T bytes) {
    if (std::cmp_less(bytes, 0)) refuse_negative();
    return static_cast<std::uint64_t>(bytes);
  }
  [[noreturn]] static void refuse_negative();

  std::uint64_t bytes_;
};

/// What `split_state_dict_into_shards` needs to know of a tensor.
struct state_dict_item {
  std::string name{};
  std::uint64_t size = 0;  ///< bytes of its storage
  /// Tensors with equal ids share one storage: they come to one shard, and count once. Empty: none.
  std::string storage_id{};
};

/// Which tensors go to which file. Mirrors StateDictSplit.
struct state_dict_split {
  struct file {
    std::string name{};
    std::vector<std::string> tensors{};  ///< in the order in which they were placed
  };
  std::vector<file> files{};  ///< in the order of their numbers; none if there are no tensors
  std::uint64_t total_size = 0;

  bool is_sharded() const noexcept { return files.size() > 1; }
};

struct state_dict_split_options {
  /// "{suffix}" becomes nothing, or "-00001-of-00003".
  std::string filename_pattern = "model{suffix}.safetensors";
  byte_size max_shard_size = "5GB";
};

/// Distributes tensors to files of at most `max_shard_size`, in the order given; there is no search
/// for the best fit. A larger tensor gets a file of its own, while the file begun before it is
/// filled on.
/// @throws error  errc::invalid_argument: a pattern without "{suffix}", or that leads elsewhere
/// @par Mirrors  split_state_dict_into_shards_factory()
state_dict_split split_state_dict_into_shards(const std::vector<state_dict_item>& items,
                                              named<state_dict_split_options> options = {});

struct save_state_dict_options {
  std::string filename_pattern = "model{suffix}.safetensors";  ///< ends in ".safetensors"
  byte_size max_shard_size = "5GB";
  /// Of a single file, beside `format`; of a sharded model, in its index.
  std::map<std::string, std::string> metadata{};
  /// `format` in the metadata of each file. Python's loaders of torch models want "pt" wherever
  /// there is metadata at all; empty: none.
  std::string format = "pt";
  /// Of names that share memory, those that shall not be the one that is kept.
  std::vector<std::string> shared_tensors_to_discard{};
  /// Of several processes that save the same model, the one that removes what an older save left.
  bool is_main_process = true;
};

/// Writes the weights of a model to a folder, which is made if it is missing: `model.safetensors`,
/// or shards and `model.safetensors.index.json`. Memory: the headers and one piece of a tensor.
///
/// Tensors that share memory (`tensor_source::storage`, or content that is the very same bytes with
/// the same dtype and shape) are written once, under the first name in alphabetical order that
/// covers the storage; the metadata tells `dropped name -> kept name`. A view that overlaps with no
/// other is written by itself.
///
/// All files are written beside their places before the first one is put there, so that a failure
/// to write them leaves the old model. The index appears after its shards; where these replace
/// shards of the same names, the old index goes before them. A kill in between leaves the old
/// model, the new one, or shards without an index, which is an error to load, but never a mixture
/// of both. Then the files of an older save under the same pattern that were not replaced go.
///
/// @return  which tensors went where, without dropped names
/// @throws error  errc::invalid_argument: views that overlap, of which none covers all of their
///                memory; a bad pattern; what `save_safetensors` throws
/// @par Mirrors  save_torch_state_dict()
state_dict_split save_state_dict(const std::filesystem::path& folder,
                                 std::vector<tensor_source> tensors,
                                 named<save_state_dict_options> options = {});

}  // namespace cohub
