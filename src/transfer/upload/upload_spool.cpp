#include "transfer/upload/upload_spool.hpp"

#include "cohub/error.hpp"

#include "core/digest.hpp"
#include "io/file.hpp"
#include "io/on_pool.hpp"
#include "transfer/upload/produced_source.hpp"
#include "transfer/upload/upload_journal.hpp"

#include <utility>
#include <vector>

namespace cohub::transfer {

namespace {

constexpr std::size_t spool_piece = 1u << 20;

/// What the pool works on while a source is read.
struct spooling {
  io::file file{};
  core::digest digest{core::digest::algorithm::sha256};
  std::uint64_t size = 0;

  void append(std::span<const std::byte> bytes) {
    digest.update(bytes);
    file.write_at(size, bytes);
    size += bytes.size();
  }
};

class spooled_content final : public upload_content {
 public:
  spooled_content(std::shared_ptr<const spooling> content, std::string sha256)
      : content_(std::move(content)), sha256_(std::move(sha256)) {}
  std::uint64_t size() const override { return content_->size; }
  std::unique_ptr<content_reader> open() const override {
    return std::make_unique<reader>(content_);
  }
  std::string known_sha256() const override { return sha256_; }

 private:
  class reader final : public content_reader {
   public:
    explicit reader(std::shared_ptr<const spooling> content) : content_(std::move(content)) {}
    std::size_t read_at(std::uint64_t offset, std::span<std::byte> buffer) override {
      return content_->file.read_at(offset, buffer);
    }

   private:
    std::shared_ptr<const spooling> content_;
  };
  std::shared_ptr<const spooling> content_;
  std::string sha256_;
};

/// Has the source made straight into the file, step by step.
awaitable<void> spool_produced(context_ptr shared, std::shared_ptr<produced_source> source,
                               std::shared_ptr<spooling> state) {
  for (bool more = true; more;) {
    auto step = [source, state] {
      return source->produce([&](std::span<const std::byte> bytes) { state->append(bytes); });
    };
    more = co_await io::on_pool(shared->pool, std::move(step));
  }
}

/// Reads the source, and has the pool write what was read.
awaitable<void> spool_read(context_ptr shared, std::shared_ptr<upload_source> source,
                           std::shared_ptr<spooling> state) {
  for (bool more = true; more;) {
    // The source's buffer is this coroutine's, and handed over whole: nothing is shared with it.
    auto piece = std::make_shared<std::vector<std::byte>>(spool_piece);
    std::size_t filled = 0;
    while (more && filled < piece->size()) {
      const std::size_t count = co_await source->read(std::span(*piece).subspan(filled));
      more = count > 0;
      filled += count;
    }
    auto append = [state, piece, filled] {
      state->append(std::span<const std::byte>(*piece).first(filled));
    };
    co_await io::on_pool(shared->pool, std::move(append));
  }
}

}  // namespace

awaitable<upload_content_ptr> spool(context_ptr shared, std::shared_ptr<upload_source> source) {
  if (!source) throw error(errc::invalid_argument, "an addition without a source");
  if (!shared->journal)
    throw error(errc::invalid_argument, "sources need client_config::upload_state_dir");
  auto state = std::make_shared<spooling>();
  auto open = [state, journal = shared->journal] { state->file = journal->make_spool(); };
  co_await io::on_pool(shared->pool, std::move(open));
  if (auto produced = std::dynamic_pointer_cast<produced_source>(source)) {
    co_await spool_produced(shared, std::move(produced), state);
  } else {
    co_await spool_read(shared, std::move(source), state);
  }
  const auto sha256 = state->digest.hex_digest();
  upload_content_ptr content = std::make_shared<spooled_content>(std::move(state), sha256);
  co_return content;
}

}  // namespace cohub::transfer
