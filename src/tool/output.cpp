#include "output.hpp"

#include "cohub/model_config.hpp"

#include "run_operation.hpp"
#include "text.hpp"

#include <boost/json/serialize.hpp>

#include <unistd.h>

#include <algorithm>
#include <iostream>
#include <map>

namespace cohub::tool {

namespace {

std::string cell(const boost::json::object& item, const std::string& column) {
  const auto* const value = item.if_contains(column);
  if (value == nullptr || value->is_null()) return {};
  if (value->is_string()) return printable(std::string(value->get_string()));
  if (!value->is_array()) return printable(boost::json::serialize(*value));
  std::string joined;
  for (const auto& part : value->get_array()) {
    if (!joined.empty()) joined += ", ";
    joined += part.is_string() ? std::string(part.get_string()) : boost::json::serialize(part);
  }
  return printable(joined);
}

/// Characters that UTF-8 text takes on a terminal, wide ones apart.
std::size_t width(const std::string& text) {
  return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), [](char c) {
    return (static_cast<unsigned char>(c) & 0xc0) != 0x80;
  }));
}

/// LAST_MODIFIED for "lastModified" and "last_modified".
std::string heading(const std::string& name) {
  std::string text;
  for (const char c : name) {
    const bool is_lower = c >= 'a' && c <= 'z';
    if (c >= 'A' && c <= 'Z' && !text.empty() && text.back() != '_') text += '_';
    text += is_lower ? static_cast<char>(c - 'a' + 'A') : c;
  }
  return text;
}

/// A path may have any bytes; JSON is UTF-8.
void print_json(const boost::json::value& value) {
  std::cout << json_controls_escaped(as_utf8(boost::json::serialize(value))) << std::endl;
}

void print_padded(const std::vector<std::string>& cells, const std::vector<std::size_t>& widths,
                  const std::vector<output::column>& columns) {
  std::string line;
  for (std::size_t i = 0; i < cells.size(); ++i) {
    const std::string blanks(widths[i] - std::min(widths[i], width(cells[i])), ' ');
    if (i > 0) line += ' ';
    line += columns[i].right ? blanks + cells[i] : cells[i] + blanks;
  }
  line.erase(line.find_last_not_of(' ') + 1);
  std::cout << line << '\n';
}

}  // namespace

void output::add_flags(CLI::App& command) {
  const std::map<std::string, format> words{{"auto", format::human},  {"human", format::human},
                                            {"table", format::human}, {"agent", format::agent},
                                            {"json", format::json},   {"quiet", format::quiet}};
  command
      .add_option_function<std::string>(
          "--format", [this, words](const std::string& word) { mode_ = words.at(word); },
          "How to write it: human (or table), agent, json, quiet")
      ->check([words](const std::string& word) {
        return words.contains(word) ? std::string()
                                    : "\"" + word + "\" is not human, table, agent, json or quiet";
      })
      ->option_text("FORMAT [human]");
  command.add_flag_function(
      "--json", [this](std::int64_t) { mode_ = format::json; }, "The same as --format json");
  command.add_flag_function(
      "-q,--quiet", [this](std::int64_t) { mode_ = format::quiet; }, "The same as --format quiet");
  command.add_flag_function(
      "--no-truncate", [](std::int64_t) {}, "Accepted for scripts: nothing is ever cut off");
}

void output::text(const std::string& line) const {
  if (mode_ == format::human || mode_ == format::agent)
    std::cout << printable(line, line_breaks::keep) << std::endl;
}

void output::table(const boost::json::array& items, const std::vector<column>& columns,
                   const std::string& name_column) const {
  if (mode_ == format::json) {
    print_json(items);
    return;
  }
  if (mode_ == format::quiet) {
    for (const auto& item : items) std::cout << cell(item.as_object(), name_column) << '\n';
    std::cout << std::flush;
    return;
  }
  if (items.empty()) {
    std::cout << "No results found." << std::endl;
    return;
  }
  std::vector<std::vector<std::string>> rows(1);
  for (const auto& one : columns)
    rows[0].push_back(mode_ == format::human ? heading(one.name) : one.name);
  for (const auto& item : items) {
    rows.emplace_back();
    for (const auto& one : columns) rows.back().push_back(cell(item.as_object(), one.name));
  }
  if (mode_ == format::agent) {
    for (const auto& row : rows)
      for (std::size_t i = 0; i < row.size(); ++i)
        std::cout << row[i] << (i + 1 < row.size() ? '\t' : '\n');
    std::cout << std::flush;
    return;
  }
  std::vector<std::size_t> widths(columns.size());
  for (const auto& row : rows)
    for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], width(row[i]));
  std::vector<std::string> rule;
  for (const auto one : widths) rule.emplace_back(one, '-');
  rows.insert(rows.begin() + 1, std::move(rule));
  for (const auto& row : rows) print_padded(row, widths, columns);
  std::cout << std::flush;
}

void output::result(const std::string& sentence, const boost::json::object& facts) const {
  switch (mode_) {
    case format::human:
      std::cout << printable(sentence, line_breaks::keep) << '\n';
      break;
    case format::agent: {
      std::string line;
      for (const auto& fact : facts) {
        if (fact.value().is_null()) continue;
        const std::string name(fact.key());
        line += (line.empty() ? "" : " ") + name + '=' + cell(facts, name);
      }
      std::cout << (line.empty() ? printable(sentence) : line) << '\n';
      break;
    }
    case format::json:
      print_json(facts);
      break;
    case format::quiet:
      if (!facts.empty()) std::cout << cell(facts, std::string(facts.begin()->key())) << '\n';
      break;
  }
  std::cout << std::flush;
}

void output::object(const boost::json::object& value, const std::string& name) const {
  if (mode_ == format::human)
    std::cout << config_text(value) << std::endl;
  else if (mode_ == format::quiet)
    std::cout << cell(value, name) << std::endl;
  else
    print_json(value);
}

void output::document(const std::string& text, const std::string& name) const {
  if (mode_ == format::json) {
    boost::json::object whole;
    whole[name] = text;
    print_json(whole);
    return;
  }
  const bool shown = ::isatty(STDOUT_FILENO) != 0;
  std::cout << (shown ? printable(text, line_breaks::keep) : text) << std::flush;
}

bool output::confirmed(const std::string& question, bool yes) const {
  if (yes) return true;
  const bool typed = ::isatty(STDIN_FILENO) != 0;
  // What a pipe answers is taken, too ("yes | cohub ..."); nobody types what nobody sees.
  if (mode_ != format::human || (typed && ::isatty(STDERR_FILENO) == 0)) {
    print_error(question + " Say --yes to go on");
    return false;
  }
  // Where a pipe stays silent it is seen what is waited for.
  std::cerr << printable(question) << " [y/N] " << std::flush;
  std::string answer;
  std::getline(std::cin, answer);
  if (!typed) std::cerr << std::endl;
  if (answer == "y" || answer == "Y" || answer == "yes") return true;
  print_error("nothing was changed (--yes goes on without asking)");
  return false;
}

boost::json::array to_json(const std::vector<std::string>& texts) {
  boost::json::array array;
  for (const auto& text : texts) array.emplace_back(text);
  return array;
}

void print_warning(const std::string& text) {
  std::cerr << "cohub: warning: " << printable(text) << std::endl;
}

}  // namespace cohub::tool
