#pragma once

#include "cohub/repository.hpp"

#include "transfer/context.hpp"

#include <string>
#include <vector>

namespace cohub::transfer {

/// Has the Hub check the text of a card (hub-protocol, section 6.5); yields its warnings.
/// @throws error  errc::bad_request: what it finds wrong; what `call` throws
awaitable<std::vector<std::string>> validate_card(context_ptr shared, std::string content,
                                                  repo_type type, std::string token);

}  // namespace cohub::transfer
