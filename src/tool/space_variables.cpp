#include "space_variables.hpp"

#include "cohub/auth.hpp"

#include "output.hpp"
#include "text_file.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdlib>
#include <optional>
#include <stdexcept>
#include <string_view>
#include <utility>

namespace cohub::tool {

namespace {

constexpr std::string_view blanks = " \t\r\v\f";

std::string_view trimmed(std::string_view text) {
  text.remove_prefix(std::min(text.find_first_not_of(blanks), text.size()));
  return text.substr(0, text.find_last_not_of(blanks) + 1);
}

bool is_name(std::string_view text) {
  const auto is_letter = [](char c) {
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '_';
  };
  return !text.empty() && is_letter(text.front()) &&
         std::all_of(text.begin(), text.end(),
                     [&](char c) { return is_letter(c) || (c >= '0' && c <= '9'); });
}

/// What a backslash and this character stand for between such quotes; nothing: for themselves.
std::optional<char> unescaped(char c, char quote) {
  if (c == 'n') return '\n';
  if (c == 't') return '\t';
  if (c == '"' || c == '\\' || (c == '$' && quote == '"')) return c;
  return {};
}

struct quoted_text {
  std::string text{};
  std::string_view rest{};  ///< what follows the last quote
};

/// Nothing if the text does not begin with a quote, or no other one ends it.
std::optional<quoted_text> read_quoted(std::string_view text) {
  if (text.empty() || (text.front() != '"' && text.front() != '\'')) return {};
  const char quote = text.front();
  quoted_text read;
  for (std::size_t i = 1; i < text.size(); ++i) {
    if (text[i] == quote) {
      read.rest = text.substr(i + 1);
      return read;
    }
    if (text[i] != '\\' || i + 1 == text.size()) {
      read.text += text[i];
      continue;
    }
    ++i;
    const auto meant = unescaped(text[i], quote);
    read.text += meant ? std::string{*meant} : std::string{'\\', text[i]};
  }
  return {};
}

/// A value of a file, maybe with a comment after it.
std::string file_value(std::string_view text) {
  text = trimmed(text);
  if (auto quoted = read_quoted(text)) {
    const auto rest = trimmed(quoted->rest);
    if (rest.empty() || rest.front() == '#') return std::move(quoted->text);
  }
  return std::string(trimmed(text.substr(0, text.find('#'))));
}

/// A value of the command line.
std::string word_value(std::string_view text) {
  auto quoted = read_quoted(text);
  if (quoted && quoted->rest.empty()) return std::move(quoted->text);
  return std::string(text);
}

/// The value that a name has here. The token in use counts as HF_TOKEN, wherever it is kept.
std::optional<std::string> value_here(const std::string& name) {
  if (name == "HF_TOKEN")
    if (auto token = get_token()) return token;
  if (const char* const value = std::getenv(name.c_str())) return value;
  return {};
}

/// Variables in the order in which their names come first.
class variable_list {
 public:
  /// @param text   "NAME=value" or "NAME"
  /// @param where  it comes from; the text itself may be a secret, and is told nowhere
  void add(std::string_view text, std::string (*read_value)(std::string_view),
           const std::string& where) {
    const auto equals = std::min(text.find('='), text.size());
    const std::string name(trimmed(text.substr(0, equals)));
    if (!is_name(name)) throw std::runtime_error(where + " does not begin with a variable's name");
    std::optional<std::string> value;
    if (equals < text.size())
      value = read_value(text.substr(equals + 1));
    else
      value = value_here(name);
    if (value)
      set(name, std::move(*value));
    else
      print_warning(where + " names a variable without a value here: it is left out");
  }

  std::vector<space_variable> take() && { return std::move(variables_); }

 private:
  void set(const std::string& name, std::string value) {
    auto found = std::find_if(variables_.begin(), variables_.end(),
                              [&](const space_variable& one) { return one.key == name; });
    if (found == variables_.end()) found = variables_.insert(found, {name, {}, {}});
    found->value = std::move(value);
  }

  std::vector<space_variable> variables_;
};

/// Without what a shell that reads the file needs, and without a comment where no value is.
std::string_view without_export(std::string_view line) {
  constexpr std::string_view word = "export";
  if (line.starts_with(word) && line.find_first_of(blanks) == word.size())
    line = trimmed(line.substr(word.size()));
  return line.find('=') == line.npos ? trimmed(line.substr(0, line.find('#'))) : line;
}

void add_file(variable_list& list, const std::string& path) {
  const auto text = read_text_file(path);
  std::size_t number = 0;
  for (std::size_t begin = 0; begin < text.size();) {
    const auto end = std::min(text.find('\n', begin), text.size());
    const auto line = trimmed(std::string_view(text).substr(begin, end - begin));
    begin = end + 1;
    ++number;
    if (line.empty() || line.front() == '#') continue;
    list.add(without_export(line), file_value, "line " + std::to_string(number) + " of " + path);
  }
}

}  // namespace

std::vector<space_variable> read_space_variables(const std::vector<std::string>& words,
                                                 const std::string& path) {
  variable_list list;
  if (!path.empty()) add_file(list, path);
  for (const auto& word : words) list.add(word, word_value, "what is given for a space");
  return std::move(list).take();
}

}  // namespace cohub::tool
