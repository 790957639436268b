#pragma once

#include "cohub/error.hpp"

#include <memory>
#include <string>
#include <utility>

namespace cohub::transfer {

/// errc::entry_not_found, where the Hub told which commit has no such file.
class absent_entry : public error {
 public:
  absent_entry(const error& failure, std::string commit)
      : error(failure), commit_(std::make_shared<const std::string>(std::move(commit))) {}

  /// What the revision is now: 40 hex digits.
  const std::string& commit() const noexcept { return *commit_; }

 private:
  std::shared_ptr<const std::string> commit_;  // copying an exception must not throw
};

}  // namespace cohub::transfer
