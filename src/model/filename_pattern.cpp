#include "model/filename_pattern.hpp"

#include "cohub/error.hpp"

#include "hub/repo_path.hpp"

#include <algorithm>

namespace cohub::model {

namespace {

constexpr std::string_view placeholder = "{suffix}";

/// "-00001-of-00003"
bool is_shard_suffix(std::string_view text) {
  const auto digits = [&](std::size_t from) {
    const auto part = text.substr(from, 5);
    return std::all_of(part.begin(), part.end(), [](char c) { return c >= '0' && c <= '9'; });
  };
  return text.size() == 15 && text[0] == '-' && text.substr(6, 4) == "-of-" && digits(1) &&
         digits(10);
}

}  // namespace

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
  constexpr std::string_view index = ".index.json";
  if (name.ends_with(index)) name.remove_suffix(index.size());
  if (name.size() < before_.size() + after_.size() || !name.starts_with(before_) ||
      !name.ends_with(after_))
    return false;
  const auto suffix = name.substr(before_.size(), name.size() - before_.size() - after_.size());
  return suffix.empty() || is_shard_suffix(suffix);
}

}  // namespace cohub::model
