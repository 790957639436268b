#include "cohub/error.hpp"

#include "hub/yaml.hpp"
#include "hub/yaml_scalar.hpp"

#include <yaml.h>

#include <map>
#include <optional>

namespace cohub::hub {

namespace {

constexpr std::size_t deepest = 64;
constexpr std::size_t most_nodes = 200'000;           // copies made by aliases included
constexpr std::size_t most_bytes = 64 * 1024 * 1024;  // of text, copies included

/// What a value costs to copy.
struct weight {
  std::size_t nodes = 0;
  std::size_t bytes = 0;
};

weight weigh(const card_value& value) {
  weight total{1, value.is_text() ? value.as_text().size() : 0};
  const auto add = [&total](const card_value& item) {
    const auto part = weigh(item);
    total.nodes += part.nodes;
    total.bytes += part.bytes;
  };
  if (value.is_list())
    for (const auto& item : value.as_list()) add(item);
  if (value.is_map())
    for (const auto& member : value.as_map()) {
      total.bytes += member.key.size();
      add(member.value);
    }
  return total;
}

struct event {
  event() = default;
  event(event&&) = delete;
  ~event() { ::yaml_event_delete(&raw); }
  yaml_event_t raw{};
};

class yaml_reader {
 public:
  yaml_reader(std::string_view text, std::string_view origin, std::size_t first_line,
              std::vector<yaml_member>* members)
      : text_(text), origin_(origin), first_line_(first_line), members_(members) {
    if (::yaml_parser_initialize(&parser_) == 0) throw std::bad_alloc();
    ::yaml_parser_set_encoding(&parser_, YAML_UTF8_ENCODING);
    ::yaml_parser_set_input_string(&parser_, reinterpret_cast<const unsigned char*>(text.data()),
                                   text.size());
  }
  yaml_reader(yaml_reader&&) = delete;
  ~yaml_reader() { ::yaml_parser_delete(&parser_); }

  card_value document() {
    card_value value = nullptr;
    if (next() != YAML_STREAM_START_EVENT) fail("no stream");
    if (next() == YAML_STREAM_END_EVENT) return value;
    next();
    value = node(0);
    if (next() != YAML_DOCUMENT_END_EVENT || next() != YAML_STREAM_END_EVENT)
      fail("more than one document");
    return value;
  }

 private:
  [[noreturn]] void fail(const std::string& reason) const {
    fail_at(current_ ? current_->raw.start_mark.line : parser_.mark.line, reason);
  }
  [[noreturn]] void fail_at(std::size_t line, const std::string& reason) const {
    throw error(errc::invalid_card, "reading " + std::string(origin_) + ", line " +
                                        std::to_string(first_line_ + line) + ": " + reason);
  }

  yaml_event_type_t next() {
    current_.emplace();
    if (::yaml_parser_parse(&parser_, &current_->raw) == 0) {
      const char* problem = parser_.problem ? parser_.problem : "not YAML";
      fail_at(parser_.problem_mark.line, problem);
    }
    if (members_ != nullptr) follow();
    return current_->raw.type;
  }

  /// Where a character, as libyaml counts them, begins in the text; they are asked for in order.
  std::size_t byte_at(std::size_t index) {
    for (; cursor_index_ < index && cursor_byte_ < text_.size(); ++cursor_index_) {
      ++cursor_byte_;
      while (cursor_byte_ < text_.size() &&
             (static_cast<unsigned char>(text_[cursor_byte_]) & 0xc0) == 0x80)
        ++cursor_byte_;
    }
    return cursor_byte_;
  }

  /// Keeps track of where values end. What stands between two of them is indicators, and comments
  /// if it has a '#'.
  void follow() {
    const auto& raw = current_->raw;
    const bool closes_flow =
        (raw.type == YAML_SEQUENCE_END_EVENT || raw.type == YAML_MAPPING_END_EVENT) &&
        raw.end_mark.index > raw.start_mark.index;
    const bool is_scalar = raw.type == YAML_SCALAR_EVENT;
    if (!is_scalar && !closes_flow && raw.type != YAML_ALIAS_EVENT) return;
    const std::size_t begin = byte_at(raw.start_mark.index);
    if (begin > value_end_ && text_.substr(value_end_, begin - value_end_).find('#') != text_.npos)
      comment_ = true;
    value_begin_ = begin;
    value_end_ = byte_at(raw.end_mark.index);
    if (is_scalar && (raw.data.scalar.style == YAML_LITERAL_SCALAR_STYLE ||
                      raw.data.scalar.style == YAML_FOLDED_SCALAR_STYLE)) {
      const auto head = text_.substr(begin, value_end_ - begin);
      if (head.substr(0, head.find_first_of("\r\n")).find('#') != head.npos) comment_ = true;
    }
  }

  static std::string text_of(const unsigned char* text) {
    return text ? reinterpret_cast<const char*>(text) : std::string();
  }

  void charge(weight cost) {
    nodes_ += cost.nodes;
    bytes_ += cost.bytes;
    if (nodes_ > most_nodes || bytes_ > most_bytes) fail("too much metadata");
  }

  void remember(const std::string& anchor, const card_value& value) {
    if (anchor.empty()) return;
    charge(weigh(value));  // anchors inside one another keep what they hold once each
    anchors_[anchor] = value;
  }

