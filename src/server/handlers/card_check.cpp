#include "server/handlers/card_check.hpp"

#include "cohub/card_value.hpp"
#include "cohub/error.hpp"

#include "hub/front_matter.hpp"
#include "hub/yaml.hpp"

#include <algorithm>
#include <array>
#include <string_view>

namespace cohub::server {

namespace {

constexpr std::array<std::string_view, 8> colors{"red",    "yellow", "green", "blue",
                                                 "indigo", "purple", "pink",  "gray"};
constexpr std::array<std::string_view, 4> sdks{"gradio", "streamlit", "docker", "static"};

/// Licenses that the Hub knows by these names; "other" asks for a name of its own.
constexpr std::array<std::string_view, 83> licenses{"apache-2.0",
                                                    "mit",
                                                    "openrail",
                                                    "openrail++",
                                                    "bigscience-openrail-m",
                                                    "creativeml-openrail-m",
                                                    "bigscience-bloom-rail-1.0",
                                                    "bigcode-openrail-m",
                                                    "afl-3.0",
                                                    "artistic-2.0",
                                                    "bsl-1.0",
                                                    "bsd",
                                                    "bsd-2-clause",
                                                    "bsd-3-clause",
                                                    "bsd-3-clause-clear",
                                                    "c-uda",
                                                    "cc",
                                                    "cc0-1.0",
                                                    "cc-by-2.0",
                                                    "cc-by-2.5",
                                                    "cc-by-3.0",
                                                    "cc-by-4.0",
                                                    "cc-by-sa-3.0",
                                                    "cc-by-sa-4.0",
                                                    "cc-by-nc-2.0",
                                                    "cc-by-nc-3.0",
                                                    "cc-by-nc-4.0",
                                                    "cc-by-nd-4.0",
                                                    "cc-by-nc-nd-3.0",
                                                    "cc-by-nc-nd-4.0",
                                                    "cc-by-nc-sa-2.0",
                                                    "cc-by-nc-sa-3.0",
                                                    "cc-by-nc-sa-4.0",
                                                    "cdla-sharing-1.0",
                                                    "cdla-permissive-1.0",
                                                    "cdla-permissive-2.0",
                                                    "wtfpl",
                                                    "ecl-2.0",
                                                    "epl-1.0",
                                                    "epl-2.0",
                                                    "etalab-2.0",
                                                    "eupl-1.1",
                                                    "eupl-1.2",
                                                    "agpl-3.0",
                                                    "gfdl",
                                                    "gpl",
                                                    "gpl-2.0",
                                                    "gpl-3.0",
                                                    "lgpl",
                                                    "lgpl-2.1",
                                                    "lgpl-3.0",
                                                    "lgpl-lr",
                                                    "isc",
                                                    "h-research",
                                                    "intel-research",
                                                    "lppl-1.3c",
                                                    "ms-pl",
                                                    "mpl-2.0",
                                                    "odc-by",
                                                    "odbl",
                                                    "open-mdw",
                                                    "osl-3.0",
                                                    "postgresql",
                                                    "ofl-1.1",
                                                    "ncsa",
                                                    "unlicense",
                                                    "zlib",
                                                    "pddl",
                                                    "deepfloyd-if-license",
                                                    "fair-noncommercial-research-license",
                                                    "apple-ascl",
                                                    "apple-amlr",
                                                    "gemma",
                                                    "grok2-community",
                                                    "llama2",
                                                    "llama3",
                                                    "llama3.1",
                                                    "llama3.2",
                                                    "llama3.3",
                                                    "llama4",
                                                    "tii-falcon-llm",
                                                    "unknown",
                                                    "other"};

template <std::size_t Count>
bool is_one_of(const std::array<std::string_view, Count>& words, std::string_view word) {
  return std::find(words.begin(), words.end(), word) != words.end();
}

/// Where several words may stand, one may stand alone.
bool is_words(const card_value& value) {
  if (value.is_text()) return true;
  return value.is_list() && std::all_of(value.as_list().begin(), value.as_list().end(),
                                        [](const card_value& item) { return item.is_text(); });
}

/// Collects what is wrong with one map.
class checker {
 public:
  checker(const card_map& card, card_problems& problems) : card_(card), problems_(problems) {}

