#include "server/discussions.hpp"

#include "io/file.hpp"
#include "server/git_repository.hpp"

#include <algorithm>
#include <utility>

namespace cohub::server {

discussion new_discussion(const repo_record& record, const git_repository& repository,
                          std::string title, std::string author) {
  discussion opened;
  opened.number = 1;
  for (const auto& each : record.discussions)
    opened.number = std::max(opened.number, each.number + 1);
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
