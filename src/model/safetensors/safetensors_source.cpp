#include "cohub/safetensors_source.hpp"

#include "io/on_pool.hpp"
#include "model/safetensors/safetensors_writer.hpp"
#include "transfer/upload/produced_source.hpp"

#include <algorithm>
#include <cstring>
#include <optional>
#include <utility>

namespace cohub {

namespace {

/// What jobs on the pool work on; they share it, since they may outlive who asked for them.
struct production {
  std::vector<tensor_source> tensors{};
  save_safetensors_options options{};
  std::optional<model::safetensors_steps> steps{};

  /// The header is made by the first step, on the pool: it may be large.
  bool next(const model::safetensors_steps::output& out) {
    if (!steps) steps.emplace(std::move(tensors), options);
    return steps->next(out);
  }
};

class produced_file final : public transfer::produced_source {
 public:
  produced_file(asio::any_io_executor pool, std::vector<tensor_source> tensors,
                save_safetensors_options options)
      : pool_(std::move(pool)), production_(std::make_shared<production>()) {
    production_->tensors = std::move(tensors);
    production_->options = std::move(options);
  }

  bool produce(const output& out) override { return production_->next(out); }

  awaitable<std::size_t> read(std::span<std::byte> buffer) override {
    while (used_ == made_.size()) {
      auto step = [work = production_] {
        std::optional<std::vector<std::byte>> bytes(std::in_place);
        const auto keep = [&bytes](std::span<const std::byte> piece) {
          bytes->insert(bytes->end(), piece.begin(), piece.end());
        };
        if (!work->next(keep)) bytes.reset();
        return bytes;
      };
      auto bytes = co_await io::on_pool(pool_, std::move(step));
      if (!bytes) co_return 0;
      made_ = std::move(*bytes);
      used_ = 0;
    }
    const std::size_t count = std::min(buffer.size(), made_.size() - used_);
    std::memcpy(buffer.data(), made_.data() + used_, count);
    used_ += count;
    co_return count;
  }

 private:
  asio::any_io_executor pool_;
  std::shared_ptr<production> production_;
  std::vector<std::byte> made_{};  // of the last step, for who reads by himself
  std::size_t used_ = 0;
};

}  // namespace

std::shared_ptr<upload_source> safetensors_source(asio::any_io_executor pool,
                                                  std::vector<tensor_source> tensors,
                                                  named<save_safetensors_options> options) {
  return std::make_shared<produced_file>(std::move(pool), std::move(tensors), *std::move(options));
}

}  // namespace cohub
