#include "bracketed_words.hpp"

namespace cohub::tool {

namespace {

constexpr char mark = '\0';  // no argument of a program has one

std::string marked(std::string word) {
  if (word.starts_with('[') && word.ends_with(']')) word += mark;
  return word;
}

}  // namespace

std::vector<std::string> words_to_parse(int argc, char** argv) {
  std::vector<std::string> words;
  for (int i = argc - 1; i > 0; --i) words.push_back(marked(argv[i]));
  return words;
}

std::string without_marks(std::string text) {
  std::erase(text, mark);
  return text;
}

void take_marks_off(CLI::App& app) {
  for (auto* const option : app.get_options()) option->transform(without_marks);
  for (auto* const command : app.get_subcommands({})) take_marks_off(*command);
}

}  // namespace cohub::tool
