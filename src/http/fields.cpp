#include "http/fields.hpp"

#include <algorithm>

namespace cohub::http {

namespace {

char lower(char c) noexcept {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c;
}

}  // namespace

bool equal_without_case(std::string_view a, std::string_view b) noexcept {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](char x, char y) { return lower(x) == lower(y); });
}

bool is_encoded(const fields& headers) noexcept {
  const auto coding = headers.get("Content-Encoding");
  return !coding.empty() && !equal_without_case(coding, "identity");
}

std::string_view fields::get(std::string_view name) const noexcept {
  for (const auto& [key, value] : items_)
    if (equal_without_case(key, name)) return value;
  return {};
}

std::string fields::get_list(std::string_view name) const {
  std::string list;
  for (const auto& [key, value] : items_) {
    if (!equal_without_case(key, name)) continue;
    if (!list.empty()) list += ", ";
    list += value;
  }
  return list;
}

bool fields::has(std::string_view name) const noexcept {
  return std::any_of(items_.begin(), items_.end(),
                     [&](const auto& item) { return equal_without_case(item.first, name); });
}

void fields::set(std::string name, std::string value) {
  erase(name);
  add(std::move(name), std::move(value));
}

void fields::add(std::string name, std::string value) {
  items_.emplace_back(std::move(name), std::move(value));
}

void fields::erase(std::string_view name) {
  std::erase_if(items_, [&](const auto& item) { return equal_without_case(item.first, name); });
}

}  // namespace cohub::http
