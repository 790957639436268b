#pragma once

#include "cohub/eval_result.hpp"

#include <vector>

namespace cohub::model {

/// @throws error  errc::invalid_card: a required member is missing
void check_result(const eval_result& result);

/// `write_model_index` of results that a card has already: older ones may lack what is required of
/// new ones, and stay as they are.
card_value write_read_results(const std::vector<model_index>& indexes);

}  // namespace cohub::model
