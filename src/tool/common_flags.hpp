#pragma once

#include "cohub/client_config.hpp"
#include "cohub/repository.hpp"

#include <CLI/CLI.hpp>

#include <charconv>
#include <limits>
#include <optional>
#include <string>
#include <system_error>
#include <type_traits>
#include <vector>

namespace cohub::tool {

inline std::optional<repo_type> parse_type(const std::string& word) {
  if (word == "model") return repo_type::model;
  if (word == "dataset") return repo_type::dataset;
  if (word == "space") return repo_type::space;
  if (word == "kernel") return repo_type::kernel;
  return {};
}

inline std::string type_word(repo_type type) {
  switch (type) {
    case repo_type::dataset:
      return "dataset";
    case repo_type::space:
      return "space";
    case repo_type::kernel:
      return "kernel";
    case repo_type::model:
      break;
  }
  return "model";
}

inline CLI::Option* add_type_flag(CLI::App& command, repo_type& type) {
  return command
      .add_option_function<std::string>(
          "--repo-type,--type", [&type](const std::string& word) { type = *parse_type(word); },
          "Kind of repository: model, dataset, space or kernel")
      ->check([](const std::string& word) {
        return parse_type(word) ? std::string()
                                : "\"" + word + "\" is not model, dataset, space or kernel";
      })
      ->option_text("TYPE [model]");
}

inline void add_token_flag(CLI::App& command, std::optional<std::string>& token) {
  command
      .add_option("--token", token,
                  "Access token; HF_TOKEN is better, since other users of the machine can see "
                  "a command's arguments")
      ->option_text("TOKEN");
}

/// A number that digits alone say; nothing if there is anything else, or it is not from `least` to
/// `most`.
template <class Number>
std::optional<Number> parse_count(const std::string& text, Number least, Number most) {
  Number number{};
  const auto* const end = text.data() + text.size();
  const auto [stopped, problem] = std::from_chars(text.data(), end, number);
  if (problem != std::errc() || stopped != end || number < least || number > most) return {};
  return number;
}

/// Adds a flag or a word that is a whole number. The parser's own way takes "-1" for the largest of
/// all.
template <class Number>
CLI::Option* add_count(CLI::App& command, const std::string& names, Number& value,
                       const std::string& what, std::type_identity_t<Number> least = 0,
                       std::type_identity_t<Number> most = std::numeric_limits<Number>::max()) {
  static_assert(std::is_unsigned_v<Number>);
  const auto parse = [least, most](const std::string& text) {
    return parse_count(text, least, most);
  };
  return command
      .add_option_function<std::string>(
          names, [&value, parse](const std::string& text) { value = *parse(text); }, what)
      ->check([parse, least, most](const std::string& text) {
        if (parse(text)) return std::string();
        return '"' + text + "\" is no whole number from " + std::to_string(least) + " to " +
               std::to_string(most);
      });
}

/// Adds a flag that may be repeated and takes one value each time, so that words which follow it
/// are what they are without it.
inline CLI::Option* add_repeated_flag(CLI::App& command, const std::string& names,
                                      std::vector<std::string>& values, const std::string& what,
                                      const std::string& value_name) {
  return command.add_option(names, values, what + "; may be repeated")
      ->allow_extra_args(false)
      ->option_text(value_name);
}

}  // namespace cohub::tool
