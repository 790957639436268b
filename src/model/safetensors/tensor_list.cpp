#include "cohub/tensor_list.hpp"

#include "cohub/error.hpp"

#include "core/ascii.hpp"

#include <algorithm>
#include <set>
#include <string_view>

namespace cohub {

namespace {

/// How many names of a kind an error tells.
constexpr std::size_t names_told = 5;

std::string describe(tensor_dtype dtype, std::span<const std::uint64_t> shape) {
  std::string text(to_string(dtype));
  text += '[';
  for (std::size_t i = 0; i < shape.size(); ++i) {
    if (i > 0) text += ", ";
    text += std::to_string(shape[i]);
  }
  return text + ']';
}

std::string enumerator_of(tensor_dtype dtype) {
  if (dtype == tensor_dtype::boolean) return "boolean";
  return core::lower(to_string(dtype));
}

std::string list_of(const char* what, const std::vector<std::string>& names) {
  if (names.empty()) return {};
  std::string text = std::string("; ") + what;
  for (std::size_t i = 0; i < std::min(names.size(), names_told); ++i)
    text += (i > 0 ? ", " : " ") + names[i];
  if (names.size() > names_told)
    text += " and " + std::to_string(names.size() - names_told) + " more";
  return text;
}

}  // namespace

void tensor_list::refuse_dtype(const tensor_source& told) {
  throw error(errc::invalid_argument, "listing the tensor \"" + told.name + "\" as " +
                                          std::string(to_string(told.dtype)) +
                                          ", whose elements the member's type cannot hold");
}

std::vector<tensor_source> tensor_list::sources() const {
  std::vector<tensor_source> sources;
  sources.reserve(members_.size());
  for (const auto& each : members_) sources.push_back(each.source);
  return sources;
}

void tensor_list::load(const safetensors_model& saved) const {
  std::vector<std::string> missing, unexpected, misfits;
  std::string remedy;
  std::vector<tensor_view> contents;
  std::set<std::string_view> known;
  for (const auto& each : members_) {
    const auto& wanted = each.source;
    if (each.is_const)
      throw error(errc::invalid_argument,
                  "loading the tensor \"" + wanted.name + "\" into a model that is const");
    const auto kept_as = saved.kept_name(wanted.name);
    known.insert(wanted.name);
    known.insert(kept_as);
    const auto found = saved.find(kept_as);
    if (!found) {
      missing.push_back(wanted.name);
    } else if (found->dtype() != wanted.dtype ||
               !std::ranges::equal(found->shape(), wanted.shape) ||
               found->bytes().size() != each.room.size()) {
      misfits.push_back(wanted.name + " (" + describe(found->dtype(), found->shape()) + " for " +
                        describe(wanted.dtype, wanted.shape) + ')');
      if (remedy.empty() && found->dtype() != wanted.dtype && each.could_hold(found->dtype()))
        remedy = "; to keep such bits in a member, tell their dtype: add(\"" + wanted.name +
                 "\", tensor_dtype::" + enumerator_of(found->dtype()) + ", shape, values)";
    } else {
      contents.push_back(*found);
    }
  }
  for (std::size_t i = 0; i < saved.size(); ++i)
    if (!known.contains(saved[i].name())) unexpected.push_back(saved[i].name());
  if (!missing.empty() || !unexpected.empty() || !misfits.empty())
    throw error(errc::incompatible_weights, "loading " + saved.path().string() +
                                                list_of("missing:", missing) +
                                                list_of("unexpected:", unexpected) +
                                                list_of("of another kind:", misfits) + remedy);
  for (std::size_t i = 0; i < members_.size(); ++i) contents[i].copy_to(members_[i].room);
}

}  // namespace cohub
