#include "commands.hpp"
#include "common_flags.hpp"
#include "run_operation.hpp"

#include <iostream>
#include <memory>
#include <string>
#include <utility>

namespace cohub::tool {

namespace {

awaitable<void> whoami(client hub) {
  const auto user = co_await hub.whoami();
  std::cout << user.name << '\n';
  std::string names;
  for (const auto& org : user.orgs) names += (names.empty() ? "" : ",") + org;
  if (!names.empty()) std::cout << "orgs: " << names << '\n';
  std::cout << std::flush;
}

}  // namespace

void add_whoami_command(CLI::App& app, int& status) {
  auto token = std::make_shared<std::optional<std::string>>();
  auto& command = *app.add_subcommand("whoami", "Tell whose token is in use");
  add_token_flag(command, *token);
  command.footer(
      "Example:\n"
      "  HF_TOKEN=hf_... cohub whoami");
  command.callback([token, &status] {
    client_config config;
    config.token = *token;
    status = run_operation(std::move(config), whoami);
  });
}

}  // namespace cohub::tool
