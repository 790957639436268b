#include "transfer/paths_info.hpp"

#include "cohub/error.hpp"

#include "hub/repo_replies.hpp"
#include "hub/routes.hpp"
#include "transfer/api_call.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include <algorithm>
#include <iterator>
#include <utility>

namespace cohub::transfer {

awaitable<std::vector<tree_entry>> get_paths_info(context_ptr shared, std::string repo_id,
                                                  std::vector<std::string> paths,
                                                  get_paths_info_options options) {
  require_repo_id(repo_id);
  constexpr std::size_t most_paths = 1000;  // of one request
  const std::string doing = "asking for paths of " + repo_id;
  std::vector<tree_entry> entries;
  for (std::size_t begin = 0; begin < paths.size(); begin += most_paths) {
    boost::json::array asked;
    const auto end = std::min(begin + most_paths, paths.size());
    for (auto i = begin; i < end; ++i) asked.emplace_back(paths[i]);
    boost::json::object body;
    body["paths"] = std::move(asked);
    body["expand"] = options.expand;
    const auto url =
        hub::routes::paths_info(shared->endpoint, options.type, repo_id, options.revision);
    auto what = hub_request(*shared, http::method::post, url, shared->token_for(options.token),
                            boost::json::serialize(body));
    what.idempotent = true;
    auto page = co_await call_for(shared, std::move(what), doing, hub::read_tree_page);
    entries.insert(entries.end(), std::make_move_iterator(page.begin()),
                   std::make_move_iterator(page.end()));
  }
  co_return entries;
}

}  // namespace cohub::transfer
