#pragma once

#include "cohub/card_value.hpp"
#include "cohub/eval_result.hpp"
#include "cohub/named.hpp"
#include "cohub/repository.hpp"

#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace cohub {

/// Values for the names in a card template.
using template_variables = std::map<std::string, card_value, std::less<>>;

struct card_options {
  /// Evaluation results that do not fit are told in `model_card::warnings`, and there are none of
  /// them, where reading them would fail. They stay in the card.
  bool ignore_metadata_errors = false;
  /// Write the comments and empty lines of the metadata again, as Python does not.
  bool keep_comments = false;
};

/// A repository's `README.md`: metadata between two `---` lines, then Markdown (mixin-and-cards,
/// section 4). Of a model, a dataset or a space: they differ in what `model_card_data`,
/// `dataset_card_data` and `space_card_data` know, and in their template.
///
/// What is not touched is written back as it was read: the order of keys, the line breaks, and the
/// text of each member whose value is unchanged, be it a quoted text, a block or a list on one
/// line. Comments are lost as in Python (test vector V111), unless `card_options::keep_comments`
/// says otherwise; a member with comments inside is then written anew. So is all of a header that
/// is no map in block style.
class model_card {
 public:
  model_card() = default;

  /// Splits and reads a card. A text without a header is a card without metadata.
  /// @param origin  name of the file, for errors
  /// @throws error  errc::invalid_card, with the line: the header is not YAML, or not a map
  static model_card parse(std::string_view content, std::string_view origin = "README.md",
                          named<card_options> options = {});

  /// Fills a template and reads the result as a card.
  ///
  /// Known to the template: the members of `data` that are not null, then `variables`, which win,
  /// and `card_data`, the whole of `data` as YAML. A template whose header lacks `{{ card_data }}`
  /// drops the metadata. Understood is the part of Jinja that cards use (mixin-and-cards, sections
  /// 4.9 and 7.9): `{{ }}` with members and indices, the filters `default`, `join`, `lower`,
  /// `upper`, `trim`, `length` and `replace`, `if` / `elif` / `else`, `for`, `is defined`,
  /// `==`, `!=`, `in`, `and`, `or`, `not`, comments, `raw` blocks and white-space control. Nesting,
  /// turns of loops and the size of the result are bounded.
  /// @throws error  errc::invalid_card, with the line of the template
  static model_card from_template(card_map data, std::string_view template_text,
                                  template_variables variables = {},
                                  std::string_view template_name = "a card template");

  /// Reads a card from disk. Blocks: run it on a pool.
  /// @throws error  errc::invalid_card, or the system's code
  static model_card load(const std::filesystem::path& file, named<card_options> options = {});

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

  /// What models were measured to have, one entry for each that the card names; mostly one. Empty
  /// if the card does not say.
  /// @throws error  errc::invalid_card, with the path of what does not fit, unless
  ///                `ignore_metadata_errors`
  std::vector<model_index> eval_results() const;
  /// Writes them as `model-index`, in place of all that are there, at their place, else at the end.
  /// @throws error  errc::invalid_card: a name, or what a result needs, is missing
  void set_eval_results(const model_index& results);
  void set_eval_results(const std::vector<model_index>& results);

  /// What was odd when the card was read, a line each: no header, results that were ignored.
  const std::vector<std::string>& warnings() const noexcept { return warnings_; }

  /// The whole card. Members that are null are left out, unless they were read so. Without metadata
  /// it has no header, unless it had one when it was read: that is then `{}`.
  std::string content() const;

 private:
  card_map data_{};
  std::string text_{};
  std::string line_break_ = "\n";
  std::shared_ptr<const std::string> header_{};  ///< as it was read; null: there was none
  std::vector<std::string> warnings_{};
  bool had_header_ = false;
  card_options options_{};
};

/// Metadata as YAML, without a final line break; members that are null are left out.
/// @par Mirrors  CardData.to_yaml()
std::string to_yaml(const card_map& metadata);

/// The template that `model_hub_mixin` uses when a class names none: what made the model, and
/// `repo_url`, `paper_url`, `docs_url`.
std::string_view default_mixin_card_template() noexcept;

/// A long template for cards written by hand, with the headings and variable names of the Hub's
/// model card guide (`model_id`, `model_summary`, `direct_use`, ...).
std::string_view default_model_card_template() noexcept;

/// The same for datasets (`pretty_name`, `dataset_summary`, `curators`, ...).
std::string_view default_dataset_card_template() noexcept;

/// The template by the type of the repository: spaces use that of models.
std::string_view default_card_template(repo_type type) noexcept;

/// The metadata in the header of a file; nothing if it has no header or an empty one. Blocks.
/// @throws error  errc::invalid_card, or the system's code
std::optional<card_map> metadata_load(const std::filesystem::path& file);

/// Replaces the header of a file, or puts one in front; makes the file if there is none. Nulls are
/// written, and the line breaks of the file used. Blocks.
/// @throws error  the system's code
void metadata_save(const std::filesystem::path& file, const card_map& data);

}  // namespace cohub
