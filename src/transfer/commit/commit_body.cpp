#include "transfer/commit/commit_body.hpp"

#include "core/base64.hpp"
#include "core/digest.hpp"
#include "hub/commit_lines.hpp"
#include "io/on_pool.hpp"

#include <algorithm>
#include <cstring>
#include <optional>
#include <utility>
#include <vector>

namespace cohub::transfer {

namespace {

// A multiple of 3, so that pieces are encoded one by one and joined.
constexpr std::size_t raw_piece = 48 * 1024;

/// Produces the body in order, piece by piece. Blocking where it reads contents.
class commit_encoder {
 public:
  commit_encoder(std::shared_ptr<const commit_plan> plan, std::string header_line)
      : plan_(std::move(plan)), header_line_(std::move(header_line)) {
    contents_.resize(plan_->adds.size());
    for (std::size_t i = 0; i < contents_.size(); ++i) {
      const auto& add = plan_->adds[i];
      if (!add.dropped() && add.mode != hub::upload_mode::lfs) contents_[i] = add.content->now();
    }
    rewind();
    while (next_text()) {
      size_ += text_.size();
      if (content_) size_ += core::base64_length(static_cast<std::size_t>(content_->size()));
      content_.reset();
    }
    rewind();
  }

  std::uint64_t size() const noexcept { return size_; }
  /// What was handed out since this was asked last.
  commit_written written() {
    commit_written news;
    news.adds = add_;
    news.ids.swap(ids_);
    return news;
  }

  void rewind() {
    text_.clear();
    text_used_ = 0;
    removal_ = 0;
    add_ = 0;
    in_file_ = false;
    content_.reset();
    reader_.reset();
    ids_.clear();
    started_ = false;
  }

  std::size_t fill(std::span<std::byte> buffer) {
    std::size_t filled = 0;
    while (filled < buffer.size()) {
      if (text_used_ == text_.size() && !next_piece()) break;
      const std::size_t count = std::min(buffer.size() - filled, text_.size() - text_used_);
      std::memcpy(buffer.data() + filled, text_.data() + text_used_, count);
      text_used_ += count;
      filled += count;
    }
    return filled;
  }

 private:
  bool next_piece() {
    text_used_ = 0;
    if (content_) {
      if (content_offset_ < content_->size()) {
        encode_content();
        return true;
      }
      ids_.emplace_back(add_, digest_->hex_digest());
      content_.reset();
      reader_.reset();
    }
    return next_text();
  }

  void encode_content() {
    if (!reader_) reader_ = content_->open();
    raw_.resize(raw_piece);
    // Contents fill a buffer completely unless they end: the pieces join to one encoding.
    const std::size_t count =
        reader_->read_at(content_offset_, std::as_writable_bytes(std::span(raw_)));
    content_offset_ += count;
    const auto piece = std::string_view(raw_).substr(0, count);
    digest_->update(piece);
    text_ = core::base64_encode(piece);
  }

  /// Puts the next text that is not content into `text_`, and names the content that follows it.
  bool next_text() {
    if (!started_) {
      started_ = true;
      text_ = header_line_;
      return true;
    }
    if (in_file_) {
      text_ = hub::commit_file_suffix(plan_->adds[add_].path);
      in_file_ = false;
      ++add_;
      return true;
    }
    if (removal_ < plan_->deletes.size()) {
      const auto& removal = plan_->deletes[removal_++];
      text_ = hub::commit_delete_line(removal.path, removal.is_folder);
      return true;
    }
    while (add_ < plan_->adds.size() && plan_->adds[add_].dropped()) ++add_;
    if (add_ == plan_->adds.size()) return false;
    const auto& add = plan_->adds[add_];
    if (add.mode == hub::upload_mode::lfs) {
      const bool copied = add.content == nullptr;
      text_ = hub::commit_lfs_line(add.path, add.sha256,
                                   copied ? std::nullopt : std::optional(add.size));
      ++add_;
      return true;
    }
    text_ = hub::commit_file_prefix();
    content_ = contents_[add_];
    content_offset_ = 0;
    digest_ = core::git_blob_digest(content_->size());
    in_file_ = true;
    return true;
  }

  std::shared_ptr<const commit_plan> plan_;
  std::string header_line_;
  std::vector<upload_content_ptr> contents_;  // of the files that are sent with the commit
  std::uint64_t size_ = 0;

  std::string text_;  // what is being handed out
  std::size_t text_used_ = 0;
  std::size_t removal_ = 0;
  std::size_t add_ = 0;
  bool started_ = false;
  bool in_file_ = false;  // the suffix of a file line is due
  upload_content_ptr content_;
  std::unique_ptr<content_reader> reader_;
  std::uint64_t content_offset_ = 0;
  std::optional<core::digest> digest_;  // of that
  std::string raw_;
  std::vector<std::pair<std::size_t, std::string>> ids_;
};

class encoded_body final : public http::body_source {
 public:
  encoded_body(std::shared_ptr<commit_encoder> encoder, asio::any_io_executor pool,
               std::function<void(const commit_written&)> written)
      : encoder_(std::move(encoder)), pool_(std::move(pool)), written_(std::move(written)) {}

  std::uint64_t size() const override { return encoder_->size(); }

  awaitable<void> rewind() override {
    encoder_->rewind();
    co_return;
  }

  awaitable<std::size_t> read(std::span<std::byte> buffer) override {
    // One job fills the whole buffer, over as many small files as fit.
    auto work = [this, buffer] {
      const std::size_t count = encoder_->fill(buffer);
      return std::pair(count, encoder_->written());
    };
    const auto filled = co_await io::on_pool(pool_, std::move(work));
    if (written_) written_(filled.second);
    co_return filled.first;
  }

 private:
  std::shared_ptr<commit_encoder> encoder_;
  asio::any_io_executor pool_;
  std::function<void(const commit_written&)> written_;
};

}  // namespace

std::shared_ptr<http::body_source> commit_body(std::shared_ptr<const commit_plan> plan,
                                               std::string header_line, asio::any_io_executor pool,
                                               std::function<void(const commit_written&)> written) {
  auto encoder = std::make_shared<commit_encoder>(std::move(plan), std::move(header_line));
  return std::make_shared<encoded_body>(std::move(encoder), std::move(pool), std::move(written));
}

}  // namespace cohub::transfer
