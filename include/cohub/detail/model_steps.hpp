#pragma once

#include "cohub/load_context.hpp"
#include "cohub/model_card.hpp"
#include "cohub/pretrained.hpp"
#include "cohub/save_sink.hpp"

#include <boost/json/value.hpp>

#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace cohub::detail {

/// What the steps of pushing and saving need to know of a model.
struct model_parts {
  /// What keeps the model alive; null: its owner sees to that.
  std::shared_ptr<const void> owner{};
  /// Fills an empty folder, and hands over what is produced later.
  std::function<awaitable<void>(asio::any_io_executor pool, std::shared_ptr<save_sink> sink)>
      save{};
  /// For `config.json`; nothing: the model has no config. Called on the pool.
  std::function<std::optional<boost::json::value>()> config{};
  /// The card; null: none is added. Called on the pool.
  std::function<model_card(template_variables)> card{};
};

awaitable<commit_info> push_model(client hub, std::string repo_id, model_parts parts,
                                  push_to_hub_options options);

awaitable<std::optional<commit_info>> save_model(client hub, std::filesystem::path folder,
                                                 model_parts parts,
                                                 save_pretrained_options options);

/// As `open_pretrained`; `check` sees the config before the files are fetched.
awaitable<load_context> open_model(client hub, std::string id_or_path,
                                   std::vector<std::string> files, from_pretrained_options options,
                                   std::function<void(const load_context&)> check);

}  // namespace cohub::detail
