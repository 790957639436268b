#include "cohub/auth.hpp"
#include "cohub/version.hpp"

#include "commands.hpp"
#include "output.hpp"
#include "run_operation.hpp"

#include <boost/json/object.hpp>
#include <boost/version.hpp>

#include <sys/utsname.h>

#include <cstdlib>
#include <memory>
#include <string>
#include <utility>

namespace cohub::tool {

namespace {

/// What changes how the tool behaves, but for secrets: all this ends in a report of a problem.
constexpr const char* variables[] = {
    "HF_HOME",
    "HF_HUB_CACHE",
    "HUGGINGFACE_HUB_CACHE",
    "HF_TOKEN_PATH",
    "HF_HUB_OFFLINE",
    "TRANSFORMERS_OFFLINE",
    "HF_HUB_DISABLE_SYMLINKS",
    "HF_HUB_DISABLE_IMPLICIT_TOKEN",
    "HF_HUB_DISABLE_PROGRESS_BARS",
    "HF_HUB_ETAG_TIMEOUT",
    "HF_HUB_DOWNLOAD_TIMEOUT",
    "HUGGINGFACE_CO_STAGING",
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
};

#ifdef __clang__
constexpr const char* compiler = __VERSION__;
#else
constexpr const char* compiler = "g++ " __VERSION__;  // which alone is a number
#endif

std::string platform() {
  struct utsname system {};
  if (::uname(&system) != 0) return "unknown";
  return std::string(system.sysname) + ' ' + system.release + ' ' + system.machine;
}

/// A url without the user and the password that may stand before its host.
std::string without_user(std::string url) {
  const auto begin = url.find("://");
  if (begin == url.npos) return url;
  const auto host = begin + 3;
  const auto at = url.substr(host, url.find_first_of("/?#", host) - host).rfind('@');
  if (at != url.npos) url.replace(host, at, "***");
  return url;
}

awaitable<void> tell_environment(client hub, std::shared_ptr<output> out) {
  boost::json::object facts;
  facts["cohub"] = version;
  facts["platform"] = platform();
  facts["compiler"] = compiler;
  facts["boost"] = BOOST_LIB_VERSION;
  facts["endpoint"] = without_user(hub.endpoint());
  facts["cache_dir"] = hub.cache_dir().string();
  facts["token_path"] = token_path().string();
  facts["has_token"] = get_token().has_value();
  facts["offline"] = hub.is_offline();
  for (const char* const name : variables)
    if (const char* const value = std::getenv(name)) facts[name] = value;
  std::string lines;
  for (const auto& fact : facts) {
    const auto& value = fact.value();
    if (!lines.empty()) lines += '\n';
    lines += std::string(fact.key()) + ": ";
    lines += value.is_bool() ? (value.get_bool() ? "yes" : "no") : std::string(value.get_string());
  }
  out->result(lines, facts);
  co_return;
}

}  // namespace

void add_env_command(CLI::App& app, int& status) {
  auto out = std::make_shared<output>();
  auto& command = *app.add_subcommand("env", "Tell what a report of a problem should say");
  out->add_flags(command);
  command.footer(
      "Example:\n"
      "  cohub env");
  command.callback([out, &status] {
    status = run_operation(client_config(),
                           [out](client hub) { return tell_environment(std::move(hub), out); });
  });
}

void add_version_command(CLI::App& app, int& status) {
  auto out = std::make_shared<output>();
  auto& command = *app.add_subcommand("version", "Tell the version");
  out->add_flags(command);
  command.footer("Example:\n  cohub version");
  command.callback([out, &status] {
    boost::json::object facts;
    facts["version"] = version;
    out->result(version, facts);
    status = success;
  });
}

}  // namespace cohub::tool
