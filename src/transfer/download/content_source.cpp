#include "transfer/download/content_source.hpp"

#include "http/redirect_rules.hpp"

#include <utility>

namespace cohub::transfer {

namespace {

bool is_strong(std::string_view etag) noexcept {
  return etag.size() > 2 && etag.front() == '"' && etag.back() == '"';
}

}  // namespace

content_source::content_source(asio::any_io_executor executor, core::url resolve,
                               std::optional<core::url> location, http::fields credentials,
                               bool compares)
    : resolve_(std::move(resolve)),
      location_(std::move(location)),
      credentials_(std::move(credentials)),
      compares_(compares),
      changed_(std::move(executor)) {}

awaitable<content_source::route> content_source::next_route(std::shared_ptr<content_source> self) {
  while (!self->confirmed_ && self->probing_) co_await self->changed_.wait();
  const bool probing = !self->confirmed_;
  self->probing_ = probing;
  auto way = self->make_route(self->location_.value_or(self->resolve_), probing);
  co_return way;
}

content_source::route content_source::route_by_hub(const std::shared_ptr<content_source>& self) {
  return self->make_route(self->resolve_, false);
}

content_source::route content_source::make_route(core::url url, bool probing) {
  route way;
  way.source_ = shared_from_this();
  way.probing_ = probing;
  way.url = std::move(url);
  if (!is_foreign(way.url)) way.credentials = credentials_;
  if (!validator_.empty()) way.headers.set("If-Range", validator_);
  return way;
}

bool content_source::is_foreign(const core::url& answered) const noexcept {
  return !http::keeps_credentials(resolve_.origin, answered.origin);
}

bool content_source::changed(std::string_view etag) const noexcept {
  return !validator_.empty() && is_strong(etag) && etag != validator_;
}

content_source::route& content_source::route::operator=(route&& other) noexcept {
  if (this != &other) {
    release();
    url = std::move(other.url);
    headers = std::move(other.headers);
    credentials = std::move(other.credentials);
    source_ = std::move(other.source_);
    probing_ = other.probing_;
  }
  return *this;
}

void content_source::route::confirm(const core::url& answered, std::string_view etag) {
  const bool is_current = source_->location_ == url;
  if (source_->is_remembered(url) && !is_current) return;
  source_->location_ = answered;
  source_->confirmed_ = true;
  if (source_->compares_ && source_->validator_.empty() && is_strong(etag))
    source_->validator_ = etag;
}

void content_source::route::expire() {
  // Another request may have found the new address meanwhile: that one stays.
  if (source_->location_ && source_->location_ != url) return;
  source_->location_.reset();
  source_->validator_.clear();  // belongs to the address
  source_->confirmed_ = false;
}

void content_source::route::release() noexcept {
  if (!source_) return;
  const auto source = std::move(source_);
  source_.reset();
  if (!probing_) return;
  source->probing_ = false;
  source->changed_.notify();
}

}  // namespace cohub::transfer
