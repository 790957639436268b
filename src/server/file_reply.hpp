#pragma once

#include "http/fields.hpp"
#include "server/wire/message.hpp"

#include <filesystem>
#include <string>
#include <string_view>

namespace cohub::server {

/// Whether an If-None-Match header lists `etag` (quoted).
bool matches_etag(std::string_view header, std::string_view etag);

/// Content, or the part of it that the request's Range (and If-Range) asks for: 200, 206 or 416.
reply bytes_reply(shared_bytes content, const std::string& etag, const http::fields& request);
reply file_reply(const std::filesystem::path& file, std::uint64_t size, const std::string& etag,
                 const http::fields& request);

/// Headers that let a browser save the file under its name and never run it.
void describe_file(reply& answer, const std::string& name);

}  // namespace cohub::server
