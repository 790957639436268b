#pragma once

#include "cohub/local_hub.hpp"

#include <filesystem>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace cohub::server {

/// Who a request comes from.
struct identity {
  std::string name{};
  std::string role{};
  std::vector<std::string> organizations{};  ///< that the user is a member of

  bool may_write() const noexcept { return role == "write" || role == "admin"; }
  /// Whether repositories under `owner` are the user's own.
  bool owns(std::string_view owner) const noexcept;
};

/// Access tokens and organisations, in one private file. Safe from several threads.
class token_store {
 public:
  /// Reads `file` if it exists. @throws error  a file that is not ours
  token_store(std::filesystem::path file, std::filesystem::path temporary);

  local_hub_token create(std::string owner, std::string role);
  std::vector<local_hub_token> all() const;
  void set_organization(std::string name, std::vector<std::string> members);
  void add_member(std::string name, std::string user);

  std::optional<identity> find(std::string_view token) const;
  /// Whether there is a token of that user.
  bool knows(std::string_view user) const;
  /// The organisations that a user is a member of.
  std::vector<std::string> organizations_of(std::string_view user) const;
  /// Nothing if there is no such organisation.
  std::optional<std::vector<std::string>> members_of(std::string_view organization) const;

 private:
  struct organization {
    std::string name{};
    std::vector<std::string> members{};
  };

  void load();
  /// Adds the organisation in place of the one of that name. With `mutex_` held.
  void replace(organization made);
  void save(const std::vector<local_hub_token>& tokens,
            const std::vector<organization>& organizations) const;

  std::filesystem::path file_;
  std::filesystem::path temporary_;
  mutable std::mutex mutex_;
  std::vector<local_hub_token> tokens_;
  std::vector<organization> organizations_;
};

/// Whether `name` can own repositories: letters, digits, '-', '_', '.', at most 96, as in an id.
bool is_owner_name(std::string_view name);

}  // namespace cohub::server
