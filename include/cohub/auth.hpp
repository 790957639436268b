#pragma once

#include "cohub/awaitable.hpp"
#include "cohub/client.hpp"

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

/// The tokens that are kept on this machine, in the Python client's files: `$HF_HOME/token` has the
/// one in use, `stored_tokens` beside it all of them by name (hub-protocol, section 1.3). The files
/// are readable by their owner alone.
namespace cohub {

/// A token that is kept under a name.
struct stored_token {
  std::string name{};
  std::string token{};     ///< a secret
  bool is_active = false;  ///< it is the one in use, as `get_token` tells

  /// "hf_****wxyz", to be shown.
  std::string masked() const;
};

/// Asks the Hub whose token it is, keeps it under the name that the Hub has for it, and uses it
/// from now on: by clients that are made afterwards and are given no other.
/// @return  as it is kept
/// @throws error  errc::unauthorized: the Hub does not know it; errc::invalid_argument: it is empty
/// @par Mirrors  login()
awaitable<stored_token> login(client hub, std::string token);

/// Forgets one token. One that the environment names stays in use. Blocks.
/// @throws error  errc::invalid_argument: none of that name is kept; the system's code: a file
///                cannot be removed, and its secret stays
/// @par Mirrors  logout(token_name)
void logout(const std::string& token_name);

/// Forgets all tokens. Otherwise as above.
/// @par Mirrors  logout()
void logout();

/// Uses another of the tokens that are kept. Blocks.
/// @throws error  errc::invalid_argument: none of that name is kept
/// @par Mirrors  auth_switch()
void auth_switch(const std::string& token_name);

/// The token that a client uses which is given none: that of the environment (`HF_TOKEN`), else the
/// one that is kept. Blocks.
/// @par Mirrors  get_token()
std::optional<std::string> get_token();

/// The file of the token in use: `HF_TOKEN_PATH`, else `token` in `$HF_HOME`. It need not exist.
std::filesystem::path token_path();

/// The tokens that are kept, by name. Blocks.
/// @par Mirrors  auth_list()
std::vector<stored_token> auth_list();

}  // namespace cohub
