#pragma once

#include "cohub/download.hpp"

#include "cache/repo_cache.hpp"
#include "transfer/context.hpp"
#include "transfer/download/download_content.hpp"
#include "transfer/download/file_head.hpp"
#include "transfer/hub_access.hpp"

#include <memory>
#include <string>

namespace cohub::transfer {

/// One file that was asked for.
struct file_request {
  context_ptr shared{};
  std::string repo_id{};
  std::string path{};  ///< in the repository, subfolder included; checked
  download_options options{};
  hub_access access{};
  std::shared_ptr<cohub::observer> observer{};
  std::shared_ptr<cohub::observer> listener{};  ///< the observer, and the log
  std::shared_ptr<progress_total> total{};      ///< of the observer
  cache::repo_cache cache;
};
using file_request_ptr = std::shared_ptr<const file_request>;

/// Checks names and options.
/// @throws error  errc::invalid_repository_id, errc::invalid_path, errc::invalid_argument
file_request_ptr make_file_request(context_ptr shared, std::string repo_id, std::string path,
                                   download_options options);

/// Tells the observer and the log what happened to the file.
void tell(const file_request& file, transfer_event::kind what, std::string detail = {});

/// A request to the resolve address of the file at `revision`, with all that the call adds to it.
/// @throws error  errc::offline, errc::invalid_url
http::request request_for(const file_request& file, http::method verb, const std::string& revision);

/// The file's content at the commit in `facts`.
/// @throws error  as `request_for`
content_description describe_content(const file_request& file, file_facts facts);

/// How it is downloaded.
/// @param observer  of everybody who waits for it
content_settings content_settings_of(const file_request& file,
                                     std::shared_ptr<cohub::observer> observer);

}  // namespace cohub::transfer
