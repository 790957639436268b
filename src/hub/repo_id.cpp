#include "hub/repo_id.hpp"

#include "cohub/error.hpp"

#include "core/ascii.hpp"
#include "core/hex.hpp"

#include <algorithm>
#include <array>

namespace cohub::hub {

namespace {

constexpr std::array all_types{repo_type::model, repo_type::dataset, repo_type::space,
                               repo_type::kernel};

constexpr std::size_t name_limit = 96;
constexpr std::size_t namespace_limit = 256;  // the Hub has none; a folder name has

/// Letters, digits and '_', in ASCII; all of UTF-8 beyond ASCII counts as letters.
bool is_word(char c) noexcept {
  return core::is_alphanumeric(c) || c == '_' || static_cast<unsigned char>(c) >= 0x80;
}

std::size_t characters(std::string_view text) noexcept {
  return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), [](char c) {
    return (static_cast<unsigned char>(c) & 0xc0) != 0x80;
  }));
}

bool is_part(std::string_view part, std::size_t limit) noexcept {
  return !part.empty() && characters(part) <= limit && is_word(part.front()) &&
         is_word(part.back()) && std::all_of(part.begin(), part.end(), [](char c) {
           return is_word(c) || c == '-' || c == '.';
         });
}

}  // namespace

boost::system::result<void> check_repo_id(std::string_view id) {
  const auto slash = id.find('/');
  const auto name = slash == id.npos ? id : id.substr(slash + 1);
  const bool valid = (slash == id.npos || is_part(id.substr(0, slash), namespace_limit)) &&
                     is_part(name, name_limit) && id.find("--") == id.npos &&
                     id.find("..") == id.npos && !id.ends_with(".git");
  if (!valid) return make_error_code(errc::invalid_repository_id);
  return {};
}

std::string_view singular(repo_type type) noexcept {
  switch (type) {
    case repo_type::model:
      return "model";
    case repo_type::dataset:
      return "dataset";
    case repo_type::space:
      return "space";
    case repo_type::kernel:
      return "kernel";
  }
  return "model";
}

std::string_view plural(repo_type type) noexcept {
  switch (type) {
    case repo_type::model:
      return "models";
    case repo_type::dataset:
      return "datasets";
    case repo_type::space:
      return "spaces";
    case repo_type::kernel:
      return "kernels";
  }
  return "models";
}

std::string_view url_prefix(repo_type type) noexcept {
  switch (type) {
    case repo_type::model:
      return "";
    case repo_type::dataset:
      return "datasets/";
    case repo_type::space:
      return "spaces/";
    case repo_type::kernel:
      return "kernels/";
  }
  return "";
}

std::optional<repo_type> parse_singular(std::string_view word) noexcept {
  for (const auto type : all_types)
    if (word == singular(type)) return type;
  return {};
}

std::optional<repo_type> parse_plural(std::string_view word) noexcept {
  for (const auto type : all_types)
    if (word == plural(type)) return type;
  return {};
}

bool is_commit_id(std::string_view revision) noexcept { return core::is_hex(revision, 40); }

bool is_commit_prefix(std::string_view text) noexcept {
  return text.size() >= 5 && text.size() <= 40 &&
         std::all_of(text.begin(), text.end(), core::is_hex_digit);
}

}  // namespace cohub::hub
