#pragma once

#include <chrono>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

namespace cohub::core {

/// The variable's value; nothing if it is unset or empty.
std::optional<std::string> environment_value(const char* name);

/// True only for 1, ON, YES, TRUE in any case (hub-protocol, section 1.1).
bool is_true(std::string_view text) noexcept;
bool environment_flag(const char* name);

/// The variable as a whole number of seconds; nothing if it is unset, empty, 0 or no such number.
std::optional<std::chrono::seconds> environment_seconds(const char* name);

/// Expands a leading `~`, as in a folder that a call names (hub-protocol, section 4.1).
std::filesystem::path expand_home(const std::filesystem::path& path);
/// Expands a leading `~` and `$VAR` / `${VAR}`, as in a folder that the environment names.
std::filesystem::path expand_path(std::string_view text);

/// `HUGGINGFACE_CO_STAGING`: the Hub's own testing ground, whose tokens and files are kept apart,
/// so that it decides the endpoint, the home and the token file whatever else is set (hub-protocol,
/// section 1.1; Python's constants.py).
bool hub_staging();

/// `HF_HOME`, else `$XDG_CACHE_HOME/huggingface`, else `~/.cache/huggingface`; while staging,
/// `~/.cache/huggingface_staging`.
std::filesystem::path hub_home();
/// `HF_HUB_CACHE`, else `HUGGINGFACE_HUB_CACHE`, else `hub` in `hub_home()`.
std::filesystem::path hub_cache_directory();
/// `HF_ENDPOINT` without trailing '/', else the public Hub; while staging, the staging Hub.
std::string hub_endpoint();
/// `HF_HUB_OFFLINE`, else `TRANSFORMERS_OFFLINE`.
bool hub_offline();

/// `HF_TOKEN_PATH`, else `token` in `hub_home()`.
std::filesystem::path token_path();

/// A token without line breaks and surrounding blanks; nothing if that leaves nothing.
std::optional<std::string> clean_token(std::string text);

/// The token found by the rules of hub-protocol, section 1.3: `HF_TOKEN`, `HUGGING_FACE_HUB_TOKEN`,
/// the token file. Reads a small file: not for the executor's hot path.
std::optional<std::string> discover_token();

}  // namespace cohub::core
