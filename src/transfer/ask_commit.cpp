#include "transfer/ask_commit.hpp"

#include "cohub/error.hpp"

#include "hub/repo_id.hpp"
#include "transfer/not_cached.hpp"
#include "transfer/tree_listing.hpp"

#include <utility>

namespace cohub::transfer {

awaitable<std::string> ask_commit(context_ptr shared, commit_question question, asking how) {
  const bool patiently = how == asking::patiently;
  repo_info_options options;
  options.type = question.type;
  options.revision = question.revision;
  options.expand.emplace_back("sha");  // not the whole list of files
  const auto limit = patiently ? patient(question.limit) : question.limit;
  auto info = co_await fetch_repo_info(shared, question.access, question.repo_id,
                                       std::move(options), limit, patiently);
  if (!hub::is_commit_id(info.sha))
    throw error(errc::not_a_hub,
                "asking for the commit of " + question.repo_id + " at " + question.revision);
  co_return std::move(info.sha);
}

}  // namespace cohub::transfer
