#include "server/wire/traffic.hpp"

#include "core/byte_range.hpp"

#include <algorithm>
#include <limits>

namespace cohub::server {

namespace {

constexpr std::size_t kept_records = 10'000;
constexpr std::size_t kept_target = 2048;
constexpr std::size_t kept_range = 256;

/// Whether the answer's body will hold that byte of the file, as far as the request tells.
bool asks_for_byte(const hub_fault& what, const request_head& head, std::uint64_t offset) {
  if (head.method != "GET") return false;
  if (what.ignore_range || !head.headers.has("Range")) return true;
  // Of a file of any size: a range that counts from its end lies beyond every offset.
  const auto asked = core::parse_range_header(head.headers.get("Range"),
                                              std::numeric_limits<std::uint64_t>::max());
  if (asked.what != core::requested_range::outcome::part)
    return asked.what == core::requested_range::outcome::whole;
  return asked.range.begin <= offset && offset < asked.range.end;
}

bool matches(const hub_fault& what, const request_head& head, bool content) {
  if (!what.method.empty() && what.method != head.method) return false;
  if (head.target.find(what.path_part) == head.target.npos) return false;
  if (what.where == hub_fault::listener::api && content) return false;
  if (what.where == hub_fault::listener::content && !content) return false;
  return !what.corrupt_file_byte || asks_for_byte(what, head, *what.corrupt_file_byte);
}

}  // namespace

traffic::arrival traffic::note(const request_head& head, bool content) {
  hub_request record;
  record.method = head.method;
  // The query of a content url is its signature.
  record.target = content ? head.target.substr(0, head.target.find('?')) : head.target;
  record.target.resize(std::min(record.target.size(), kept_target));
  record.range = std::string(head.headers.get("Range").substr(0, kept_range));
  record.content = content;
  record.authorized = head.headers.has("Authorization");
  records_.push_back(std::move(record));
  if (records_.size() > kept_records) {
    records_.pop_front();
    ++dropped_;
  }
  arrival result;
  result.number = dropped_ + records_.size() - 1;
  find_fault(head, content, result);
  return result;
}

void traffic::answered(std::uint64_t number, int status) {
  if (number >= dropped_ && number - dropped_ < records_.size())
    records_[static_cast<std::size_t>(number - dropped_)].status = status;
}

void traffic::find_fault(const request_head& head, bool content, arrival& found) {
  for (auto& fault : faults_) {
    const auto& what = fault.what;
    if (!matches(what, head, content)) continue;
    if (fault.seen < what.skip) {
      ++fault.seen;
      continue;
    }
    if (what.times != 0 && fault.befallen >= what.times) continue;
    if (static_cast<std::size_t>(fault.place.use_count()) <= what.beyond_at_once) {
      found.places.push_back(fault.place);
      continue;
    }
    ++fault.befallen;
    found.fault = what;
    return;
  }
}

std::size_t traffic::count(std::string_view path_part, std::string_view method) const {
  return static_cast<std::size_t>(
      std::count_if(records_.begin(), records_.end(), [&](const hub_request& record) {
        return record.target.find(path_part) != record.target.npos &&
               (method.empty() || record.method == method);
      }));
}

void traffic::clear_requests() {
  dropped_ += records_.size();
  records_.clear();
}

}  // namespace cohub::server
