#include "cohub/hub_card.hpp"

#include "commands.hpp"
#include "repo_action.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include <cmath>
#include <memory>
#include <string>

namespace cohub::tool {

namespace {

namespace json = boost::json;

struct arguments : repo_arguments {
  std::string revision;
  bool text_alone = false;
  bool metadata_alone = false;
};
using arguments_ptr = std::shared_ptr<arguments>;

json::value as_json(const card_value& value);

json::object as_json(const card_map& metadata) {
  json::object object;
  for (const auto& [key, value] : metadata) object[key] = as_json(value);
  return object;
}

json::value as_json(const card_value& value) {
  switch (value.type()) {
    case card_value::kind::null:
      break;
    case card_value::kind::boolean:
      return value.as_bool();
    case card_value::kind::integer:
      return value.as_integer();
    case card_value::kind::real:
      if (std::isfinite(value.as_real())) return value.as_real();
      break;  // JSON has no such number
    case card_value::kind::text:
      return json::value(value.as_text());
    case card_value::kind::list: {
      json::array array;
      for (const auto& item : value.as_list()) array.push_back(as_json(item));
      return array;
    }
    case card_value::kind::map:
      return as_json(value.as_map());
  }
  return nullptr;
}

awaitable<void> show_card(client hub, arguments_ptr args) {
  load_card_options options;
  options.type = args->type;
  if (!args->revision.empty()) options.revision = args->revision;
  const auto card = co_await load_card(hub, args->repo_id, options);
  const bool as_object = args->out.mode() == output::format::json;
  if (args->metadata_alone && as_object)
    args->out.object(as_json(card.data()), {});
  else if (args->metadata_alone)
    args->out.document(to_yaml(card.data()) + '\n', "metadata");
  else if (args->text_alone)
    args->out.document(card.text(), "text");
  else
    args->out.document(card.content(), "content");
}

}  // namespace

void add_card_command(CLI::App& group, int& status, repo_type type) {
  auto args = std::make_shared<arguments>();
  args->type = type;
  auto& command = *group.add_subcommand("card", "Print the card of one, its README.md");
  command.add_option("repo_id", args->repo_id, "owner/name")->required()->option_text("ID");
  command.add_flag("--text", args->text_alone, "Without its metadata");
  command.add_flag("--metadata", args->metadata_alone, "Its metadata alone")->excludes("--text");
  command.add_option("--revision", args->revision, "Branch, tag or commit")
      ->option_text("REVISION");
  add_token_flag(command, args->token);
  args->out.add_flags(command);
  const auto words = "  cohub " + group.get_name() + " card org/name ";
  command.footer("Examples:\n" + words + "--text\n" + words + "--metadata --json");
  command.callback([args, &status] { status = run_with(args, show_card); });
}

}  // namespace cohub::tool
