#pragma once

#include <CLI/CLI.hpp>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include <string>
#include <vector>

namespace cohub::tool {

/// How a command that reports something writes it, as the `hf` command does.
class output {
 public:
  enum class format {
    human,  ///< tables and sentences
    agent,  ///< tab-separated, nothing cut off
    json,   ///< one value
    quiet   ///< names alone, one a line
  };

  /// Adds --format, --json and --quiet, and --no-truncate, which is how it always is.
  void add_flags(CLI::App& command);

  format mode() const noexcept { return mode_; }

  /// A sentence, for people.
  void text(const std::string& line) const;

  struct column {
    std::string name{};  ///< member of the items
    bool right = false;  ///< aligned
  };
  /// Items that are objects; a JSON value has all members, a table the columns.
  void table(const boost::json::array& items, const std::vector<column>& columns,
             const std::string& name_column) const;

  /// What was done: a sentence for people, and for programs what belongs to it, the most
  /// important fact first. Nulls are told as JSON alone.
  void result(const std::string& sentence, const boost::json::object& facts) const;

  /// All about one thing, as JSON; indented for people. Quiet: its member `name`.
  void object(const boost::json::object& value, const std::string& name) const;

  /// A text of many lines, untouched unless it is a terminal that shows it. JSON: under `name`.
  void document(const std::string& text, const std::string& name) const;

  /// Asks, unless `yes`; without a yes, what was asked about must not happen.
  bool confirmed(const std::string& question, bool yes) const;

 private:
  format mode_ = format::human;
};

boost::json::array to_json(const std::vector<std::string>& texts);

/// A line on standard error that is no failure.
void print_warning(const std::string& text);

}  // namespace cohub::tool
