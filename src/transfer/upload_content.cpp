#include "transfer/upload_content.hpp"

#include "cohub/error.hpp"

#include "core/digest.hpp"
#include "io/file.hpp"
#include "io/on_pool.hpp"

#include <algorithm>
#include <cstring>
#include <utility>
#include <vector>

namespace cohub::transfer {

namespace {

constexpr std::size_t hash_piece = 1 << 20;

class memory_content final : public upload_content {
 public:
  explicit memory_content(std::string data) : data_(std::move(data)) {}
  std::uint64_t size() const override { return data_.size(); }
  std::size_t read_at(std::uint64_t offset, std::span<std::byte> buffer) override {
    if (offset >= data_.size()) return 0;
    const std::size_t count = std::min<std::size_t>(buffer.size(), data_.size() - offset);
    std::memcpy(buffer.data(), data_.data() + offset, count);
    return count;
  }

 private:
  std::string data_;
};

/// Opens the file for each piece: a commit of many thousand files holds no descriptors.
class file_content final : public upload_content {
 public:
  explicit file_content(std::filesystem::path path) : path_(std::move(path)) {
    std::error_code failure;
    const auto status = std::filesystem::status(path_, failure);
    if (status.type() == std::filesystem::file_type::directory)
      throw error(
          boost::system::errc::make_error_code(boost::system::errc::is_a_directory),
          "opening " + path_.string() + " (a file is expected; upload_folder takes folders)");
    size_ = io::file(path_, io::file::mode::read).size();
  }
  std::uint64_t size() const override { return size_; }
  std::size_t read_at(std::uint64_t offset, std::span<std::byte> buffer) override {
    if (!open_.is_open()) open_ = io::file(path_, io::file::mode::read);
    const auto wanted = std::min<std::uint64_t>(buffer.size(), size_ - std::min(offset, size_));
    const std::size_t count = open_.read_at(offset, buffer.first(static_cast<std::size_t>(wanted)));
    if (count < wanted)
      throw error(errc::content_mismatch, "reading " + path_.string() + ", which became shorter");
    if (offset + count >= size_) open_.close();
    return count;
  }

 private:
  std::filesystem::path path_;
  std::uint64_t size_ = 0;
  io::file open_;
};

class content_region final : public http::body_source {
 public:
  content_region(upload_content_ptr content, std::uint64_t begin, std::uint64_t end,
                 asio::any_io_executor pool, progress_ptr progress)
      : content_(std::move(content)),
        begin_(begin),
        end_(end),
        position_(begin),
        pool_(std::move(pool)),
        progress_(std::move(progress)) {}

  std::uint64_t size() const override { return end_ - begin_; }

  awaitable<void> rewind() override {
    if (progress_) progress_->take_back(position_ - begin_);
    position_ = begin_;
    co_return;
  }

  awaitable<std::size_t> read(std::span<std::byte> buffer) override {
    const auto wanted = std::min<std::uint64_t>(buffer.size(), end_ - position_);
    if (wanted == 0) co_return 0;
    // The pool cannot be cancelled, so what it works on is not the caller's: after a cancellation
    // the caller's buffer may be gone before the pool is done.
    if (piece_.use_count() != 1) piece_ = std::make_shared<std::vector<std::byte>>();
    piece_->resize(static_cast<std::size_t>(wanted));
    auto work = [content = content_, piece = piece_, offset = position_] {
      return content->read_at(offset, *piece);
    };
    auto reading = io::on_pool(pool_, std::move(work));
    const std::size_t count = co_await std::move(reading);
    std::memcpy(buffer.data(), piece_->data(), count);
    position_ += count;
    if (progress_) progress_->add(count);
    co_return count;
  }

 private:
  upload_content_ptr content_;
  std::uint64_t begin_;
  std::uint64_t end_;
  std::uint64_t position_;
  asio::any_io_executor pool_;
  progress_ptr progress_;
  std::shared_ptr<std::vector<std::byte>> piece_ = std::make_shared<std::vector<std::byte>>();
};

awaitable<std::string> digest_of(upload_content_ptr content, core::digest start,
                                 asio::any_io_executor pool, progress_ptr progress) {
  struct running {
    core::digest digest;
    std::vector<std::byte> piece;
  };
  const std::uint64_t size = content->size();
  auto state = std::make_shared<running>(running{std::move(start), {}});
  state->piece.resize(static_cast<std::size_t>(std::min<std::uint64_t>(size, hash_piece)));
  for (std::uint64_t offset = 0; offset < size;) {
    auto work = [content, state, offset] {
      const std::size_t count = content->read_at(offset, state->piece);
      state->digest.update(std::span<const std::byte>(state->piece).first(count));
      return count;
    };
    auto hashing = io::on_pool(pool, std::move(work));
    const std::size_t count = co_await std::move(hashing);
    offset += count;
    if (progress) progress->add(count);
  }
  co_return state->digest.hex_digest();
}

}  // namespace

upload_content_ptr open_content(const commit_operation_add& operation) {
  if (const auto* bytes = std::get_if<commit_operation_add::bytes>(&operation.content))
    return std::make_shared<memory_content>(bytes->data);
  return std::make_shared<file_content>(std::get<std::filesystem::path>(operation.content));
}

std::shared_ptr<http::body_source> content_body(upload_content_ptr content, std::uint64_t begin,
                                                std::uint64_t end, asio::any_io_executor pool,
                                                progress_ptr progress) {
  return std::make_shared<content_region>(std::move(content), begin, end, std::move(pool),
                                          std::move(progress));
}

awaitable<std::string> sha256_of(upload_content_ptr content, asio::any_io_executor pool,
                                 progress_ptr progress) {
  return digest_of(std::move(content), core::digest(core::digest::algorithm::sha256),
                   std::move(pool), std::move(progress));
}

awaitable<std::string> git_blob_id_of(upload_content_ptr content, asio::any_io_executor pool) {
  auto start = core::git_blob_digest(content->size());
  return digest_of(std::move(content), std::move(start), std::move(pool), {});
}

}  // namespace cohub::transfer
