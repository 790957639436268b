#pragma once

#include "cohub/awaitable.hpp"
#include "cohub/detail/model_steps.hpp"
#include "cohub/model_card.hpp"
#include "cohub/save_sink.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/json/value.hpp>

#include <functional>
#include <memory>
#include <optional>
#include <string>

namespace cohub::model {

/// What describes a model.
struct descriptions {
  std::optional<std::string> config{};  ///< the text of `config.json`
  std::optional<model_card> card{};
};

/// Made before the weights are, so that what is wrong with them costs nothing.
awaitable<descriptions> describe(asio::any_io_executor pool, detail::model_parts parts,
                                 std::optional<boost::json::value> config,
                                 template_variables variables);

/// Who wrote the card of a staged model.
enum class card_origin { none, hook, generated };

/// Fills the staging folder: the hook first, then what it left out.
awaitable<card_origin> write_parts(asio::any_io_executor pool, detail::model_parts parts,
                                   std::shared_ptr<save_sink> sink, descriptions described,
                                   std::function<void(model_card&)> edit_card);

/// Writes what was handed over to the folder. A job of the pool is one step: in between others have
/// their turn, and a cancellation is heeded.
awaitable<void> write_files(asio::any_io_executor pool, std::shared_ptr<save_sink> sink);

}  // namespace cohub::model
