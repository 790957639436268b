#include "server/handlers/discussions.hpp"

#include "io/file.hpp"
#include "server/git/git_repository.hpp"
#include "server/store/repo_store.hpp"

#include <algorithm>
#include <utility>

namespace cohub::server {

namespace {

bool begins_character(char byte) { return (static_cast<unsigned char>(byte) & 0xc0) != 0x80; }

}  // namespace

std::size_t count_characters(std::string_view text) {
  return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), begins_character));
}

std::string shortened(std::string_view text, std::size_t most) {
  std::size_t end = 0;
  for (std::size_t count = 0; end < text.size(); ++end)
    if (begins_character(text[end]) && count++ == most) break;
  return std::string(text.substr(0, end));
}

discussion new_discussion(const discussion_store& others, const git_repository& repository,
                          std::string title, std::string author) {
  discussion opened;
  opened.number = others.last_number() + 1;
  // A ref without a record is what a crash between the two leaves.
  while (repository.ref_target("refs/pr/" + std::to_string(opened.number))) ++opened.number;
  opened.title = std::move(title);
  opened.author = std::move(author);
  opened.created_at = timestamp_now();
  return opened;
}

discussion_event new_event(std::string type, std::string author, std::string text,
                           std::string subject) {
  discussion_event event;
  event.id = io::random_suffix() + io::random_suffix() + io::random_suffix();
  event.type = std::move(type);
  event.author = std::move(author);
  event.created_at = timestamp_now();
  event.text = std::move(text);
  event.subject = std::move(subject);
  return event;
}

}  // namespace cohub::server
