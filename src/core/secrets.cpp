#include "core/secrets.hpp"

#include "core/ascii.hpp"

#include <algorithm>
#include <cstddef>
#include <string_view>

namespace cohub::core {

namespace {

/// Shorter words are names.
constexpr std::size_t shortest_token = 12;

bool is_of_token(char c) { return is_alphanumeric(c) || c == '_' || c == '-' || c == '.'; }

bool ends_url(char c) {
  return static_cast<unsigned char>(c) <= ' ' || c == '"' || c == '\'' || c == '<' || c == '>';
}

template <class Predicate>
std::size_t find_end(const std::string& text, std::size_t from, Predicate ends) {
  const auto begin = text.begin() + static_cast<std::ptrdiff_t>(from);
  return from + static_cast<std::size_t>(std::find_if(begin, text.end(), ends) - begin);
}

void mask_tokens(std::string& text) {
  for (auto at = text.find("hf_"); at != text.npos; at = text.find("hf_", at + 1)) {
    const auto end = find_end(text, at, [](char c) { return !is_of_token(c); });
    if (end - at >= shortest_token) text.replace(at, end - at, "<token>");
  }
}

/// What follows "Bearer", as in the header it is sent by, is a token whatever it looks like, if it
/// is no word ("bearer authentication is required").
void mask_credentials(std::string& text) {
  constexpr std::string_view scheme = "bearer ";
  const auto without_case = lower(text);
  // Backwards, so that what is replaced moves nothing that is still to be looked at.
  for (auto at = without_case.rfind(scheme); at != without_case.npos;
       at = at == 0 ? without_case.npos : without_case.rfind(scheme, at - 1)) {
    const auto begin = at + scheme.size();
    const auto end = find_end(text, begin, ends_url);
    const auto word = std::string_view(text).substr(begin, end - begin);
    const bool is_prose = std::all_of(word.begin(), word.end(), is_letter);
    if (word.size() >= shortest_token && !is_prose) text.replace(begin, end - begin, "<token>");
  }
}

void cut_queries(std::string& text) {
  for (auto at = text.find('?'); at != text.npos; at = text.find('?', at + 1)) {
    const auto end = find_end(text, at, ends_url);
    const auto query = std::string_view(text).substr(at, end - at);
    if (query.find('=') != query.npos) text.erase(at + 1, end - at - 1);
  }
}

}  // namespace

std::string conceal_secrets(std::string text) {
  mask_tokens(text);
  mask_credentials(text);
  cut_queries(text);
  return text;
}

}  // namespace cohub::core
