#include "cohub/error.hpp"
#include "cohub/local_hub.hpp"

#include "commands.hpp"
#include "common_flags.hpp"
#include "output.hpp"
#include "run_operation.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include <algorithm>
#include <cstdlib>
#include <exception>
#include <iostream>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace cohub::tool {

namespace {

/// A write token that is there already, so that a restart does not make another; else a new one.
/// @param owner  empty: anybody's
local_hub_token write_token(local_hub& hub, const std::string& owner = {}) {
  const auto known = hub.tokens();
  const auto found = std::find_if(known.begin(), known.end(), [&](const auto& token) {
    return token.role == "write" && (owner.empty() || token.owner == owner);
  });
  return found != known.end() ? *found : hub.create_token(owner.empty() ? "user" : owner);
}

/// The write tokens of those users, each a name and maybe the organisations to be a member of:
/// "name:organisation,...".
std::vector<local_hub_token> write_tokens(local_hub& hub, const std::vector<std::string>& users) {
  std::vector<local_hub_token> tokens;
  for (const auto& user : users) {
    const auto colon = std::min(user.find(':'), user.size());
    const auto name = user.substr(0, colon);
    if (name.empty()) throw error(errc::invalid_argument, "making the user \"" + user + "\"");
    tokens.push_back(write_token(hub, name));
    for (std::size_t begin = colon + 1; begin < user.size();) {
      const auto end = std::min(user.find(',', begin), user.size());
      hub.add_to_organization(user.substr(begin, end - begin), name);
      begin = end + 1;
    }
  }
  if (tokens.empty()) tokens.push_back(write_token(hub));
  return tokens;
}

/// What a client needs to use the Hub; a line each for people, and for programs one value.
/// @param all  the tokens of all users, not of the first alone
void tell(const output& out, const local_hub& hub, const std::vector<local_hub_token>& tokens,
          bool all) {
  if (out.mode() == output::format::human) {
    std::cout << "endpoint " << hub.endpoint();
    for (const auto& token : tokens)
      std::cout << "\nowner    " << token.owner << "\ntoken    " << token.token;
    std::cout << std::endl;
    return;
  }
  boost::json::object facts;
  facts["endpoint"] = hub.endpoint();
  facts["owner"] = tokens.front().owner;
  facts["token"] = tokens.front().token;
  boost::json::array users;
  for (const auto& token : tokens) {
    boost::json::object user;
    user["owner"] = token.owner;
    user["token"] = token.token;
    users.push_back(std::move(user));
  }
  if (all) facts["users"] = std::move(users);
  out.result({}, facts);
}

int run(const local_hub_config& config, const std::vector<std::string>& users, const output& out) {
  asio::io_context context(1);
  try {
    asio::signal_set signals(context, SIGINT, SIGTERM);
    local_hub hub(context.get_executor(), config);
    tell(out, hub, write_tokens(hub, users), !users.empty());
    signals.async_wait([&](boost::system::error_code failed, int) {
      if (failed) return;
      asio::co_spawn(context, hub.stop(), [&](std::exception_ptr) { context.stop(); });
      // Whoever cannot wait for what is under way asks again.
      signals.async_wait([](boost::system::error_code unasked, int) {
        if (!unasked) std::_Exit(interrupted);
      });
    });
    context.run();
  } catch (const std::exception& e) {
    print_error(e.what());
    return failure;
  }
  return success;
}

}  // namespace

void add_serve_command(CLI::App& app, int& status) {
  auto config = std::make_shared<local_hub_config>();
  auto& command = *app.add_subcommand("serve", "Run a Hub on this machine");
  command.add_option("--root", config->root, "Folder of its repositories, objects and tokens")
      ->required()
      ->option_text("DIR");
  add_count(command, "--port", config->port, "Port of the API; 0: any free one")
      ->option_text("N [0]");
  add_count(command, "--content-port", config->content_port, "Port of file contents; 0: any")
      ->option_text("N [0]");
  command.add_option("--address", config->address, "Address to listen on")
      ->option_text("ADDRESS [127.0.0.1]");
  command
      .add_option("--public-endpoint", config->public_endpoint,
                  "What clients are told to use for the API (behind a proxy, say)")
      ->option_text("URL [by their Host header]");
  command
      .add_option("--public-content-endpoint", config->public_content_endpoint,
                  "The same for file contents")
      ->option_text("URL [by their Host header]");
  auto users = std::make_shared<std::vector<std::string>>();
  command
      .add_option("--user", *users,
                  "A user to have a write token, and the organisations to be a member of; may be "
                  "repeated")
      ->allow_extra_args(false)
      ->option_text("NAME[:ORGANISATION,...]");
  command.add_flag("--resolve-cache", config->resolve_cache,
                   "Redirect for small files too, as the public Hub does");
  add_count(command, "--part-size", config->part_size,
            "Take larger objects in parts of so many bytes; 0: always whole")
      ->option_text("BYTES [512 MiB]");
  auto* certificate = command.add_option("--certificate", config->certificate_chain,
                                         "Certificate chain (PEM): serve https");
  auto* key = command.add_option("--private-key", config->private_key, "Its private key (PEM)");
  certificate->needs(key)->option_text("FILE");
  key->needs(certificate)->option_text("FILE");
  auto out = std::make_shared<output>();
  out->add_flags(command);
  command.footer(
      "Prints its endpoint and its users' write tokens when it is ready, and stops on SIGTERM or "
      "SIGINT.\n\n"
      "Example:\n"
      "  cohub serve --root ~/hub --port 8080\n"
      "  cohub serve --root ~/hub --address 0.0.0.0 --port 8080 --user alice:team --user bob:team\n"
      "  HF_ENDPOINT=http://127.0.0.1:8080 HF_TOKEN=hf_... cohub upload user/model .");
  command.callback([config, users, out, &status] { status = run(*config, *users, *out); });
}

}  // namespace cohub::tool
