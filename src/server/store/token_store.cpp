#include "server/store/token_store.hpp"

#include "cohub/error.hpp"

#include "core/ascii.hpp"
#include "core/hex.hpp"
#include "hub/json_reader.hpp"
#include "hub/repo_id.hpp"
#include "io/file.hpp"
#include "server/store/private_file.hpp"

#include <boost/json/serialize.hpp>
#include <openssl/crypto.h>

#include <algorithm>
#include <array>
#include <span>
#include <utility>

namespace cohub::server {

namespace {

constexpr std::uint64_t file_limit = 16u << 20;

bool is_plain(char c) { return core::is_alphanumeric(c) || c == '-' || c == '_' || c == '.'; }

bool same_secret(std::string_view a, std::string_view b) {
  return a.size() == b.size() && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

/// Whether urls can lead to what that owner has: some begin with a word of their own.
bool may_be_owner(std::string_view name) {
  constexpr std::array<std::string_view, 5> words{"api", "models", "datasets", "spaces", "kernels"};
  return is_owner_name(name) && std::find(words.begin(), words.end(), name) == words.end();
}

}  // namespace

bool is_owner_name(std::string_view name) {
  return name.size() <= 96 && std::all_of(name.begin(), name.end(), is_plain) &&
         hub::check_repo_id(name).has_value();
}

bool identity::owns(std::string_view owner) const noexcept {
  return owner == name ||
         std::find(organizations.begin(), organizations.end(), owner) != organizations.end();
}

token_store::token_store(std::filesystem::path file, std::filesystem::path temporary)
    : file_(std::move(file)), temporary_(std::move(temporary)) {
  if (std::filesystem::exists(file_)) load();
}

void token_store::load() {
  const auto parsed = hub::parse_json(io::read_file(file_, file_limit));
  if (!parsed || !parsed->is_object())
    throw error(errc::invalid_argument, "reading the tokens in " + file_.string());
  const auto& object = parsed->as_object();
  if (const auto* list = object.if_contains("tokens"); list != nullptr && list->is_array())
    for (const auto& item : list->as_array())
      if (const auto* entry = item.if_object())
        tokens_.push_back({hub::text_or(*entry, "token"), hub::text_or(*entry, "owner"),
                           hub::text_or(*entry, "role")});
  if (const auto* list = object.if_contains("organizations"); list != nullptr && list->is_array())
    for (const auto& item : list->as_array())
      if (const auto* entry = item.if_object()) {
        organization made{hub::text_or(*entry, "name"), {}};
        if (const auto* members = entry->if_contains("members"); members && members->is_array())
          for (const auto& member : members->as_array())
            if (member.is_string()) made.members.emplace_back(member.as_string());
        organizations_.push_back(std::move(made));
      }
}

void token_store::save(const std::vector<local_hub_token>& tokens,
                       const std::vector<organization>& organizations) const {
  boost::json::array token_list;
  for (const auto& token : tokens) {
    boost::json::object entry;
    entry["token"] = token.token;
    entry["owner"] = token.owner;
    entry["role"] = token.role;
    token_list.push_back(std::move(entry));
  }
  boost::json::array organization_list;
  for (const auto& each : organizations) {
    boost::json::object entry;
    entry["name"] = each.name;
    boost::json::array members;
    for (const auto& member : each.members) members.emplace_back(member);
    entry["members"] = std::move(members);
    organization_list.push_back(std::move(entry));
  }
  boost::json::object all;
  all["tokens"] = std::move(token_list);
  all["organizations"] = std::move(organization_list);
  write_private_file(file_, boost::json::serialize(all), temporary_);
}

local_hub_token token_store::create(std::string owner, std::string role) {
  if (!may_be_owner(owner))
    throw error(errc::invalid_argument, "making a token for \"" + owner + "\" (not a user name)");
  if (role != "read" && role != "write" && role != "admin")
    throw error(errc::invalid_argument,
                "making a token of the role \"" + role + "\" (read, write or admin)");
  const std::string secret = random_bytes(20);
  local_hub_token made{"hf_" + core::to_hex(std::as_bytes(std::span(secret))), std::move(owner),
                       std::move(role)};
  const std::lock_guard lock(mutex_);
  auto tokens = tokens_;
  tokens.push_back(made);
  save(tokens, organizations_);
  tokens_ = std::move(tokens);
  return made;
}

std::vector<local_hub_token> token_store::all() const {
  const std::lock_guard lock(mutex_);
  return tokens_;
}

void token_store::set_organization(std::string name, std::vector<std::string> members) {
  if (!may_be_owner(name))
    throw error(errc::invalid_argument, "making the organisation \"" + name + "\"");
  const std::lock_guard lock(mutex_);
  replace({std::move(name), std::move(members)});
}

void token_store::add_member(std::string name, std::string user) {
  if (!may_be_owner(name))
    throw error(errc::invalid_argument, "making the organisation \"" + name + "\"");
  const std::lock_guard lock(mutex_);
  const auto there = std::find_if(organizations_.begin(), organizations_.end(),
                                  [&](const organization& each) { return each.name == name; });
  organization made{std::move(name), {}};
  if (there != organizations_.end()) made.members = there->members;
  auto& members = made.members;
  if (std::find(members.begin(), members.end(), user) != members.end()) return;
  members.push_back(std::move(user));
  replace(std::move(made));
}

void token_store::replace(organization made) {
  auto organizations = organizations_;
  std::erase_if(organizations, [&](const organization& each) { return each.name == made.name; });
  organizations.push_back(std::move(made));
  save(tokens_, organizations);
  organizations_ = std::move(organizations);
}

bool token_store::knows(std::string_view user) const {
  const std::lock_guard lock(mutex_);
  return std::any_of(tokens_.begin(), tokens_.end(),
                     [&](const local_hub_token& each) { return each.owner == user; });
}

std::vector<std::string> token_store::organizations_of(std::string_view user) const {
  const std::lock_guard lock(mutex_);
  std::vector<std::string> names;
  for (const auto& each : organizations_)
    if (std::find(each.members.begin(), each.members.end(), user) != each.members.end())
      names.push_back(each.name);
  return names;
}

std::optional<std::vector<std::string>> token_store::members_of(std::string_view name) const {
  const std::lock_guard lock(mutex_);
  for (const auto& each : organizations_)
    if (each.name == name) return each.members;
  return std::nullopt;
}

std::optional<identity> token_store::find(std::string_view token) const {
  const std::lock_guard lock(mutex_);
  for (const auto& known : tokens_) {
    if (!same_secret(known.token, token)) continue;
    identity who{known.owner, known.role, {}};
    for (const auto& each : organizations_)
      if (std::find(each.members.begin(), each.members.end(), known.owner) != each.members.end())
        who.organizations.push_back(each.name);
    return who;
  }
  return std::nullopt;
}

}  // namespace cohub::server
