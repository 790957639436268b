#include "cache_listing.hpp"

#include "text.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <functional>
#include <map>
#include <set>
#include <stdexcept>

namespace cohub::tool {

namespace {

using clock = std::chrono::system_clock;
using units = std::map<std::string, std::uint64_t>;

std::string trimmed(const std::string& text) {
  const auto first = text.find_first_not_of(' ');
  if (first == text.npos) return {};
  return text.substr(first, text.find_last_not_of(' ') - first + 1);
}

[[noreturn]] void refuse(const std::string& why) { throw std::invalid_argument(why); }

/// "10MB": digits, and a unit or none.
double parse_quantity(const std::string& text, const units& known) {
  std::uint64_t number = 0;
  const auto* const end = text.data() + text.size();
  const auto [rest, failure] = std::from_chars(text.data(), end, number);
  const auto unit = lower(std::string(rest, end));
  if (failure != std::errc() || (!unit.empty() && !known.contains(unit)))
    refuse("\"" + text + "\" is no number with a unit");
  return static_cast<double>(number) * static_cast<double>(unit.empty() ? 1 : known.at(unit));
}

const units& byte_units() {
  static const units known{{"k", 1'000},
                           {"kb", 1'000},
                           {"m", 1'000'000},
                           {"mb", 1'000'000},
                           {"g", 1'000'000'000},
                           {"gb", 1'000'000'000},
                           {"t", 1'000'000'000'000},
                           {"tb", 1'000'000'000'000},
                           {"p", 1'000'000'000'000'000},
                           {"pb", 1'000'000'000'000'000}};
  return known;
}

const units& time_units() {
  constexpr std::uint64_t day = 24 * 60 * 60;
  static const units known{{"s", 1},       {"m", 60},        {"h", 60 * 60},  {"d", day},
                           {"w", 7 * day}, {"mo", 30 * day}, {"y", 365 * day}};
  return known;
}

bool compare(double left, const std::string& sign, double right) {
  if (sign == "=") return left == right;
  if (sign == "!=") return left != right;
  if (sign == ">") return left > right;
  if (sign == "<") return left < right;
  if (sign == ">=") return left >= right;
  return left <= right;
}

double seconds_since(clock::time_point then, clock::time_point now) {
  return std::chrono::duration<double>(now - then).count();
}

struct condition {
  std::string key{};
  std::string sign{};
  std::string value{};
};

condition parse_condition(const std::string& expression) {
  const auto text = trimmed(expression);
  const auto sign = text.find_first_of("=!<>");
  const auto value = sign == text.npos ? text.npos : text.find_first_not_of("=!<>", sign);
  if (value == text.npos || sign == 0) refuse("\"" + expression + "\" is no filter");
  condition parsed;
  parsed.key = lower(trimmed(text.substr(0, sign)));
  parsed.sign = text.substr(sign, value - sign);
  parsed.value = trimmed(text.substr(value));
  const std::set<std::string> signs{"=", "!=", ">", "<", ">=", "<="};
  if (!signs.contains(parsed.sign))
    refuse("\"" + parsed.sign + "\" is none of = != > < >= <= (in \"" + expression + "\")");
  if ((parsed.key == "type" || parsed.key == "refs") && parsed.sign != "=")
    refuse(parsed.key + " goes with = alone");
  return parsed;
}

std::string type_word(const cache_row& row) {
  const auto id = row.repo->cache_id();
  return id.substr(0, id.find('/'));
}

}  // namespace

std::uint64_t cache_row::size() const {
  return revision != nullptr ? revision->size_on_disk : repo->size_on_disk;
}

clock::time_point cache_row::last_modified() const {
  return revision != nullptr ? revision->last_modified : repo->last_modified;
}

std::vector<std::string> cache_row::refs() const {
  if (revision != nullptr) return revision->refs;
  std::set<std::string> all;
  for (const auto& one : repo->revisions) all.insert(one.refs.begin(), one.refs.end());
  return {all.begin(), all.end()};
}

std::vector<cache_row> list_cache(const cache_info& info, bool revisions) {
  std::vector<cache_row> rows;
  for (const auto& repo : info.repos) {
    if (!revisions) rows.push_back({&repo, nullptr});
    for (const auto& revision : repo.revisions)
      if (revisions) rows.push_back({&repo, &revision});
  }
  std::stable_sort(rows.begin(), rows.end(), [](const cache_row& a, const cache_row& b) {
    return a.repo->cache_id() < b.repo->cache_id();
  });
  return rows;
}

void filter_cache(std::vector<cache_row>& rows, const std::string& expression,
                  clock::time_point now) {
  const auto wanted = parse_condition(expression);
  std::function<bool(const cache_row&)> keeps;
  if (wanted.key == "size") {
    keeps = [&, limit = parse_quantity(wanted.value, byte_units())](const cache_row& row) {
      return compare(static_cast<double>(row.size()), wanted.sign, limit);
    };
  } else if (wanted.key == "accessed" || wanted.key == "modified") {
    keeps = [&, limit = parse_quantity(wanted.value, time_units())](const cache_row& row) {
      const auto then = wanted.key == "accessed" ? row.repo->last_accessed : row.last_modified();
      return compare(seconds_since(then, now), wanted.sign, limit);
    };
  } else if (wanted.key == "type") {
    keeps = [word = lower(wanted.value)](const cache_row& row) { return type_word(row) == word; };
  } else if (wanted.key == "refs") {
    keeps = [word = lower(wanted.value)](const cache_row& row) {
      const auto refs = row.refs();
      return std::any_of(refs.begin(), refs.end(),
                         [&](const std::string& ref) { return lower(ref) == word; });
    };
  } else {
    refuse("\"" + wanted.key + "\" is none of accessed, modified, refs, size, type");
  }
  std::erase_if(rows, [&](const cache_row& row) { return !keeps(row); });
}

void sort_cache(std::vector<cache_row>& rows, const std::string& expression) {
  const auto text = lower(trimmed(expression));
  const auto colon = text.find(':');
  const auto key = text.substr(0, colon);
  const auto order = colon == text.npos ? std::string() : text.substr(colon + 1);
  std::function<bool(const cache_row&, const cache_row&)> less;
  if (key == "name")
    less = [](const cache_row& a, const cache_row& b) {
      return lower(a.repo->cache_id()) < lower(b.repo->cache_id());
    };
  else if (key == "size")
    less = [](const cache_row& a, const cache_row& b) { return a.size() < b.size(); };
  else if (key == "accessed")
    less = [](const cache_row& a, const cache_row& b) {
      return a.repo->last_accessed < b.repo->last_accessed;
    };
  else if (key == "modified")
    less = [](const cache_row& a, const cache_row& b) {
      return a.last_modified() < b.last_modified();
    };
  if (!less || (colon != text.npos && order != "asc" && order != "desc"))
    refuse("\"" + expression +
           "\" is no order: accessed, modified, name or size, and :asc or :desc");
  // Names rise, all else falls, unless told otherwise.
  const bool falls = order.empty() ? key != "name" : order == "desc";
  std::stable_sort(rows.begin(), rows.end(), [&](const cache_row& a, const cache_row& b) {
    return falls ? less(b, a) : less(a, b);
  });
}

std::string time_since(clock::time_point then, clock::time_point now) {
  struct step {
    const char* unit;
    double seconds;
    double limit;
  };
  constexpr std::array<step, 7> steps{{{"second", 1, 60},
                                       {"minute", 60, 60},
                                       {"hour", 3600, 24},
                                       {"day", 86'400, 6},
                                       {"week", 604'800, 6},
                                       {"month", 2'592'000, 11},
                                       {"year", 31'536'000, 1e9}}};
  const auto seconds = seconds_since(then, now);
  if (seconds < 20) return "a few seconds ago";
  for (const auto& one : steps) {
    const auto count = std::nearbyint(seconds / one.seconds);
    if (count > one.limit) continue;
    return std::to_string(static_cast<long long>(count)) + ' ' + one.unit +
           (count > 1 ? "s ago" : " ago");
  }
  return "long ago";
}

}  // namespace cohub::tool
