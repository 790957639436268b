#include "server/file_reply.hpp"

#include "core/byte_range.hpp"
#include "core/url.hpp"
#include "server/error_reply.hpp"

namespace cohub::server {

namespace {

/// Status and headers for the part that is asked for; the range is empty where there is nothing to
/// send.
core::byte_range begin_reply(reply& answer, std::uint64_t size, const std::string& etag,
                             const http::fields& request) {
  core::requested_range asked;
  const auto if_range = request.get("If-Range");
  if (request.has("Range") && (if_range.empty() || if_range == etag))
    asked = core::parse_range_header(request.get("Range"), size);
  core::byte_range range{0, size};
  switch (asked.what) {
    case core::requested_range::outcome::whole:
      break;
    case core::requested_range::outcome::part:
      range = asked.range;
      answer.status = 206;
      answer.headers.set("Content-Range", "bytes " + std::to_string(range.begin) + '-' +
                                              std::to_string(range.end - 1) + '/' +
                                              std::to_string(size));
      break;
    case core::requested_range::outcome::unsatisfiable:
      if (size == 0) {
        // No range of nothing can be satisfied. The JavaScript client asks for the first byte to
        // learn a size, and reads it here.
        answer.headers.set("Content-Range", "bytes */0");
        break;
      }
      answer = error_reply(416, {}, "Requested range not satisfiable");
      answer.headers.set("Content-Range", "bytes */" + std::to_string(size));
      range = {};
      break;
  }
  answer.headers.set("ETag", etag);
  answer.headers.set("Accept-Ranges", "bytes");
  return range;
}

}  // namespace

bool matches_etag(std::string_view header, std::string_view etag) {
  while (!header.empty()) {
    const auto comma = header.find(',');
    std::string_view item = header.substr(0, comma);
    header = comma == header.npos ? std::string_view() : header.substr(comma + 1);
    while (item.starts_with(' ')) item.remove_prefix(1);
    while (item.ends_with(' ')) item.remove_suffix(1);
    if (item.starts_with("W/")) item.remove_prefix(2);
    if (item == etag || item == "*") return true;
  }
  return false;
}

reply bytes_reply(shared_bytes content, const std::string& etag, const http::fields& request) {
  reply answer;
  const auto range = begin_reply(answer, content.bytes.size(), etag, request);
  if (answer.status == 416) return answer;
  content.bytes = content.bytes.substr(static_cast<std::size_t>(range.begin),
                                       static_cast<std::size_t>(range.size()));
  answer.body = std::move(content);
  return answer;
}

reply file_reply(const std::filesystem::path& file, std::uint64_t size, const std::string& etag,
                 const http::fields& request) {
  reply answer;
  const auto range = begin_reply(answer, size, etag, request);
  if (answer.status == 416) return answer;
  answer.body = file_part{file, range.begin, range.size()};
  return answer;
}

void describe_file(reply& answer, const std::string& name) {
  if (!answer.headers.has("Content-Type"))
    answer.headers.set("Content-Type", "application/octet-stream");
  answer.headers.set("X-Content-Type-Options", "nosniff");
  answer.headers.set("Content-Security-Policy", "default-src 'none'; sandbox");
  if (!name.empty())
    answer.headers.set("Content-Disposition",
                       "inline; filename*=UTF-8''" + core::percent_encode(name) + ';');
}

}  // namespace cohub::server
