#include "cohub/auth.hpp"

#include "commands.hpp"
#include "common_flags.hpp"
#include "output.hpp"
#include "run_operation.hpp"
#include "secret_prompt.hpp"

#include <boost/json/object.hpp>

#include <functional>
#include <iostream>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>

namespace cohub::tool {

namespace {

struct arguments {
  std::string name;
  std::optional<std::string> token;
  bool force = false;
  bool git = false;  // is to have it, too
  output out;
};
using arguments_ptr = std::shared_ptr<arguments>;

constexpr const char* variables = "HF_TOKEN or HUGGING_FACE_HUB_TOKEN";

/// What the environment names goes before what is kept.
void warn_if_overridden(const std::string& token) {
  if (get_token() != token)
    print_warning(std::string(variables) + " is set, and is used instead of this token");
}

awaitable<void> log_in(client hub, arguments_ptr args) {
  const auto kept = co_await login(hub, *args->token);
  boost::json::object facts;
  facts["name"] = kept.name;
  args->out.result("Logged in; the token is kept as " + kept.name, facts);
  warn_if_overridden(kept.token);
}

/// Runs what needs no Hub; a failure becomes one line.
int run_here(const std::function<void()>& what) {
  try {
    what();
  } catch (const std::exception& e) {
    print_error(e.what());
    return failure;
  }
  return success;
}

std::string token_named(const std::string& name) {
  for (auto& each : auth_list())
    if (each.name == name) return std::move(each.token);
  return {};
}

/// @param one  the one that is named, not all
void forget(const arguments& args, bool one) {
  boost::json::object facts;
  const auto token = token_named(args.name);
  if (one) {
    logout(args.name);
    facts["name"] = args.name;
  } else {
    logout();
  }
  const auto left = get_token();
  if (left && (!one || *left == token))
    throw std::runtime_error(std::string("what was kept is forgotten, but ") + variables +
                             " still names a token: you are logged in until it is unset");
  args.out.result("Logged out", facts);
}

void use(const arguments& args) {
  auth_switch(args.name);
  boost::json::object facts;
  facts["name"] = args.name;
  args.out.result("The token in use is " + args.name, facts);
  warn_if_overridden(token_named(args.name));
}

void list_tokens(const arguments& args) {
  boost::json::array all;
  bool is_one_active = false;
  for (const auto& each : auth_list()) {
    is_one_active = is_one_active || each.is_active;
    boost::json::object one;
    one["active"] = each.is_active ? "*" : "";
    one["name"] = each.name;
    one["token"] = each.masked();
    all.emplace_back(std::move(one));
  }
  args.out.table(all, {{"active"}, {"name"}, {"token"}}, "name");
  if (!is_one_active && get_token())
    print_warning(std::string(variables) + " names the token in use, which is not kept");
}

}  // namespace

void add_auth_command(CLI::App& app, int& status) {
  auto args = std::make_shared<arguments>();
  auto& auth = *app.add_subcommand("auth", "Log in and out, and choose among tokens");
  auth.require_subcommand(1);

  auto& login_command = *auth.add_subcommand("login", "Check a token, keep it, and use it");
  add_token_flag(login_command, args->token);
  login_command.add_flag("--force", args->force, "Accepted for scripts: a token is always taken");
  login_command.add_flag("--add-to-git-credential,!--no-add-to-git-credential", args->git,
                         "Not done; \"git credential approve\" does it");
  args->out.add_flags(login_command);
  login_command.footer(
      "Without --token it is read from standard input.\n\n"
      "Example:\n  cohub auth login < token.txt");
  login_command.callback([args, &status] {
    if (args->git) print_warning("the token is not given to git's credential helper");
    if (!args->token) args->token = read_secret("Token (is not shown): ");
    client_config config;
    config.token = args->token;
    status = run_operation(std::move(config),
                           [args](client hub) { return log_in(std::move(hub), args); });
  });

  auto& logout_command = *auth.add_subcommand("logout", "Forget one token, or all");
  const auto* const which =
      logout_command.add_option("--token-name", args->name, "Which one; without it, all")
          ->option_text("NAME");
  args->out.add_flags(logout_command);
  logout_command.footer("Example:\n  cohub auth logout --token-name my-token");
  logout_command.callback(
      [args, which, &status] { status = run_here([&] { forget(*args, which->count() > 0); }); });

  auto& switch_command = *auth.add_subcommand("switch", "Use another token");
  switch_command.add_option("--token-name", args->name, "Which one")
      ->required()
      ->option_text("NAME");
  args->out.add_flags(switch_command);
  switch_command.footer("Example:\n  cohub auth switch --token-name my-token");
  switch_command.callback([args, &status] { status = run_here([&] { use(*args); }); });

  auto& list_command = *auth.add_subcommand("list", "The tokens that are kept")->alias("ls");
  args->out.add_flags(list_command);
  list_command.footer("Example:\n  cohub auth list");
  list_command.callback([args, &status] { status = run_here([&] { list_tokens(*args); }); });

  auto& token_command = *auth.add_subcommand("token", "Print the token in use");
  args->out.add_flags(token_command);
  token_command.footer("Example:\n  HF_TOKEN=$(cohub auth token) some-program");
  token_command.callback([args, &status] {
    status = run_here([&] {
      const auto token = get_token();
      if (!token) throw std::runtime_error("no token is in use (see cohub auth login)");
      boost::json::object facts;
      facts["token"] = *token;
      if (args->out.mode() == output::format::json)
        args->out.result({}, facts);
      else
        std::cout << *token << std::endl;  // alone, whatever else is asked for
    });
  });

  add_whoami_command(auth, status);
}

}  // namespace cohub::tool
