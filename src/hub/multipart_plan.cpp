#include "hub/multipart_plan.hpp"

#include "cohub/error.hpp"

#include "core/byte_range.hpp"
#include "core/url.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include <algorithm>
#include <chrono>
#include <utility>

namespace cohub::hub {

namespace {

constexpr std::uint64_t most_parts = 100'000;

std::string_view query_of(std::string_view url) {
  const auto at = url.find('?');
  return at == url.npos ? std::string_view() : url.substr(at + 1);
}

/// "20260131T235959Z" in Unix seconds.
std::optional<std::int64_t> parse_basic_time(std::string_view text) {
  if (text.size() != 16 || text[8] != 'T' || text[15] != 'Z') return {};
  const auto number = [text](std::size_t at, std::size_t count) {
    return core::parse_decimal(text.substr(at, count));
  };
  const auto year = number(0, 4), month = number(4, 2), day = number(6, 2);
  const auto hour = number(9, 2), minute = number(11, 2), second = number(13, 2);
  if (!year || !month || !day || !hour || !minute || !second) return {};
  const std::chrono::year_month_day date{std::chrono::year(static_cast<int>(*year)),
                                         std::chrono::month(static_cast<unsigned>(*month)),
                                         std::chrono::day(static_cast<unsigned>(*day))};
  if (!date.ok() || *hour > 23 || *minute > 59 || *second > 60) return {};
  const auto days = std::chrono::sys_days(date).time_since_epoch();
  return std::chrono::duration_cast<std::chrono::seconds>(days).count() +
         static_cast<std::int64_t>(*hour * 3600 + *minute * 60 + *second);
}

}  // namespace

boost::system::result<std::optional<multipart_plan>> read_multipart_plan(const lfs_action& action,
                                                                         std::uint64_t size) {
  std::optional<multipart_plan> plan;
  std::vector<std::pair<std::uint64_t, std::string>> parts;
  for (const auto& [name, value] : action.header) {
    if (name == "chunk_size") {
      const auto bytes = core::parse_decimal(value);
      if (!bytes || *bytes == 0) return make_error_code(errc::invalid_response);
      plan.emplace();
      plan->part_size = *bytes;
    } else if (const auto number = core::parse_decimal(name)) {
      parts.emplace_back(*number, value);
    }
  }
  if (!plan) return plan;
  const std::uint64_t wanted = size / plan->part_size + (size % plan->part_size != 0 ? 1 : 0);
  if (parts.size() != wanted || wanted > most_parts) return make_error_code(errc::invalid_response);
  std::sort(parts.begin(), parts.end());
  for (std::size_t i = 0; i < parts.size(); ++i) {
    if (parts[i].first != i + 1 || parts[i].second.empty())
      return make_error_code(errc::invalid_response);
    plan->part_urls.push_back(std::move(parts[i].second));
  }
  plan->completion_url = action.href;
  return plan;
}

std::string upload_key(const multipart_plan& plan) {
  if (plan.part_urls.empty()) return {};
  const std::string& url = plan.part_urls.front();
  for (const char* name : {"uploadId", "upload_id"})
    if (auto id = core::query_value(query_of(url), name); !id.empty()) return "id " + id;
  return "path " + url.substr(0, url.find('?'));
}

std::optional<std::int64_t> url_expiry(std::string_view url) {
  const auto query = query_of(url);
  const auto begin = parse_basic_time(core::query_value(query, "X-Amz-Date"));
  const auto lasts = core::parse_decimal(core::query_value(query, "X-Amz-Expires"));
  constexpr std::uint64_t most = 1ull << 40;
  if (begin && lasts && *lasts < most) return *begin + static_cast<std::int64_t>(*lasts);
  for (const char* name : {"Expires", "expires"}) {
    const auto end = core::parse_decimal(core::query_value(query, name));
    if (end && *end < most) return static_cast<std::int64_t>(*end);
  }
  return {};
}

std::string write_multipart_completion(std::string_view oid,
                                       const std::vector<std::string>& etags) {
  namespace json = boost::json;
  json::array parts;
  parts.reserve(etags.size());
  for (std::size_t i = 0; i < etags.size(); ++i) {
    json::object part;
    part["partNumber"] = i + 1;
    part["etag"] = etags[i];
    parts.emplace_back(std::move(part));
  }
  json::object body;
  body["oid"] = json::string_view(oid.data(), oid.size());
  body["parts"] = std::move(parts);
  return json::serialize(body);
}

}  // namespace cohub::hub
