#include "transfer/hub_access.hpp"

#include "cohub/error.hpp"

#include "core/ascii.hpp"
#include "hub/user_agent.hpp"
#include "transfer/api_call.hpp"

#include <algorithm>
#include <string_view>

namespace cohub::transfer {

namespace {

/// Fields that say what a request is: they are the library's own affair.
bool is_reserved(std::string_view name) {
  for (const std::string_view reserved :
       {"Host", "Connection", "Content-Length", "Content-Type", "Transfer-Encoding", "TE",
        "Trailer", "Upgrade", "Expect", "Range", "If-Range", "Accept-Encoding",
        "Proxy-Authorization"})
    if (core::equal_without_case(name, reserved)) return true;
  return false;
}

bool has_control_characters(const std::string& text) {
  return std::any_of(text.begin(), text.end(), [](char c) {
    return (static_cast<unsigned char>(c) < 0x20 && c != '\t') || c == 0x7f;
  });
}

void check_headers(const hub_access_options& options) {
  if (has_control_characters(options.user_agent))
    throw error(errc::invalid_argument, "the option user_agent has a control character");
  for (const auto& [name, value] : options.headers)
    if (!http::is_field_name(name) || has_control_characters(value) || is_reserved(name))
      throw error(errc::invalid_argument, "the option headers must not set \"" + name + "\" so");
}

}  // namespace

hub_access make_hub_access(const context& shared, hub_access_options options) {
  check_headers(options);
  hub_access access;
  access.endpoint = shared.endpoint;
  access.token = shared.token_for(options.token);
  if (!options.endpoint.empty()) {
    access.endpoint = std::move(options.endpoint);
    while (access.endpoint.ends_with('/')) access.endpoint.pop_back();
    // A token is a secret between the client and its own Hub.
    if (access.endpoint != shared.endpoint) access.token = options.token.value_or(std::string());
  }
  if (!options.user_agent.empty())
    access.headers.set("User-Agent", hub::join_user_agent({shared.user_agent, options.user_agent}));
  for (auto& [name, value] : options.headers) access.headers.set(std::move(name), std::move(value));
  return access;
}

http::request hub_request(const context& shared, const hub_access& access, http::method verb,
                          const std::string& url) {
  auto what = hub_request(shared, verb, url, access.token);
  what.home_headers = access.headers;
  return what;
}

http::fields credentials_of(const http::request& what) {
  auto all = what.headers;
  for (const auto& [name, value] : what.home_headers) all.set(name, value);
  return all;
}

}  // namespace cohub::transfer
