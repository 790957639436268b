#pragma once

#include <chrono>
#include <exception>
#include <string>

/// What the failure of a question means where nothing local is the answer (hub-protocol,
/// section 4.4, step 3, and section 5.4).
namespace cohub::transfer {

/// Whether a question that failed so may be answered another time, and soon: not where the Hub
/// asks to be left alone for longer than `longest`.
bool may_pass(const std::exception_ptr& failure, std::chrono::milliseconds longest) noexcept;

/// The limit of a question that is the last resort, by the one of the first.
std::chrono::milliseconds patient(std::chrono::milliseconds limit) noexcept;

/// Whether what is there already may be given out instead of this failure. Not where the Hub knows
/// better (no such file, no such revision), and not where a proxy stood in the way: that is for the
/// user to mend, and would be hidden by an old file.
bool may_fall_back(const std::exception_ptr& failure) noexcept;

/// Throws for a question that failed while nothing is cached:
/// - the failure itself where it says what is the matter with the request: errc::entry_not_found,
///   revision_not_found, repository_not_found, gated_repository, unauthorized; proxy_failure; an
///   answer that is not a Hub's (not_a_hub, invalid_response, too_many_redirects,
///   certificate_rejected), which the Python client would call "not cached", too;
/// - else (offline, not reached, 403, 429, 5xx and other statuses) errc::local_entry_not_found,
///   which names the cause and has its `error::http()`: status, address, Retry-After.
/// @param what  "config.json of owner/name at main"
[[noreturn]] void throw_not_cached(const std::string& what, const std::exception_ptr& failure);

}  // namespace cohub::transfer
