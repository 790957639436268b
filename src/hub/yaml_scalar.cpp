#include "hub/yaml_scalar.hpp"

#include "core/ascii.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <limits>
#include <optional>

namespace cohub::hub {

namespace {

/// Takes one scalar apart from the left.
class scanner {
 public:
  explicit scanner(std::string_view text) noexcept : text_(text) {}

  bool at_end() const noexcept { return position_ == text_.size(); }
  char peek() const noexcept { return at_end() ? '\0' : text_[position_]; }

  bool take(char c) noexcept {
    if (at_end() || text_[position_] != c) return false;
    ++position_;
    return true;
  }
  bool take_any(std::string_view set) noexcept {
    if (at_end() || set.find(text_[position_]) == std::string_view::npos) return false;
    ++position_;
    return true;
  }
  std::size_t take_all(std::string_view set) noexcept {
    std::size_t count = 0;
    while (take_any(set)) ++count;
    return count;
  }
  /// Between `least` and `most` digits.
  bool take_digits(std::size_t least, std::size_t most) noexcept {
    std::size_t count = 0;
    while (count < most && core::is_digit(peek())) ++position_, ++count;
    return count >= least;
  }

 private:
  std::string_view text_;
  std::size_t position_ = 0;
};

constexpr std::string_view digits = "0123456789";
constexpr std::string_view digits_and_bars = "0123456789_";

/// `:59` and so on: the further places of a base-60 number.
bool take_sixties(scanner& in) noexcept {
  std::size_t count = 0;
  while (in.take(':')) {
    if (!core::is_digit(in.peek())) return false;
    const bool may_be_two = in.peek() <= '5';
    in.take_any(digits);
    if (may_be_two) in.take_any(digits);
    ++count;
  }
  return count > 0;
}

bool is_integer(std::string_view text) noexcept {
  scanner in(text);
  in.take_any("-+");
  if (in.take('0')) {
    if (in.at_end()) return true;
    if (in.take('b')) return in.take_all("01_") > 0 && in.at_end();
    if (in.take('x')) return in.take_all("0123456789abcdefABCDEF_") > 0 && in.at_end();
    return in.take_all("01234567_") > 0 && in.at_end();
  }
  if (!in.take_any("123456789")) return false;
  in.take_all(digits_and_bars);
  return in.at_end() || (take_sixties(in) && in.at_end());
}

bool take_exponent(scanner& in) noexcept {
  if (!in.take_any("eE")) return true;
  return in.take_any("-+") && in.take_all(digits) > 0;
}

bool is_real(std::string_view text) noexcept {
  constexpr std::array<std::string_view, 3> infinities{".inf", ".Inf", ".INF"};
  constexpr std::array<std::string_view, 3> nans{".nan", ".NaN", ".NAN"};
  scanner in(text);
  const bool has_sign = in.take_any("-+");
  const auto rest = text.substr(has_sign ? 1 : 0);
  if (std::find(infinities.begin(), infinities.end(), rest) != infinities.end()) return true;
  if (std::find(nans.begin(), nans.end(), text) != nans.end()) return true;
  if (!has_sign && in.take('.'))
    return in.take_any(digits) && (in.take_all(digits_and_bars), take_exponent(in)) && in.at_end();
  if (!in.take_any(digits)) return false;
  in.take_all(digits_and_bars);
  const bool base_sixty = in.peek() == ':';
  if (base_sixty && !take_sixties(in)) return false;
  if (!in.take('.')) return false;
  in.take_all(digits_and_bars);
  return (base_sixty || take_exponent(in)) && in.at_end();
}

bool is_timestamp(std::string_view text) noexcept {
  scanner date(text);
  if (!date.take_digits(4, 4) || !date.take('-')) return false;
  scanner short_form = date;
  if (short_form.take_digits(2, 2) && short_form.take('-') && short_form.take_digits(2, 2) &&
      short_form.at_end())
    return true;
  scanner in = date;
  if (!in.take_digits(1, 2) || !in.take('-') || !in.take_digits(1, 2)) return false;
  if (!in.take_any("Tt") && in.take_all(" \t") == 0) return false;
  if (!in.take_digits(1, 2) || !in.take(':') || !in.take_digits(2, 2) || !in.take(':') ||
      !in.take_digits(2, 2))
    return false;
  if (in.take('.')) in.take_all(digits);
  if (in.at_end()) return true;
  in.take_all(" \t");
  if (in.take('Z')) return in.at_end();
  if (!in.take_any("-+") || !in.take_digits(1, 2)) return false;
  if (in.take(':') && !in.take_digits(2, 2)) return false;
  return in.at_end();
}

/// Whether `text` is `word` in lower, Capital or UPPER case.
bool is_word(std::string_view text, std::string_view word) noexcept {
  if (text.size() != word.size()) return false;
  const auto upper = [](char c) { return static_cast<char>(c - 'a' + 'A'); };
  if (text == word) return true;
  if (text[0] != upper(word[0])) return false;
  return text.substr(1) == word.substr(1) ||
         std::equal(text.begin() + 1, text.end(), word.begin() + 1,
                    [&](char a, char b) { return a == upper(b); });
}

bool is_one_of(std::string_view text, std::initializer_list<std::string_view> words) noexcept {
  return std::any_of(words.begin(), words.end(),
                     [&](std::string_view word) { return is_word(text, word); });
}

std::string without_bars(std::string_view text) {
  std::string out;
  std::copy_if(text.begin(), text.end(), std::back_inserter(out), [](char c) { return c != '_'; });
  return out;
}

double parse_real(std::string_view text) {
  const bool negative = text.starts_with('-');
  if (text.starts_with('-') || text.starts_with('+')) text.remove_prefix(1);
  double value = 0;
  if (is_word(text, ".inf") || text == ".Inf" || text == ".INF") {
    value = std::numeric_limits<double>::infinity();
  } else if (text == ".nan" || text == ".NaN" || text == ".NAN") {
    value = std::numeric_limits<double>::quiet_NaN();
  } else {
    const std::string plain = without_bars(text);
    std::string_view rest = plain;
    double whole = 0;
    for (auto colon = rest.find(':'); colon != rest.npos; colon = rest.find(':')) {
      double place = 0;
      std::from_chars(rest.data(), rest.data() + colon, place);
      whole = (whole + place) * 60;
      rest.remove_prefix(colon + 1);
    }
    std::from_chars(rest.data(), rest.data() + rest.size(), value);
    value += whole;
  }
  return negative ? -value : value;
}

/// Nothing if 64 bits do not hold it.
std::optional<std::int64_t> parse_integer(std::string_view text) {
  const bool negative = text.starts_with('-');
  if (text.starts_with('-') || text.starts_with('+')) text.remove_prefix(1);
  const std::string plain = without_bars(text);
  std::string_view rest = plain;
  int base = 10;
  if (rest.starts_with("0b")) {
    base = 2, rest.remove_prefix(2);
  } else if (rest.starts_with("0x")) {
    base = 16, rest.remove_prefix(2);
  } else if (rest.starts_with('0')) {
    base = 8;
  }
  std::uint64_t value = 0;
  for (;;) {
    const auto colon = std::min(rest.find(':'), rest.size());
    std::uint64_t place = 0;
    const auto [end, code] = std::from_chars(rest.data(), rest.data() + colon, place, base);
    if (code != std::errc() || end != rest.data() + colon) return {};
    if (__builtin_add_overflow(value, place, &value)) return {};
    if (colon == rest.size()) break;
    if (__builtin_mul_overflow(value, std::uint64_t{60}, &value)) return {};
    rest.remove_prefix(colon + 1);
  }
  const auto most = static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());
  if (value > most + (negative ? 1 : 0)) return {};
  return static_cast<std::int64_t>(negative ? -value : value);
}

}  // namespace

