#include "transfer/upload/kept_source.hpp"

#include "cohub/error.hpp"

#include "transfer/upload/upload_spool.hpp"

namespace cohub::transfer {

awaitable<upload_content_ptr> kept_source::open(context_ptr shared) {
  if (!content_) {
    if (begun_)
      throw error(errc::invalid_argument, "a source that was read in part cannot be read again");
    begun_ = true;
    content_ = co_await spool(std::move(shared), std::move(source_));
  }
  co_return content_;
}

awaitable<std::size_t> kept_source::read(std::span<std::byte>) {
  throw error(errc::invalid_argument, "a source that is kept is opened, not read");
}

void keep_sources(std::vector<commit_operation>& operations) {
  for (auto& operation : operations) {
    auto* add = std::get_if<commit_operation_add>(&operation);
    if (add == nullptr) continue;
    if (auto* bytes = std::get_if<commit_operation_add::bytes>(&add->content)) {
      std::shared_ptr<upload_source> kept = std::make_shared<kept_source>(std::move(bytes->data));
      add->content = std::move(kept);
    } else if (auto* source = std::get_if<std::shared_ptr<upload_source>>(&add->content);
               source != nullptr && *source) {
      std::shared_ptr<upload_source> kept = std::make_shared<kept_source>(std::move(*source));
      add->content = std::move(kept);
    }
  }
}

bool has_spent_source(const std::vector<commit_operation>& operations) {
  for (const auto& operation : operations) {
    const auto* add = std::get_if<commit_operation_add>(&operation);
    const auto* source =
        add == nullptr ? nullptr : std::get_if<std::shared_ptr<upload_source>>(&add->content);
    if (source == nullptr) continue;
    const auto kept = std::dynamic_pointer_cast<kept_source>(*source);
    if (kept && kept->is_spent()) return true;
  }
  return false;
}

}  // namespace cohub::transfer
