#include "cohub/auth.hpp"

#include "commands.hpp"
#include "common_flags.hpp"
#include "output.hpp"
#include "run_operation.hpp"

#include <boost/json/object.hpp>

#include <termios.h>
#include <unistd.h>

#include <functional>
#include <iostream>
#include <memory>
#include <stdexcept>
#include <string>

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

/// Reads a line without showing it, where somebody types it.
std::string read_secret() {
  const bool typed = ::isatty(STDIN_FILENO) != 0;
  termios before{};
  if (typed) {
    std::cerr << "Token (is not shown): " << std::flush;
    ::tcgetattr(STDIN_FILENO, &before);
    auto silent = before;
    silent.c_lflag &= ~static_cast<tcflag_t>(ECHO);
    ::tcsetattr(STDIN_FILENO, TCSAFLUSH, &silent);
  }
  std::string line;
  std::getline(std::cin, line);
  if (typed) {
    ::tcsetattr(STDIN_FILENO, TCSAFLUSH, &before);
    std::cerr << std::endl;
  }
  return line;
}

awaitable<void> log_in(client hub, arguments_ptr args) {
  const auto kept = co_await login(hub, *args->token);
  boost::json::object facts;
  facts["name"] = kept.name;
  args->out.result("Logged in; the token is kept as " + kept.name, facts);
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

void list_tokens(const arguments& args) {
  boost::json::array all;
  for (const auto& each : auth_list()) {
    boost::json::object one;
    one["active"] = each.is_active ? "*" : "";
    one["name"] = each.name;
    one["token"] = each.masked();
    all.emplace_back(std::move(one));
  }
  args.out.table(all, {{"active"}, {"name"}, {"token"}}, "name");
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
    if (!args->token) args->token = read_secret();
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
  logout_command.callback([args, which, &status] {
    status = run_here([&] {
      boost::json::object facts;
      if (which->count() > 0) {
        logout(args->name);
        facts["name"] = args->name;
      } else {
        logout();
      }
      args->out.result("Logged out", facts);
    });
  });

  auto& switch_command = *auth.add_subcommand("switch", "Use another token");
  switch_command.add_option("--token-name", args->name, "Which one")
      ->required()
      ->option_text("NAME");
  args->out.add_flags(switch_command);
  switch_command.footer("Example:\n  cohub auth switch --token-name my-token");
  switch_command.callback([args, &status] {
    status = run_here([&] {
      auth_switch(args->name);
      boost::json::object facts;
      facts["name"] = args->name;
      args->out.result("The token in use is " + args->name, facts);
    });
  });

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