plain_kind resolve_plain(std::string_view text) noexcept {
  if (text.empty() || text == "~" || is_one_of(text, {"null"})) return plain_kind::null;
  if (is_one_of(text, {"yes", "no", "true", "false", "on", "off"})) return plain_kind::boolean;
  if (text == "<<") return plain_kind::merge;
  if (text == "=") return plain_kind::value;
  if (text[0] != '-' && text[0] != '+' && text[0] != '.' && !core::is_digit(text[0]))
    return plain_kind::text;
  if (is_integer(text)) return plain_kind::integer;
  if (is_real(text)) return plain_kind::real;
  if (is_timestamp(text)) return plain_kind::timestamp;
  return plain_kind::text;
}

card_value read_plain(std::string_view text) {
  const std::string source(text);
  switch (resolve_plain(text)) {
    case plain_kind::null:
      // Never without spelling: that is a null which was set, and is not written.
      return card_value::spelled(nullptr, source.empty() ? "null" : source);
    case plain_kind::boolean:
      if (is_one_of(text, {"true", "false"}))
        return card_value::spelled(text[0] == 't' || text[0] == 'T', source);
      return source;
    case plain_kind::integer:
      if (const auto value = parse_integer(text)) return card_value::spelled(*value, source);
      return card_value::spelled(source,
                                 source);  // beyond 64 bits: its digits are all that is kept
    case plain_kind::real:
      return card_value::spelled(parse_real(text), source);
    case plain_kind::timestamp:
    case plain_kind::value:
      return card_value::spelled(source, source);
    case plain_kind::merge:
    case plain_kind::text:
      return source;
  }
  return source;
}

}  // namespace cohub::hub
