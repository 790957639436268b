#include "model/safetensors/filename_pattern.hpp"

#include "cohub/error.hpp"

#include "core/ascii.hpp"
#include "hub/repo_path.hpp"

#include <algorithm>

namespace cohub::model {

namespace {

constexpr std::string_view placeholder = "{suffix}";
constexpr std::string_view index_extension = ".index.json";
constexpr std::size_t suffix_length = 15;

/// "-00001-of-00003"
bool is_shard_suffix(std::string_view text) {
  const auto digits = [&](std::size_t from) {
    const auto part = text.substr(from, 5);
    return std::all_of(part.begin(), part.end(), core::is_digit);
  };
  return text.size() == suffix_length && text[0] == '-' && text.substr(6, 4) == "-of-" &&
         digits(1) && digits(10);
}

/// Where the suffix of a shard begins; npos if there is none.
std::size_t find_shard_suffix(std::string_view name) {
  for (auto at = name.find('-'); at != name.npos; at = name.find('-', at + 1))
    if (is_shard_suffix(name.substr(at, suffix_length))) return at;
  return name.npos;
}

}  // namespace

std::string weight_family(std::string_view path) {
  if (path.ends_with(index_extension)) path.remove_suffix(index_extension.size());
  if (!path.ends_with(".safetensors")) return {};
  std::string family(path);
  const auto name = path.rfind('/') + 1;  // 0 where there is no folder
  if (const auto at = find_shard_suffix(path.substr(name)); at != path.npos)
    family.erase(name + at, suffix_length);
  return family;
}

int publishing_rank(std::string_view path) {
  if (path == "README.md") return 3;
  if (path == "config.json") return 2;
  return path.ends_with(index_extension) ? 1 : 0;
}

int weight_file_rank(std::string_view path) {
  if (path.ends_with(index_extension)) return 1;
  return find_shard_suffix(path.substr(path.rfind('/') + 1)) == path.npos ? 2 : 0;
}

std::string_view shard_count(std::string_view path) {
  const auto name = path.substr(path.rfind('/') + 1);
  const auto at = find_shard_suffix(name);
  return at == name.npos ? std::string_view() : name.substr(at + 10, 5);
}

filename_pattern::filename_pattern(std::string_view pattern) {
  const auto at = pattern.find(placeholder);
  if (at != std::string_view::npos) {
    before_ = pattern.substr(0, at);
    after_ = pattern.substr(at + placeholder.size());
  }
  const bool is_plain = single_file().find('/') == std::string::npos &&
                        after_.find(placeholder) == std::string::npos &&
                        hub::check_download_path(single_file()).has_value();
  if (at == std::string_view::npos || !is_plain)
    throw error(errc::invalid_argument, "naming weight files by the pattern \"" +
                                            std::string(pattern.substr(0, 100)) +
                                            "\": it must be a file name with one {suffix} in it");
}

std::string filename_pattern::with(std::string_view suffix) const {
  return before_ + std::string(suffix) + after_;
}

bool filename_pattern::matches(std::string_view name) const {
  if (name.ends_with(index_extension)) name.remove_suffix(index_extension.size());
  if (name.size() < before_.size() + after_.size() || !name.starts_with(before_) ||
      !name.ends_with(after_))
    return false;
  const auto suffix = name.substr(before_.size(), name.size() - before_.size() - after_.size());
  return suffix.empty() || is_shard_suffix(suffix);
}

}  // namespace cohub::model
