#pragma once

#include "cohub/card_value.hpp"
#include "cohub/eval_result.hpp"

#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <string_view>

namespace cohub {

/// Values for the names in a card template.
using template_variables = std::map<std::string, card_value, std::less<>>;

/// A repository's `README.md`: metadata between two `---` lines, then Markdown (mixin-and-cards,
/// section 4).
///
/// What is not touched is written back as it was read: the order of keys, the spelling of numbers,
/// the line breaks. Comments in the metadata are lost.
class model_card {
 public:
  model_card() = default;

  /// Splits and reads a card. A text without a header is a card without metadata.
  /// @param origin  name of the file, for errors
  /// @throws error  errc::invalid_card, with the line: the header is not YAML, or not a map
  static model_card parse(std::string_view content, std::string_view origin = "README.md");

  /// Fills a template and reads the result as a card.
  ///
  /// Known to the template: the members of `data`, then `variables`, which win, and `card_data`,
  /// the whole of `data` as YAML. A template whose header lacks `{{ card_data }}` drops the
  /// metadata. Understood are `{{ name }}`, the filter `default` in both forms, comments, `raw`
  /// blocks and white-space control (mixin-and-cards, section 4.9).
  /// @throws error  errc::invalid_card, with the line of the template
  static model_card from_template(card_map data, std::string_view template_text,
                                  template_variables variables = {});

  /// Reads a card from disk. Blocks: run it on a pool.
  /// @throws error  errc::invalid_card, or the system's code
  static model_card load(const std::filesystem::path& file);

  /// Writes the card, creating its folder; replaces the file in one step. Blocks: run it on a pool.
  void save(const std::filesystem::path& file) const;

  /// Metadata as an ordered map; a member is set, replaced or removed in place:
  /// @code
  /// card.data()["license"] = "mit";
  /// card.data()["tags"] = std::vector<std::string>{"nlp", "tiny"};
  /// @endcode
  card_map& data() noexcept { return data_; }
  const card_map& data() const noexcept { return data_; }
  /// What follows the header, its line breaks as they are.
  std::string& text() noexcept { return text_; }
  const std::string& text() const noexcept { return text_; }

  /// What the model was measured to have; nothing if the card does not say.
  /// @throws error  errc::invalid_card, with the path of what does not fit
  std::optional<model_index> eval_results() const;
  /// Writes them as `model-index`, at its place if there is one, else at the end.
  void set_eval_results(const model_index& results);

  /// The whole card. Without metadata it has no header, unless it had one when it was read: that is
  /// then `{}`.
  std::string content() const;

 private:
  card_map data_{};
  std::string text_{};
  std::string line_break_ = "\n";
  bool had_header_ = false;
};

/// The template that `model_hub_mixin` uses when a class names none: what made the model, and
/// `repo_url`, `paper_url`, `docs_url`.
std::string_view default_mixin_card_template() noexcept;

/// A long template for cards written by hand, with the headings and variable names of the Hub's
/// model card guide (`model_id`, `model_summary`, `direct_use`, ...).
std::string_view default_model_card_template() noexcept;

/// The same for datasets (`pretty_name`, `dataset_summary`, `curators`, ...).
std::string_view default_dataset_card_template() noexcept;

/// The metadata in the header of a file; nothing if it has no header or an empty one. Blocks.
/// @throws error  errc::invalid_card, or the system's code
std::optional<card_map> metadata_load(const std::filesystem::path& file);

/// Replaces the header of a file, or puts one in front; makes the file if there is none. Nulls are
/// written, and the line breaks of the file used. Blocks.
/// @throws error  the system's code
void metadata_save(const std::filesystem::path& file, const card_map& data);

}  // namespace cohub
