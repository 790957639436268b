#include "transfer/download/partial_journal.hpp"

#include "core/take_line.hpp"

namespace cohub::transfer {

namespace {

constexpr std::string_view magic = "cohub partial 1";

/// The rest of a line that begins with `key` and a blank.
std::optional<std::string_view> take_field(std::string_view& text, std::string_view key) {
  const auto line = core::take_line(text);
  if (!line || !line->starts_with(key) || line->size() <= key.size() || (*line)[key.size()] != ' ')
    return {};
  return line->substr(key.size() + 1);
}

std::optional<core::byte_range> parse_range(std::string_view line, std::uint64_t size) {
  const auto blank = line.find(' ');
  if (blank == line.npos) return {};
  const auto begin = core::parse_decimal(line.substr(0, blank));
  const auto end = core::parse_decimal(line.substr(blank + 1));
  if (!begin || !end || *begin >= *end || *end > size) return {};
  const core::byte_range range{*begin, *end};
  return range;
}

}  // namespace

std::string encode_partial_head(const partial_head& head) {
  std::string text(magic);
  text += "\nsize " + std::to_string(head.size);
  text += "\netag " + head.etag;
  text += "\nowner " + head.owner + "\n";
  if (!head.boot.empty()) text += "boot " + head.boot + "\n";
  return text;
}

std::string encode_partial_range(core::byte_range range) {
  return std::to_string(range.begin) + ' ' + std::to_string(range.end) + '\n';
}

std::optional<partial_journal> decode_partial_journal(std::string_view text) {
  if (core::take_line(text) != magic) return {};
  const auto size = take_field(text, "size");
  const auto etag = take_field(text, "etag");
  const auto owner = take_field(text, "owner");
  if (!size || !etag || !owner) return {};
  const auto bytes = core::parse_decimal(*size);
  if (!bytes) return {};
  partial_journal journal;
  journal.head.size = *bytes;
  journal.head.etag = *etag;
  journal.head.owner = *owner;
  auto rest = text;
  if (const auto boot = take_field(rest, "boot")) {  // older journals have none
    journal.head.boot = *boot;
    text = rest;
  }
  while (const auto line = core::take_line(text)) {
    const auto range = parse_range(*line, *bytes);
    if (!range) break;
    journal.done.add(*range);
  }
  return journal;
}

}  // namespace cohub::transfer
