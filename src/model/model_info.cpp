#include "cohub/model_info.hpp"

#include "cohub/error.hpp"
#include "cohub/model_card.hpp"

#include <algorithm>
#include <array>

namespace cohub {

namespace {

// The members of a model's card, in their order (mixin-and-cards, section 4.3); tags come last.
constexpr std::array<std::string_view, 10> known_members{
    "base_model",   "datasets",     "language", "library_name", "license",
    "license_name", "license_link", "metrics",  "model_name",   "pipeline_tag"};

}  // namespace

model_info& model_info::set(std::string key, card_value value) {
  if (key == "tags" && value.is_text()) {
    tags_.insert(value.as_text());
    return *this;
  }
  if (key == "tags" && value.is_list()) {
    for (const auto& tag : std::as_const(value).as_list()) tags_.insert(tag.as_text());
    return *this;
  }
  if (key == "tags")
    throw error(errc::invalid_card, "setting the tags of a model: neither a text nor a list");
  members_[key] = std::move(value);
  return *this;
}

std::string_view model_info::model_card_template() const noexcept {
  if (model_card_template_.empty()) return default_mixin_card_template();
  return model_card_template_;
}

card_map model_info::metadata() const {
  card_map metadata;
  for (const auto key : known_members)
    if (const auto* value = members_.find(key)) metadata[key] = *value;
  if (!tags_.empty()) metadata["tags"] = card_list(tags_.begin(), tags_.end());
  for (const auto& [key, value] : members_)
    if (std::find(known_members.begin(), known_members.end(), key) == known_members.end())
      metadata[key] = value;
  return metadata;
}

}  // namespace cohub
