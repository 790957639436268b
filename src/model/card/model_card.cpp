#include "cohub/model_card.hpp"

#include "cohub/error.hpp"

#include "hub/front_matter.hpp"
#include "hub/utf8.hpp"
#include "hub/yaml.hpp"
#include "hub/yaml_source.hpp"
#include "io/file.hpp"
#include "model/card/card_template.hpp"

#include <system_error>

namespace cohub {

namespace {

constexpr std::uint64_t largest_card = 64u << 20;      // bytes
constexpr std::size_t largest_kept_header = 4u << 20;  // bytes; a larger one is written anew
constexpr const char* index_key = "model-index";

card_map read_header(const hub::front_matter& header, std::string_view origin) {
  auto value = hub::read_yaml(header.block, origin, header.first_line);
  if (value.is_null()) return {};
  if (!value.is_map())
    throw error(errc::invalid_card, "reading " + std::string(origin) + ", line " +
                                        std::to_string(header.first_line) +
                                        ": the header must be a map");
  return std::move(value.as_map());
}

/// What the lines of a header end with. A lone CR ends no fence (mixin-and-cards, section 4.1).
std::string_view header_break(std::string_view of_content) noexcept {
  return of_content == "\r" ? "\n" : of_content;
}

std::string fenced(const std::string& yaml, std::string_view line_break) {
  std::string out = "---" + std::string(line_break);
  out += yaml;
  return out += "---" + std::string(line_break);
}

/// Without the members that were set to null, or made by looking for them.
card_map exported(const card_map& data) {
  card_map result;
  result.reserve(data.size());
  for (const auto& [key, value] : data)
    if (!value.is_null() || !value.source().empty()) result.append(key, value);
  return result;
}

/// The Hub refuses an index without name.
void check_name(const model_index& results) {
  if (results.name.empty())
    throw error(errc::invalid_card, "writing evaluation results: the name of the model is missing");
}

void save_text(const std::filesystem::path& file, std::string_view content) {
  if (const auto folder = file.parent_path(); !folder.empty()) io::create_directories(folder);
  io::write_file_atomically(file, content);
}

}  // namespace

model_card model_card::parse(std::string_view content, std::string_view origin,
                             named<card_options> options) {
  if (const auto offset = hub::find_invalid_utf8(content))
    throw error(errc::invalid_card, "reading " + std::string(origin) + ": not UTF-8 at offset " +
                                        std::to_string(*offset));
  model_card card;
  card.options_ = *options;
  card.line_break_ = header_break(hub::detect_line_break(content));
  const auto header = hub::find_front_matter(content);
  if (!header) {
    card.text_ = content;
    card.warnings_.push_back(std::string(origin) + " has no metadata: there is no header");
    return card;
  }
  card.had_header_ = true;
  card.data_ = read_header(*header, origin);
  if (header->block.size() <= largest_kept_header)
    card.header_ = std::make_shared<const std::string>(header->block);
  card.text_ = header->text;
  if (!options->ignore_metadata_errors) return card;
  try {
    if (const auto* index = card.data_.find(index_key); index != nullptr && !index->is_null())
      static_cast<void>(read_model_index(*index));
  } catch (const error& failure) {
    card.warnings_.push_back(std::string(origin) + ": its results are ignored: " + failure.what());
  }
  return card;
}

model_card model_card::from_template(card_map data, std::string_view template_text,
                                     template_variables variables, std::string_view template_name) {
  for (const auto& [key, value] : data)
    if (!value.is_null()) variables.emplace(key, value);
  if (!variables.contains("card_data")) variables.emplace("card_data", to_yaml(data));
  return parse(model::render_template(template_text, variables, template_name),
               "the rendered card template");
}

model_card model_card::load(const std::filesystem::path& file, named<card_options> options) {
  return parse(io::read_file(file, largest_card), file.string(), options);
}

void model_card::save(const std::filesystem::path& file) const { save_text(file, content()); }

std::vector<model_index> model_card::eval_results() const {
  const auto* value = data_.find(index_key);
  if (value == nullptr || value->is_null()) return {};
  try {
    return read_model_index(*value);
  } catch (const error&) {
    if (!options_.ignore_metadata_errors) throw;
    return {};
  }
}

void model_card::set_eval_results(const model_index& results) {
  check_name(results);
  data_[index_key] = write_model_index(results);
}

void model_card::set_eval_results(const std::vector<model_index>& results) {
  for (const auto& each : results) check_name(each);
  data_[index_key] = write_model_index(results);
}

std::string model_card::content() const {
  const auto data = exported(data_);
  if (data.empty() && !had_header_) return text_;
  if (!header_) return fenced(hub::write_yaml(data, line_break_), line_break_) + text_;
  return fenced(hub::write_yaml_over(*header_, data, line_break_, options_.keep_comments),
                line_break_) +
         text_;
}

std::string to_yaml(const card_map& metadata) {
  auto yaml = hub::write_yaml(exported(metadata));
  yaml.pop_back();
  return yaml;
}

std::string_view default_card_template(repo_type type) noexcept {
  return type == repo_type::dataset ? default_dataset_card_template()
                                    : default_model_card_template();
}

std::optional<card_map> metadata_load(const std::filesystem::path& file) {
  const auto content = hub::with_line_feeds(io::read_file(file, largest_card));
  auto card = model_card::parse(content, file.string());
  if (card.data().empty()) return {};
  return std::move(card.data());
}

void metadata_save(const std::filesystem::path& file, const card_map& data) {
  std::string content;
  std::error_code failure;
  if (std::filesystem::exists(file, failure)) content = io::read_file(file, largest_card);
  const auto header = hub::find_front_matter(content);
  const std::string text(header ? header->text : std::string_view(content));
  const auto line_break = hub::first_line_break(content);
  save_text(file, fenced(hub::write_yaml(data, line_break), line_break) + text);
}

}  // namespace cohub
