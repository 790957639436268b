#include "core/environment.hpp"

#include "core/ascii.hpp"
#include "core/trim.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdint>
#include <cstdlib>
#include <fstream>
#include <iterator>

namespace cohub::core {

namespace {

constexpr std::size_t token_file_limit = 64 * 1024;

bool is_name_character(char c) { return is_alphanumeric(c) || c == '_'; }

std::optional<std::string> token_in_file(const std::filesystem::path& path) {
  std::ifstream stream(path, std::ios::binary);
  if (!stream) return {};
  std::string text(token_file_limit, '\0');
  stream.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<std::size_t>(stream.gcount()));
  return clean_token(std::move(text));
}

}  // namespace

std::optional<std::string> environment_value(const char* name) {
  const char* const value = std::getenv(name);
  if (value == nullptr || *value == '\0') return {};
  return value;
}

bool is_true(std::string_view text) noexcept {
  constexpr std::array<std::string_view, 4> words{"1", "on", "yes", "true"};
  return std::any_of(words.begin(), words.end(),
                     [text](std::string_view word) { return equal_without_case(text, word); });
}

bool environment_flag(const char* name) {
  const auto value = environment_value(name);
  return value && is_true(*value);
}

std::optional<std::chrono::seconds> environment_seconds(const char* name) {
  const auto value = environment_value(name);
  if (!value) return {};
  const auto text = trim(*value);
  std::int32_t number = 0;
  const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (failure != std::errc() || end != text.data() + text.size() || number <= 0) return {};
  return std::chrono::seconds(number);
}

std::filesystem::path expand_home(const std::filesystem::path& path) {
  const auto& text = path.native();
  if (text != "~" && !text.starts_with("~/")) return path;
  const auto home = environment_value("HOME");
  return home ? std::filesystem::path(*home + text.substr(1)) : path;
}

std::filesystem::path expand_path(std::string_view text) {
  const auto at_home = expand_home(text);
  text = at_home.native();
  std::string expanded;
  while (!text.empty()) {
    const auto dollar = std::min(text.find('$'), text.size());
    expanded += text.substr(0, dollar);
    text.remove_prefix(dollar);
    if (text.empty()) break;
    const bool braced = text.size() > 1 && text[1] == '{';
    const std::size_t begin = braced ? 2 : 1;
    std::size_t end = begin;
    while (end < text.size() && is_name_character(text[end])) ++end;
    const std::string name(text.substr(begin, end - begin));
    const bool complete = !name.empty() && (!braced || (end < text.size() && text[end] == '}'));
    const char* const value = complete ? std::getenv(name.c_str()) : nullptr;
    const std::size_t used = complete ? end + (braced ? 1 : 0) : 1;
    if (value != nullptr)
      expanded += value;
    else
      expanded += text.substr(0, used);  // unknown names stay as they are
    text.remove_prefix(used);
  }
  return expanded;
}

bool hub_staging() { return environment_flag("HUGGINGFACE_CO_STAGING"); }

std::filesystem::path hub_home() {
  if (hub_staging()) return expand_path("~/.cache/huggingface_staging");
  if (const auto home = environment_value("HF_HOME")) return expand_path(*home);
  if (const auto cache = environment_value("XDG_CACHE_HOME"))
    return expand_path(*cache) / "huggingface";
  return expand_path("~/.cache/huggingface");
}

std::filesystem::path hub_cache_directory() {
  for (const char* name : {"HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE"})
    if (const auto cache = environment_value(name)) return expand_path(*cache);
  return hub_home() / "hub";
}

std::string hub_endpoint() {
  if (hub_staging()) return "https://hub-ci.huggingface.co";
  auto endpoint = environment_value("HF_ENDPOINT").value_or("https://huggingface.co");
  while (endpoint.ends_with('/')) endpoint.pop_back();
  return endpoint;
}

bool hub_offline() {
  if (const auto value = environment_value("HF_HUB_OFFLINE")) return is_true(*value);
  return environment_flag("TRANSFORMERS_OFFLINE");
}

std::filesystem::path token_path() {
  const auto path = environment_value("HF_TOKEN_PATH");
  return path && !hub_staging() ? expand_path(*path) : hub_home() / "token";
}

std::optional<std::string> clean_token(std::string text) {
  std::erase_if(text, [](char c) { return c == '\r' || c == '\n'; });
  const auto kept = trim(text);
  if (kept.empty()) return {};
  return std::string(kept);
}

std::optional<std::string> discover_token() {
  for (const char* name : {"HF_TOKEN", "HUGGING_FACE_HUB_TOKEN"})
    if (auto value = environment_value(name))
      if (auto token = clean_token(std::move(*value))) return token;
  return token_in_file(token_path());
}

}  // namespace cohub::core
