#pragma once

#include "cohub/awaitable.hpp"
#include "cohub/download.hpp"

#include "cache/file_lock.hpp"
#include "cache/repo_cache.hpp"
#include "transfer/context.hpp"
#include "transfer/download_content.hpp"
#include "transfer/file_head.hpp"
#include "transfer/hub_access.hpp"

#include <exception>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

/// One file that was asked for, and what the cache and the local folder have in common about it.
namespace cohub::transfer {

struct file_request {
  context_ptr shared{};
  std::string repo_id{};
  std::string path{};  ///< in the repository, subfolder included; checked
  download_options options{};
  hub_access access{};
  std::shared_ptr<cohub::observer> observer{};
  std::shared_ptr<progress_total> total{};  ///< of the observer
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

/// Whether a question that failed so may be answered another time.
bool may_pass(const std::exception_ptr& failure) noexcept;

/// The limit of a question that is the last resort, by the one of the first.
std::chrono::milliseconds patient(std::chrono::milliseconds limit) noexcept;

/// What the Hub tells of the file, asked within the metadata time limit.
awaitable<file_head> ask_hub(file_request_ptr file);

/// The same once more, with time and retries, where the first failure may pass; `failed` is it.
awaitable<file_head> ask_hub_again(file_request_ptr file, file_head failed);

/// Throws for a failure that no local file makes up for, as `throw_not_cached` does; a forced
/// download, for which nothing local was looked for, fails with the failure itself.
[[noreturn]] void throw_unavailable(const file_request& file, const std::exception_ptr& failure);

/// Downloads the content to `destination` at the commit in `facts`.
/// @param observer  of everybody who waits for it
/// @param outdated  as `content_settings::outdated`
awaitable<void> fetch_content(file_request_ptr file, file_facts facts,
                              std::filesystem::path partial_stem, std::filesystem::path destination,
                              std::shared_ptr<cohub::observer> observer,
                              std::filesystem::path outdated = {});

/// Removes what killed processes left in `folders`; each is looked at once by a client.
awaitable<void> sweep(context_ptr shared, std::vector<std::filesystem::path> folders);

/// The right to download a file, as long as the object lives.
struct download_claim {
  memory_budget::share turn{};  ///< among the files that are downloaded at once
  cache::file_lock lock{};
};

/// Waits for a turn, and then for the lock on what is to be downloaded; who waits long for another
/// process hears of it. The holder of a claim must not ask for another.
awaitable<download_claim> claim(file_request_ptr file, std::filesystem::path lock,
                                std::shared_ptr<cohub::observer> observer);

/// Does `start`, or joins whoever does the same at this moment: fetching this content to
/// `destination` from the same Hub, with the same token and headers.
awaitable<void> fetch_once(file_request_ptr file, std::filesystem::path destination,
                           std::string etag, single_flight::work start);

/// The two places for a file, and what would be done for each.
awaitable<std::filesystem::path> download_to_cache(file_request_ptr file,
                                                   std::optional<file_facts> known);
awaitable<dry_run_file_info> plan_for_cache(file_request_ptr file);
awaitable<std::filesystem::path> download_to_local_dir(file_request_ptr file,
                                                       std::optional<file_facts> known);
awaitable<dry_run_file_info> plan_for_local_dir(file_request_ptr file,
                                                std::optional<file_facts> known);

}  // namespace cohub::transfer
