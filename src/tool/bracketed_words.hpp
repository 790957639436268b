#pragma once

#include <CLI/CLI.hpp>

#include <string>
#include <vector>

/// Where several words are wanted, the parser takes "[a,b]" for two of them and "[*]" for "*": for
/// a pattern it is the contrary of what was meant. So such words bear a mark while they are parsed.
namespace cohub::tool {

/// The words of the command line as `CLI::App::parse` takes them, the last first.
std::vector<std::string> words_to_parse(int argc, char** argv);

/// What the parser says of a word that it does not know.
std::string without_marks(std::string text);

/// Lets all options of the parser and its commands find the words as they were.
void take_marks_off(CLI::App& app);

}  // namespace cohub::tool
