#include "cohub/model_card.hpp"

#include "cohub/error.hpp"

#include "hub/front_matter.hpp"
#include "hub/utf8.hpp"
#include "hub/yaml.hpp"
#include "io/file.hpp"
#include "model/card_template.hpp"

#include <system_error>

namespace cohub {

namespace {

constexpr std::uint64_t largest_card = 64u << 20;  // bytes

card_map read_header(const hub::front_matter& header, std::string_view origin) {
  auto value = hub::read_yaml(header.block, origin, header.first_line);
  if (value.is_null()) return {};
  if (!value.is_map())
    throw error(errc::invalid_card, "reading " + std::string(origin) + ", line " +
                                        std::to_string(header.first_line) +
                                        ": the header must be a map");
  return std::move(value.as_map());
}

std::string make_header(const card_map& data, std::string_view line_break) {
  std::string out = "---" + std::string(line_break);
  out += hub::write_yaml(data, line_break);
  return out += "---" + std::string(line_break);
}

void save_text(const std::filesystem::path& file, std::string_view content) {
  if (const auto folder = file.parent_path(); !folder.empty()) io::create_directories(folder);
  io::write_file_atomically(file, content);
}

}  // namespace

model_card model_card::parse(std::string_view content, std::string_view origin) {
  if (const auto offset = hub::find_invalid_utf8(content))
    throw error(errc::invalid_card, "reading " + std::string(origin) + ": not UTF-8 at offset " +
                                        std::to_string(*offset));
  model_card card;
  card.line_break_ = hub::detect_line_break(content);
  const auto header = hub::find_front_matter(content);
  if (!header) {
    card.text_ = content;
    return card;
  }
  card.had_header_ = true;
  card.data_ = read_header(*header, origin);
  card.text_ = header->text;
  return card;
}

model_card model_card::from_template(card_map data, std::string_view template_text,
                                     template_variables variables) {
  for (const auto& [key, value] : data) variables.emplace(key, value);
  if (!variables.contains("card_data")) {
    std::string yaml = hub::write_yaml(data);
    yaml.pop_back();
    variables.emplace("card_data", std::move(yaml));
  }
  return parse(model::render_template(template_text, variables), "the rendered card template");
}

model_card model_card::load(const std::filesystem::path& file) {
  return parse(io::read_file(file, largest_card), file.string());
}

void model_card::save(const std::filesystem::path& file) const { save_text(file, content()); }

std::optional<model_index> model_card::eval_results() const {
  const auto* value = data_.find("model-index");
  if (value == nullptr || value->is_null()) return {};
  return read_model_index(*value);
}

void model_card::set_eval_results(const model_index& results) {
  data_["model-index"] = write_model_index(results);
}

std::string model_card::content() const {
  if (data_.empty() && !had_header_) return text_;
  return make_header(data_, line_break_) + text_;
}

std::optional<card_map> metadata_load(const std::filesystem::path& file) {
  auto card = model_card::load(file);
  if (card.data().empty()) return {};
  return std::move(card.data());
}

void metadata_save(const std::filesystem::path& file, const card_map& data) {
  std::string content;
  std::error_code failure;
  if (std::filesystem::exists(file, failure)) content = io::read_file(file, largest_card);
  const auto header = hub::find_front_matter(content);
  const std::string text(header ? header->text : std::string_view(content));
  save_text(file, make_header(data, hub::detect_line_break(content)) + text);
}

}  // namespace cohub
