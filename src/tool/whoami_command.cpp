#include "commands.hpp"
#include "common_flags.hpp"
#include "output.hpp"
#include "run_operation.hpp"
#include "text.hpp"

#include <boost/json/object.hpp>

#include <memory>
#include <optional>
#include <string>
#include <utility>

namespace cohub::tool {

namespace {

struct arguments {
  std::optional<std::string> token;
  output out;
};

awaitable<void> whoami(client hub, std::shared_ptr<arguments> args) {
  const auto user = co_await hub.whoami();
  std::string names;
  for (const auto& org : user.orgs) names += (names.empty() ? "" : ",") + org;
  boost::json::object facts;
  facts["user"] = user.name;
  if (names.empty())
    facts["orgs"] = nullptr;
  else
    facts["orgs"] = names;
  facts["endpoint"] = hub.endpoint();
  auto text = printable(user.name);
  if (!names.empty()) text += "\norgs: " + printable(names);
  args->out.result(text, facts);
}

}  // namespace

void add_whoami_command(CLI::App& app, int& status) {
  auto args = std::make_shared<arguments>();
  auto& command = *app.add_subcommand("whoami", "Tell whose token is in use");
  add_token_flag(command, args->token);
  args->out.add_flags(command);
  command.footer(
      "Example:\n"
      "  HF_TOKEN=hf_... cohub whoami");
  command.callback([args, &status] {
    client_config config;
    config.token = args->token;
    status = run_operation(std::move(config),
                           [args](client hub) { return whoami(std::move(hub), args); });
  });
}

}  // namespace cohub::tool
