#pragma once

#include "http/fields.hpp"

#include <stdexcept>
#include <string>
#include <utility>

namespace cohub::server {

/// Thrown by a handler: the request's answer is an error.
class failure : public std::runtime_error {
 public:
  /// @param code  `X-Error-Code`; empty: none
  failure(int status, std::string code, const std::string& message, http::fields headers = {})
      : std::runtime_error(message),
        status_(status),
        code_(std::move(code)),
        headers_(std::move(headers)) {}

  int status() const noexcept { return status_; }
  const std::string& code() const noexcept { return code_; }
  const http::fields& headers() const noexcept { return headers_; }

 private:
  int status_;
  std::string code_;
  http::fields headers_;
};

inline failure bad_request(const std::string& message) { return {400, {}, message}; }
inline failure not_found(const std::string& message) { return {404, {}, message}; }
inline failure unprocessable(const std::string& message) { return {422, {}, message}; }
inline failure invalid_revision(const std::string& revision) {
  return {404, "RevisionNotFound", "Invalid rev id: " + revision};
}

}  // namespace cohub::server
