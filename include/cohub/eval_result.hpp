#pragma once

#include "cohub/card_value.hpp"
#include "cohub/named.hpp"

#include <optional>
#include <string>
#include <vector>

namespace cohub {

/// One number that a model was measured to have (mixin-and-cards, section 4.4). Empty texts and
/// null values are left out of the card, but for a metric's value.
struct eval_result {
  std::string task_type{};     ///< "image-classification"; required
  std::string dataset_type{};  ///< id of the dataset on the Hub; required
  std::string dataset_name{};  ///< for people; required
  std::string metric_type{};   ///< id of the metric; required
  card_value metric_value{};   ///< a number, or text like "20.0 ± 1.2"; required

  std::string task_name{};
  std::string dataset_config{};
  std::string dataset_split{};
  std::string dataset_revision{};
  card_value dataset_args{};  ///< a map
  std::string metric_name{};
  card_value metric_config{};
  card_value metric_args{};        ///< a map
  std::optional<bool> verified{};  ///< the Hub has repeated the measurement, and signs for it
  std::string verify_token{};
  std::string source_name{};
  std::string source_url{};  ///< required where there is a `source_name`

  friend bool operator==(const eval_result&, const eval_result&) = default;
};

/// Whether two results are of the same metric: all but its value and the signature is equal, where
/// 1 is equal to 1.0.
bool is_same_metric(const eval_result& a, const eval_result& b);

/// All results of one model: an element of the member `model-index` of its card.
struct model_index {
  std::string name{};  ///< of the model
  std::vector<eval_result> results{};
};

/// As it stands in a card, an element a model: results of the same task, dataset, configuration,
/// split and revision are one entry, whose names, arguments and source are those of the first.
/// @throws error  errc::invalid_card: a required member is missing
/// @par Mirrors  eval_results_to_model_index()
card_value write_model_index(const model_index& index);
card_value write_model_index(const std::vector<model_index>& indexes);

/// Its elements, each by itself; Python puts all results under the last name. What is required of
/// new results may be null or empty in older ones.
/// @throws error  errc::invalid_card, with the path of what is missing or of another type:
///                "model-index[0].results[1].dataset.type"
/// @par Mirrors  model_index_to_eval_results()
std::vector<model_index> read_model_index(const card_value& value);

/// Metadata that holds one result and nothing else, for `metadata_save` and `metadata_update`.
/// `verified` is written even where it is not set.
/// @par Mirrors  metadata_eval_result()
card_map metadata_eval_result(std::string model_name, named<eval_result> result);

}  // namespace cohub
