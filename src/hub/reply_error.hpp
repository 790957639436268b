#pragma once

#include "cohub/error.hpp"

#include <functional>
#include <string>
#include <string_view>

namespace cohub::hub {

/// One answer of the Hub that is not a success.
struct failed_reply {
  int status = 0;
  std::string url{};  ///< that answered; its query is dropped before anything is printed
  /// Value of a header field, empty if absent; names without case.
  std::function<std::string_view(std::string_view)> header{};
  std::string body{};         ///< as far as it was read; may be empty
  std::string asked_range{};  ///< the Range header of the request; may be empty
};

/// Classifies a failed answer (hub-protocol, sections 9.1, 9.2 and vectors 12.9).
errc classify(const failed_reply& reply);

/// The server's own words: X-Error-Message and the body's texts, without repeats; HTML is never
/// shown.
std::string server_message(const failed_reply& reply);

/// The exception for a failed answer, with what to do about it.
/// @param doing    what was being done: "downloading config.json of owner/name"
error make_error(const failed_reply& reply, const std::string& doing);

}  // namespace cohub::hub
