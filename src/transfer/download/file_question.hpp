#pragma once

#include "cohub/awaitable.hpp"

#include "transfer/download/file_head.hpp"
#include "transfer/download/file_request.hpp"

#include <exception>

/// Asking the Hub for one file that was asked for.
namespace cohub::transfer {

/// What the Hub tells of the file, asked within the metadata time limit.
awaitable<file_head> ask_hub(file_request_ptr file);

/// The same once more, with time and retries, where the first failure may pass; `failed` is it.
awaitable<file_head> ask_hub_again(file_request_ptr file, file_head failed);

/// Throws for a failure that no local file makes up for, as `throw_not_cached` does; a forced
/// download, for which nothing local was looked for, fails with the failure itself.
[[noreturn]] void throw_unavailable(const file_request& file, const std::exception_ptr& failure);

}  // namespace cohub::transfer
