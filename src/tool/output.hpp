#pragma once

#include <CLI/CLI.hpp>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include <cstddef>
#include <string>
#include <utility>
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

  /// Adds --format, --json and --quiet.
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

  /// What was done: a sentence and what belongs to it.
  void result(const std::string& sentence, const boost::json::object& facts) const;

  /// Asks, unless `yes`; who is no person at a table must say --yes.
  bool confirmed(const std::string& question, bool yes) const;

 private:
  format mode_ = format::human;
};

/// A line on standard error that is no failure.
void print_warning(const std::string& text);

}  // namespace cohub::tool
