#include "transfer/upload/object_upload.hpp"

#include <algorithm>
#include <utility>

namespace cohub::transfer {

namespace {

/// Of an object that went in one piece: stores need not give it an ETag.
constexpr const char* whole = "whole";

std::size_t count_missing(const std::vector<std::string>& etags) {
  return static_cast<std::size_t>(std::count(etags.begin(), etags.end(), std::string()));
}

bool expires_soon(const hub::multipart_plan& plan, std::int64_t now) {
  constexpr std::int64_t least = 60;  // what is left must be worth beginning with
  for (const auto* url : {&plan.part_urls.back(), &plan.completion_url})
    if (const auto end = hub::url_expiry(*url); end && *end < now + least) return true;
  return false;
}

}  // namespace

void object_upload::forget_pieces() {
  etags_.assign(parts_ ? parts_->part_urls.size() : 1, std::string());
  missing_ = etags_.size();
  ++epoch_;
}

void object_upload::route_to(hub::lfs_action action, std::optional<hub::multipart_plan> parts,
                             std::optional<hub::lfs_action> verify) {
  const bool same = parts && parts_ && parts->part_size == parts_->part_size &&
                    hub::upload_key(*parts) == hub::upload_key(*parts_);
  action_ = std::move(action);
  parts_ = std::move(parts);
  verify_ = std::move(verify);
  relocating_ = false;
  completing_ = false;
  ++route_;
  if (same) return;
  if (missing_ < etags_.size()) ++restarts_;
  forget_pieces();
}

void object_upload::resume(const multipart_progress& left, std::int64_t now) {
  if (!parts_ || left.plan.part_size != parts_->part_size ||
      left.plan.part_urls.size() != parts_->part_urls.size())
    return;
  const bool same = hub::upload_key(left.plan) == hub::upload_key(*parts_);
  if (!same) {
    if (count_missing(left.etags) == left.etags.size() || expires_soon(left.plan, now)) return;
    parts_ = left.plan;
    action_.href = left.plan.completion_url;
  }
  etags_ = left.etags;
  missing_ = count_missing(etags_);
  ++route_;
}

std::vector<object_upload::piece> object_upload::missing_pieces() const {
  std::vector<piece> pieces;
  for (std::size_t i = 0; i < etags_.size(); ++i) {
    if (!etags_[i].empty()) continue;
    piece next;
    next.number = i;
    next.route = route_;
    next.epoch = epoch_;
    next.begin = parts_ ? i * parts_->part_size : 0;
    next.end = parts_ ? std::min(next.begin + parts_->part_size, size()) : size();
    next.url = parts_ ? parts_->part_urls[i] : action_.href;
    pieces.push_back(std::move(next));
  }
  return pieces;
}

bool object_upload::arrived(const piece& which, std::string etag) {
  if (which.epoch != epoch_ || !etags_[which.number].empty()) return false;
  etags_[which.number] = parts_ ? std::move(etag) : whole;
  --missing_;
  refusals_ = 0;
  refused_pieces_.erase(which.number);
  return true;
}

std::uint64_t object_upload::bytes_there() const noexcept {
  if (!parts_) return missing_ == 0 ? size() : 0;
  std::uint64_t bytes = 0;
  for (std::size_t i = 0; i < etags_.size(); ++i)
    if (!etags_[i].empty()) bytes += std::min(parts_->part_size, size() - i * parts_->part_size);
  return bytes;
}

bool object_upload::begin_completion() noexcept {
  if (!all_there() || relocating_ || completing_) return false;
  completing_ = true;
  return true;
}

bool object_upload::begin_relocation(const piece& which) {
  if (!is_current(which)) return false;
  relocating_ = true;
  ++refusals_;
  ++refused_pieces_[which.number];
  return true;
}

bool object_upload::has_expired(const piece& which, std::int64_t now) const {
  const auto end = hub::url_expiry(which.url);
  return end && *end <= now && !refused_pieces_.contains(which.number);
}

bool object_upload::may_relocate(const piece& which) const noexcept {
  const auto refused = refused_pieces_.find(which.number);
  const bool again = refused != refused_pieces_.end() && refused->second > 1;
  return refusals_ <= 1 && !again && restarts_ <= most_restarts;
}

bool object_upload::begin_again(bool may_have_expired) noexcept {
  relocating_ = true;
  completing_ = false;
  if (may_have_expired && ++renewals_ <= 1) return true;
  forget_pieces();
  return ++completions_ <= 1;
}

}  // namespace cohub::transfer
