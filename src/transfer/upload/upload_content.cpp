#include "transfer/upload/upload_content.hpp"

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

error changed_meanwhile(const io::file_identity& seen) {
  return {errc::content_mismatch, "uploading " + seen.path + ", which was changed meanwhile"};
}

class memory_content final : public upload_content {
 public:
  explicit memory_content(std::string data)
      : data_(std::make_shared<const std::string>(std::move(data))) {}
  std::uint64_t size() const override { return data_->size(); }
  std::unique_ptr<content_reader> open() const override { return std::make_unique<reader>(data_); }

 private:
  class reader final : public content_reader {
   public:
    explicit reader(std::shared_ptr<const std::string> data) : data_(std::move(data)) {}
    std::size_t read_at(std::uint64_t offset, std::span<std::byte> buffer) override {
      if (offset >= data_->size()) return 0;
      const std::size_t count = std::min<std::size_t>(buffer.size(), data_->size() - offset);
      std::memcpy(buffer.data(), data_->data() + offset, count);
      return count;
    }

   private:
    std::shared_ptr<const std::string> data_;
  };
  std::shared_ptr<const std::string> data_;
};

/// What a file must still be while it is read.
struct seen_file {
  io::file_identity identity{};
  bool may_grow = false;

  /// @return whether it is the same for certain, and has not only grown
  /// @throws error  errc::content_mismatch
  bool check(const io::file_identity& now) const {
    if (io::has_same_content(now, identity)) return true;
    if (may_grow && io::has_grown(now, identity)) return false;
    throw changed_meanwhile(identity);
  }
};
using seen_file_ptr = std::shared_ptr<const seen_file>;

class file_reader final : public content_reader {
 public:
  file_reader(io::file opened, std::uint64_t size, seen_file_ptr seen)
      : file_(std::move(opened)), size_(size), seen_(std::move(seen)) {}

  std::size_t read_at(std::uint64_t offset, std::span<std::byte> buffer) override {
    const auto wanted = std::min<std::uint64_t>(buffer.size(), size_ - std::min(offset, size_));
    const std::size_t count = file_.read_at(offset, buffer.first(static_cast<std::size_t>(wanted)));
    if (count < wanted)
      throw error(errc::content_mismatch,
                  "reading " + file_.path().string() + ", which became shorter");
    // At the beginning, lest all of a large file is sent in vain; at the end, since only then is
    // none of it from before a change.
    if (!has_begun_ || offset + count >= size_) seen_->check(io::identify_open_file(file_));
    has_begun_ = true;
    return count;
  }

 private:
  io::file file_;
  std::uint64_t size_;
  seen_file_ptr seen_;
  bool has_begun_ = false;
};

std::unique_ptr<content_reader> open_file(const seen_file_ptr& seen, std::uint64_t size) {
  return std::make_unique<file_reader>(io::file(seen->identity.path, io::file::mode::read), size,
                                       seen);
}

/// What is in a file whenever it is read, as long as that is as much as at first; what was appended
/// since is no part of it.
class present_file final : public upload_content {
 public:
  explicit present_file(io::file_identity found) : found_(std::move(found)) {}
  std::uint64_t size() const override { return found_.size; }
  std::unique_ptr<content_reader> open() const override {
    io::file opened(found_.path, io::file::mode::read);
    auto seen = std::make_shared<seen_file>(seen_file{io::identify_open_file(opened), true});
    if (seen->identity.size != found_.size && !io::has_grown(seen->identity, found_))
      throw changed_meanwhile(found_);
    return std::make_unique<file_reader>(std::move(opened), found_.size, std::move(seen));
  }

 private:
  io::file_identity found_;
};

