#pragma once

#include "http/fields.hpp"
#include "http/message.hpp"
#include "transfer/context.hpp"

#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace cohub::transfer {

/// How one call reaches the Hub: which one, as whom, and with what headers of its own.
struct hub_access {
  std::string endpoint{};  ///< without final '/'
  std::string token{};     ///< "" sends none
  http::fields headers{};  ///< in place of what the library says under the same name
};

/// What a call may say of it; the members of its options.
struct hub_access_options {
  std::optional<std::string> token{};  ///< unset: the client's, for the client's Hub alone
  std::string endpoint{};              ///< empty: the client's
  std::vector<std::pair<std::string, std::string>> headers{};
  std::string user_agent{};  ///< added to the client's
};

/// What a download's options say of it.
template <class Options>
hub_access_options access_options_of(const Options& options) {
  hub_access_options own;
  own.token = options.token;
  own.endpoint = options.endpoint;
  own.headers = options.headers;
  own.user_agent = options.user_agent;
  return own;
}

/// @throws error  errc::invalid_argument: a header that would change what a request means
hub_access make_hub_access(const context& shared, hub_access_options options);

/// A request to the Hub as that call makes it.
/// @throws error  errc::invalid_url, errc::offline
http::request hub_request(const context& shared, const hub_access& access, http::method verb,
                          const std::string& url);

/// What a request says to the Hub alone: the token, and the caller's headers.
http::fields credentials_of(const http::request& what);

}  // namespace cohub::transfer
