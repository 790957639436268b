#include "http/fields.hpp"

#include "core/ascii.hpp"

#include <algorithm>

namespace cohub::http {

bool is_field_name(std::string_view text) noexcept {
  constexpr std::string_view marks = "!#$%&'*+-.^_`|~";
  return !text.empty() && std::all_of(text.begin(), text.end(), [&](char c) {
    return core::is_alphanumeric(c) || marks.find(c) != marks.npos;
  });
}

bool is_encoded(const fields& headers) noexcept {
  const auto coding = headers.get("Content-Encoding");
  return !coding.empty() && !core::equal_without_case(coding, "identity");
}

std::string_view fields::get(std::string_view name) const noexcept {
  for (const auto& [key, value] : items_)
    if (core::equal_without_case(key, name)) return value;
  return {};
}

std::string fields::get_list(std::string_view name) const {
  std::string list;
  for (const auto& [key, value] : items_) {
    if (!core::equal_without_case(key, name)) continue;
    if (!list.empty()) list += ", ";
    list += value;
  }
  return list;
}

bool fields::has(std::string_view name) const noexcept {
  return std::any_of(items_.begin(), items_.end(),
                     [&](const auto& item) { return core::equal_without_case(item.first, name); });
}

void fields::set(std::string name, std::string value) {
  erase(name);
  add(std::move(name), std::move(value));
}

void fields::add(std::string name, std::string value) {
  items_.emplace_back(std::move(name), std::move(value));
}

void fields::erase(std::string_view name) {
  std::erase_if(items_,
                [&](const auto& item) { return core::equal_without_case(item.first, name); });
}

}  // namespace cohub::http
