#pragma once

#include "cohub/discussion.hpp"
#include "cohub/listing.hpp"

#include "transfer/context.hpp"

#include <cstdint>
#include <string>

/// Operations of `client` on discussions and pull requests; see there.
namespace cohub::repository {

listing<discussion> list_discussions(transfer::context_ptr shared, std::string repo_id,
                                     get_repo_discussions_options options);
awaitable<discussion_with_details> get_discussion(transfer::context_ptr shared, std::string repo_id,
                                                  std::uint64_t num, discussion_options options);
awaitable<discussion_with_details> create_discussion(transfer::context_ptr shared,
                                                     std::string repo_id, std::string title,
                                                     create_discussion_options options);

/// A change of one discussion: what it is, as the last part of its address, and its body; the event
/// in the answer.
struct discussion_change {
  std::string resource{};  ///< "comment", "comment/ID/edit", "title", "status", "merge"
  std::string key{};       ///< of the event in the answer
  std::string body{};
  repo_type type = repo_type::model;
  std::optional<std::string> token{};
};
awaitable<discussion_event> change_discussion(transfer::context_ptr shared, std::string repo_id,
                                              std::uint64_t num, discussion_change change);

discussion_change comment_on(std::string comment, discussion_options options);
discussion_change edit_comment(const std::string& id, std::string content,
                               discussion_options options);
discussion_change hide_comment(const std::string& id, discussion_options options);
discussion_change rename(std::string title, discussion_options options);
discussion_change change_status(std::string status, change_discussion_status_options options);
discussion_change merge(merge_pull_request_options options);

}  // namespace cohub::repository