/// The beginning of a file that may grow.
class file_prefix final : public upload_content {
 public:
  file_prefix(const std::filesystem::path& path, std::uint64_t size)
      : seen_(std::make_shared<seen_file>(seen_file{io::identify_file(path), true})), size_(size) {
    if (seen_->identity.size < size)
      throw error(errc::content_mismatch, "uploading " + std::to_string(size) + " bytes of " +
                                              path.string() + ", which is shorter");
  }
  std::uint64_t size() const override { return size_; }
  std::unique_ptr<content_reader> open() const override { return open_file(seen_, size_); }
  bool check_unchanged() const override {
    return seen_->check(io::identify_file(seen_->identity.path));
  }
  upload_content_ptr now() const override {
    auto found = io::identify_file(seen_->identity.path);
    if (io::has_same_content(found, seen_->identity) || io::has_grown(found, seen_->identity))
      return shared_from_this();
    return std::make_shared<present_file>(std::move(found));  // another one has taken its place
  }

 private:
  seen_file_ptr seen_;
  std::uint64_t size_;
};

/// Holds no descriptor: a commit may have many thousand files.
class file_content final : public upload_content {
 public:
  explicit file_content(const std::filesystem::path& path)
      : seen_(std::make_shared<seen_file>(seen_file{io::identify_file(path), false})),
        is_settled_(io::is_settled(seen_->identity)) {}
  std::uint64_t size() const override { return seen_->identity.size; }
  std::unique_ptr<content_reader> open() const override { return open_file(seen_, size()); }
  const io::file_identity* identity() const noexcept override { return &seen_->identity; }
  bool is_settled() const noexcept override { return is_settled_; }
  upload_content_ptr now() const override {
    return std::make_shared<present_file>(io::identify_file(seen_->identity.path));
  }
  bool check_unchanged() const override {
    return seen_->check(io::identify_file(seen_->identity.path));
  }

 private:
  seen_file_ptr seen_;
  bool is_settled_;
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
    reader_.reset();
    co_return;
  }

  awaitable<std::size_t> read(std::span<std::byte> buffer) override {
    const auto wanted = std::min<std::uint64_t>(buffer.size(), end_ - position_);
    if (wanted == 0) co_return 0;
    const auto room = buffer.first(static_cast<std::size_t>(wanted));
    auto work = [this, room] {
      if (!reader_) reader_ = content_->open();
      return reader_->read_at(position_, room);
    };
    auto reading = io::on_pool(pool_, std::move(work));
    const std::size_t count = co_await std::move(reading);
    position_ += count;
    if (progress_) progress_->add(count);
    co_return count;
  }

 private:
  upload_content_ptr content_;
  std::unique_ptr<content_reader> reader_{};
  std::uint64_t begin_;
  std::uint64_t end_;
  std::uint64_t position_;
  asio::any_io_executor pool_;
  progress_ptr progress_;
};

awaitable<std::string> digest_of(upload_content_ptr content, core::digest start,
                                 asio::any_io_executor pool, progress_ptr progress) {
  struct running {
    core::digest digest;
    std::vector<std::byte> piece;
    std::unique_ptr<content_reader> reader;
  };
  const std::uint64_t size = content->size();
  auto state = std::make_shared<running>(running{std::move(start), {}, {}});
  state->piece.resize(static_cast<std::size_t>(std::min<std::uint64_t>(size, hash_piece)));
  for (std::uint64_t offset = 0; offset < size;) {
    auto work = [content, state, offset] {
      if (!state->reader) state->reader = content->open();
      const std::size_t count = state->reader->read_at(offset, state->piece);
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

upload_content_ptr open_file_content(const std::filesystem::path& path) {
  return std::make_shared<file_content>(path);
}

upload_content_ptr bytes_content(std::string data) {
  return std::make_shared<memory_content>(std::move(data));
}

upload_content_ptr open_content(commit_operation_add operation) {
  if (auto* bytes = std::get_if<commit_operation_add::bytes>(&operation.content))
    return bytes_content(std::move(bytes->data));
  const auto& path = std::get<std::filesystem::path>(operation.content);
  if (operation.first_bytes) return std::make_shared<file_prefix>(path, *operation.first_bytes);
  return open_file_content(path);
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
  auto look = [content] { return content->now(); };
  auto there = co_await io::on_pool(pool, std::move(look));
  auto start = core::git_blob_digest(there->size());
  auto hashing = digest_of(std::move(there), std::move(start), std::move(pool), {});
  co_return co_await std::move(hashing);
}

}  // namespace cohub::transfer