  /// The value that starts with the current event.
  card_value node(std::size_t depth) {
    if (depth > deepest) fail("nested too deeply");
    charge({1, 0});
    switch (current_->raw.type) {
      case YAML_ALIAS_EVENT: {
        const auto found = anchors_.find(text_of(current_->raw.data.alias.anchor));
        if (found == anchors_.end()) fail("an alias without its anchor");
        charge(weigh(found->second));
        return found->second;
      }
      case YAML_SCALAR_EVENT:
        return scalar();
      case YAML_SEQUENCE_START_EVENT:
        return list(depth);
      case YAML_MAPPING_START_EVENT:
        return map(depth);
      default:
        fail("a value is expected");
    }
  }

  /// Refuses tags that are not YAML's own for this kind of node.
  void check_tag(const unsigned char* tag, const char* expected) const {
    if (tag && text_of(tag) != expected && text_of(tag) != "!")
      fail("the tag " + text_of(tag) + " is not supported");
  }

  card_value scalar() {
    const auto& raw = current_->raw.data.scalar;
    std::string text(reinterpret_cast<const char*>(raw.value), raw.length);
    charge({0, text.size()});
    card_value value = typed(text_of(raw.tag), text, raw.plain_implicit != 0);
    remember(text_of(raw.anchor), value);
    return value;
  }

  card_value typed(const std::string& tag, const std::string& text, bool plain) const {
    using kind = card_value::kind;
    if (tag.empty()) return plain ? read_plain(text) : card_value(text);
    if (tag == "!" || tag == YAML_STR_TAG) return text;
    card_value value = read_plain(text);
    const bool fits =
        (tag == YAML_NULL_TAG && value.is_null()) ||
        (tag == YAML_BOOL_TAG && value.type() == kind::boolean) ||
        (tag == YAML_INT_TAG && value.type() == kind::integer) ||
        (tag == YAML_TIMESTAMP_TAG && !value.source().empty()) ||
        (tag == YAML_FLOAT_TAG && (value.type() == kind::real || value.type() == kind::integer));
    if (!fits) fail("the tag " + tag + " does not fit or is not supported");
    return value;
  }

  card_value list(std::size_t depth) {
    check_tag(current_->raw.data.sequence_start.tag, YAML_SEQ_TAG);
    const std::string anchor = text_of(current_->raw.data.sequence_start.anchor);
    card_list items;
    while (next() != YAML_SEQUENCE_END_EVENT) items.push_back(node(depth + 1));
    card_value value(std::move(items));
    remember(anchor, value);
    return value;
  }

  card_value map(std::size_t depth) {
    check_tag(current_->raw.data.mapping_start.tag, YAML_MAP_TAG);
    const std::string anchor = text_of(current_->raw.data.mapping_start.anchor);
    std::map<std::string, card_value, std::less<>> values;
    std::vector<std::string> order;
    card_list merged;
    const bool is_top = depth == 0 && members_ != nullptr;
    bool can_be_cut = is_top && current_->raw.data.mapping_start.style != YAML_FLOW_MAPPING_STYLE;
    while (next() != YAML_MAPPING_END_EVENT) {
      if (current_->raw.start_mark.column != 0) can_be_cut = false;
      const std::size_t begin = value_begin_;  // of the key, a scalar
      comment_ = false;
      const bool merges = is_merge_key();
      const card_value key = node(depth + 1);
      if (key.is_list() || key.is_map()) fail("a key must be a scalar");
      next();
      card_value value = node(depth + 1);
      if (merges) {
        merged.push_back(std::move(value));
        continue;
      }
      const std::string& name = key.is_text() ? key.as_text() : key.source();
      if (can_be_cut) members_->push_back({name, begin, value_end_, comment_});
      if (values.insert_or_assign(name, std::move(value)).second) order.push_back(name);
    }
    if (is_top && !can_be_cut) members_->clear();
    for (const auto& source : merged) merge(source, values, order);
    card_map members;
    members.reserve(order.size());
    for (const auto& name : order) members.append(name, std::move(values[name]));
    card_value value(std::move(members));
    remember(anchor, value);
    return value;
  }

  bool is_merge_key() const {
    if (current_->raw.type != YAML_SCALAR_EVENT) return false;
    const auto& raw = current_->raw.data.scalar;
    return raw.plain_implicit != 0 && text_of(raw.value) == "<<";
  }

  void merge(const card_value& source, std::map<std::string, card_value, std::less<>>& values,
             std::vector<std::string>& order) const {
    if (source.is_list()) {
      for (const auto& item : source.as_list()) {
        if (!item.is_map()) fail("only maps can be merged");
        merge(item, values, order);
      }
      return;
    }
    if (!source.is_map()) fail("only maps can be merged");
    for (const auto& [key, value] : source.as_map())
      if (values.emplace(key, value).second) order.push_back(key);
  }

  std::string_view text_;
  std::string_view origin_;
  std::size_t first_line_;
  std::vector<yaml_member>* members_;  // null: not asked for
  yaml_parser_t parser_{};
  std::optional<event> current_{};
  std::map<std::string, card_value> anchors_{};
  std::size_t nodes_ = 0;
  std::size_t bytes_ = 0;
  std::size_t cursor_index_ = 0;  // a character, and the byte that it begins at
  std::size_t cursor_byte_ = 0;
  std::size_t value_begin_ = 0;  // bytes of the last scalar, alias or closing bracket
  std::size_t value_end_ = 0;
  bool comment_ = false;  // one was seen since the last key
};

}  // namespace

card_value read_yaml(std::string_view text, std::string_view origin, std::size_t first_line,
                     std::vector<yaml_member>* members) {
  return yaml_reader(text, origin, first_line, members).document();
}

}  // namespace cohub::hub