  void text(std::string_view key) { expect(key, "a string", &card_value::is_text); }
  void words(std::string_view key) {
    const auto* value = card_.find(key);
    if (value != nullptr && !is_words(*value)) fail(key, "must be a string or an array of strings");
  }
  template <std::size_t Count>
  void one_of(std::string_view key, const std::array<std::string_view, Count>& words) {
    const auto* value = card_.find(key);
    if (value == nullptr) return;
    const bool known = value->is_text() && is_one_of(words, value->as_text());
    if (!known) fail_choice(key, words);
  }
  void license() {
    const auto* value = card_.find("license");
    if (value == nullptr) return;
    card_list each;
    if (value->is_list())
      each = value->as_list();
    else
      each.push_back(*value);
    for (const auto& one : each)
      if (!one.is_text() || !is_one_of(licenses, one.as_text())) {
        fail_choice("license", licenses);
        return;
      }
  }
  void model_index() {
    const auto* value = card_.find("model-index");
    if (value == nullptr) return;
    if (!value->is_list()) return fail("model-index", "must be an array");
    for (std::size_t i = 0; i < value->as_list().size(); ++i)
      model(value->as_list()[i], "model-index[" + std::to_string(i) + "]");
  }

 private:
  void fail(std::string_view key, const std::string& what) {
    problems_.errors.push_back('"' + std::string(key) + "\" " + what);
  }
  template <std::size_t Count>
  void fail_choice(std::string_view key, const std::array<std::string_view, Count>& words) {
    std::string list;
    for (const auto word : words) list += (list.empty() ? "" : ", ") + std::string(word);
    fail(key, "must be one of [" + list + "]");
  }
  void expect(std::string_view key, const char* what, bool (card_value::*is)() const noexcept) {
    const auto* value = card_.find(key);
    if (value != nullptr && !(value->*is)()) fail(key, std::string("must be ") + what);
  }
  void model(const card_value& value, const std::string& where) {
    if (!value.is_map()) return fail(where, "must be of type object");
    const auto& map = value.as_map();
    if (map.text_or("name").empty()) fail(where + ".name", "is required");
    const auto* results = map.find("results");
    if (results == nullptr || !results->is_list()) return fail(where + ".results", "is required");
    for (std::size_t i = 0; i < results->as_list().size(); ++i)
      result(results->as_list()[i], where + ".results[" + std::to_string(i) + "]");
  }
  void result(const card_value& value, const std::string& where) {
    if (!value.is_map()) return fail(where, "must be of type object");
    for (const char* part : {"task", "dataset"}) {
      const auto* member = value.as_map().find(part);
      const bool typed =
          member != nullptr && member->is_map() && !member->as_map().text_or("type").empty();
      if (!typed) fail(where + '.' + part + ".type", "is required");
    }
    const auto* metrics = value.as_map().find("metrics");
    if (metrics == nullptr || !metrics->is_list() || metrics->as_list().empty())
      fail(where + ".metrics", "is required");
  }

  const card_map& card_;
  card_problems& problems_;
};

}  // namespace

card_problems check_card(const std::string& content, const std::string& repo_type) {
  card_problems problems;
  const auto header = hub::find_front_matter(content);
  if (!header) {
    problems.warnings.emplace_back("empty or missing yaml metadata in repo card");
    return problems;
  }
  card_value value;
  try {
    value = hub::read_yaml(header->block, "README.md", header->first_line);
  } catch (const error& failure) {
    problems.errors.emplace_back(failure.what());
    return problems;
  }
  if (value.is_null()) {
    problems.warnings.emplace_back("empty or missing yaml metadata in repo card");
    return problems;
  }
  if (!value.is_map()) {
    problems.errors.emplace_back("\"value\" must be of type object");
    return problems;
  }
  checker check(value.as_map(), problems);
  check.license();
  check.text("license_name");
  check.words("tags");
  if (repo_type == "model") {
    check.words("language");
    check.text("library_name");
    check.text("pipeline_tag");
    check.words("base_model");
    check.words("datasets");
    check.words("metrics");
    check.model_index();
  } else if (repo_type == "dataset") {
    check.words("language");
    check.words("task_categories");
    check.words("size_categories");
    check.text("pretty_name");
  } else {
    check.text("title");
    check.one_of("colorFrom", colors);
    check.one_of("colorTo", colors);
    check.one_of("sdk", sdks);
  }
  return problems;
}

}  // namespace cohub::server
