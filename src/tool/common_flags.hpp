#pragma once

#include "cohub/client_config.hpp"
#include "cohub/repository.hpp"

#include <CLI/CLI.hpp>

#include <map>
#include <optional>
#include <string>

namespace cohub::tool {

inline void add_type_flag(CLI::App& command, repo_type& type) {
  const std::map<std::string, repo_type> words{
      {"model", repo_type::model}, {"dataset", repo_type::dataset}, {"space", repo_type::space}};
  command.add_option("--repo-type,--type", type, "Kind of repository: model, dataset or space")
      ->transform(CLI::Transformer(words).description(""))
      ->check(
          CLI::IsMember({repo_type::model, repo_type::dataset, repo_type::space}).description(""))
      ->option_text("TYPE [model]");
}

inline void add_token_flag(CLI::App& command, std::optional<std::string>& token) {
  command
      .add_option("--token", token,
                  "Access token; HF_TOKEN is better, since other users of the machine can see "
                  "a command's arguments")
      ->option_text("TOKEN");
}

}  // namespace cohub::tool
