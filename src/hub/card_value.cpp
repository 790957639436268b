#include "cohub/card_value.hpp"

#include "cohub/error.hpp"

#include "hub/card_comparison.hpp"

namespace cohub {

namespace {

[[noreturn]] void fail(const char* wanted) {
  throw error(errc::invalid_card, std::string("reading card metadata as ") + wanted);
}

}  // namespace

card_map::card_map() noexcept = default;
card_map::card_map(const card_map& other) = default;
card_map::card_map(card_map&& other) noexcept = default;
card_map& card_map::operator=(const card_map& other) = default;
card_map& card_map::operator=(card_map&& other) noexcept = default;
card_map::~card_map() = default;

card_map::card_map(std::initializer_list<card_member> members) {
  for (const auto& member : members) (*this)[member.key] = member.value;
}

card_value* card_map::find(std::string_view key) noexcept {
  for (auto& member : members_)
    if (member.key == key) return &member.value;
  return nullptr;
}

const card_value* card_map::find(std::string_view key) const noexcept {
  return const_cast<card_map*>(this)->find(key);
}

card_value& card_map::operator[](std::string_view key) {
  if (auto* found = find(key)) return *found;
  return members_.emplace_back(card_member{std::string(key), {}}).value;
}

card_value card_map::get(std::string_view key, const card_value& otherwise) const {
  const auto* found = find(key);
  return found && !found->is_null() ? *found : otherwise;
}

const card_value& card_map::at(std::string_view key) const {
  if (const auto* found = find(key)) return *found;
  throw error(errc::invalid_card, "reading card metadata: there is no \"" + std::string(key) + '"');
}

std::string card_map::text_or(std::string_view key, std::string_view otherwise) const {
  const auto* found = find(key);
  return found && found->is_text() ? found->as_text() : std::string(otherwise);
}

void card_map::append(std::string key, card_value value) {
  members_.push_back(card_member{std::move(key), std::move(value)});
}

void card_map::reserve(std::size_t count) { members_.reserve(count); }

bool card_map::erase(std::string_view key) {
  return std::erase_if(members_, [&](const card_member& member) { return member.key == key; }) > 0;
}

std::size_t card_map::size() const noexcept { return members_.size(); }
const card_member* card_map::begin() const noexcept { return members_.data(); }
const card_member* card_map::end() const noexcept { return members_.data() + members_.size(); }
card_member* card_map::begin() noexcept { return members_.data(); }
card_member* card_map::end() noexcept { return members_.data() + members_.size(); }

bool operator==(const card_map& a, const card_map& b) {
  return hub::have_same_members(a, b,
                                [](const card_value& x, const card_value& y) { return x == y; });
}

void card_value::refuse_large() {
  throw error(errc::invalid_card, "writing card metadata: an integer is too large");
}

card_value::card_value(const std::vector<std::string>& values)
    : value_(card_list(values.begin(), values.end())) {}

card_value card_value::spelled(card_value value, std::string source) {
  value.source_ = std::move(source);
  return value;
}

bool card_value::as_bool() const {
  if (const auto* value = std::get_if<bool>(&value_)) return *value;
  fail("true or false");
}

std::int64_t card_value::as_integer() const {
  if (const auto* value = std::get_if<std::int64_t>(&value_)) return *value;
  fail("an integer");
}

double card_value::as_real() const {
  if (const auto* value = std::get_if<double>(&value_)) return *value;
  return static_cast<double>(as_integer());
}

const std::string& card_value::as_text() const {
  if (const auto* value = std::get_if<std::string>(&value_)) return *value;
  fail("text");
}

const card_list& card_value::as_list() const {
  if (const auto* value = std::get_if<card_list>(&value_)) return *value;
  fail("a list");
}

card_list& card_value::as_list() {
  return const_cast<card_list&>(static_cast<const card_value*>(this)->as_list());
}

const card_map& card_value::as_map() const {
  if (const auto* value = std::get_if<card_map>(&value_)) return *value;
  fail("a map");
}

card_map& card_value::as_map() {
  return const_cast<card_map&>(static_cast<const card_value*>(this)->as_map());
}

}  // namespace cohub
