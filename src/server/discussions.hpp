#pragma once

#include "server/repo_store.hpp"

#include <string>

namespace cohub::server {

class git_repository;

/// A discussion under the next number that is free, which is not in the record yet. Under the
/// repository's lock.
discussion new_discussion(const repo_record& record, const git_repository& repository,
                          std::string title, std::string author);

/// Something that happens now.
discussion_event new_event(std::string type, std::string author, std::string text,
                           std::string subject = {});

}  // namespace cohub::server
