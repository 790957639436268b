#pragma once

#include "cohub/repository.hpp"

#include <optional>
#include <string>

namespace cohub {

/// Somebody's wish to have the contents of a gated repository.
struct access_request {
  std::string username{};
  std::string fullname{};
  std::string email{};      ///< may be empty
  std::string timestamp{};  ///< ISO 8601, UTC
  std::string status{};     ///< "pending", "accepted" or "rejected"
  std::string fields{};     ///< JSON: what a form of the repository asked for; empty: no form
};

struct access_request_options {
  repo_type type = repo_type::model;
  std::optional<std::string> token{};
};

struct reject_access_request_options {
  repo_type type = repo_type::model;
  std::string rejection_reason{};  ///< told to the user, at most 200 characters; may be empty
  std::optional<std::string> token{};
};

}  // namespace cohub
