#include "cohub/auth.hpp"
#include "cohub/client.hpp"
#include "cohub/version.hpp"

#include "commands.hpp"
#include "output.hpp"
#include "run_operation.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/json/object.hpp>
#include <boost/version.hpp>

#include <sys/utsname.h>

#include <cstdlib>
#include <exception>
#include <memory>
#include <string>

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

/// What a client makes of the environment; where it can make nothing of it, why.
void add_client(boost::json::object& facts) {
  try {
    asio::io_context context;
    client hub(context.get_executor());
    facts["endpoint"] = hub.endpoint();
    facts["cache_dir"] = hub.cache_dir().string();
    facts["offline"] = hub.is_offline();
  } catch (const std::exception& e) {
    facts["problem"] = e.what();
  }
}

void tell_environment(const output& out) {
  boost::json::object facts;
  facts["cohub"] = version;
  facts["platform"] = platform();
  facts["compiler"] = compiler;
  facts["boost"] = BOOST_LIB_VERSION;
  add_client(facts);
  facts["token_path"] = token_path().string();
  facts["has_token"] = get_token().has_value();
  for (const char* const name : variables)
    if (const char* const value = std::getenv(name)) facts[name] = value;
  std::string lines;
  for (const auto& fact : facts) {
    const auto& value = fact.value();
    if (!lines.empty()) lines += '\n';
    lines += std::string(fact.key()) + ": ";
    lines += value.is_bool() ? (value.get_bool() ? "yes" : "no") : std::string(value.get_string());
  }
  out.result(lines, facts);
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
    tell_environment(*out);
    status = success;
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
