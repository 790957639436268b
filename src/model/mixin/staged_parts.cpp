#include "model/mixin/staged_parts.hpp"

#include "cohub/error.hpp"
#include "cohub/model_config.hpp"

#include "io/file.hpp"
#include "io/on_pool.hpp"
#include "model/safetensors/safetensors_writer.hpp"

#include <cstdint>
#include <filesystem>
#include <span>
#include <utility>

namespace cohub::model {

namespace fs = std::filesystem;

namespace {

/// A file of weights that is written to a folder nobody sees yet.
class written_weights {
 public:
  written_weights(fs::path path, save_sink::file file)
      : path_(std::move(path)), file_(std::move(file)) {}

  /// Makes one tensor, or copies a few MiB; false if there is nothing left to do.
  bool next() {
    if (!steps_) {
      io::create_directories(path_.parent_path());
      output_ = io::file(path_, io::file::mode::read_write);
      output_.truncate(0);
      const save_safetensors_options options{.metadata = std::move(file_.metadata)};
      steps_.emplace(std::move(file_.tensors), options);
    }
    const auto append = [this](std::span<const std::byte> bytes) {
      output_.write_at(position_, bytes);
      position_ += bytes.size();
    };
    if (steps_->next(append)) return true;
    output_.close();
    return false;
  }

 private:
  fs::path path_;
  save_sink::file file_;
  io::file output_{};
  std::optional<safetensors_steps> steps_{};
  std::uint64_t position_ = 0;
};

/// Of two files of one name one would be lost: what the hook wrote, or what it handed over.
void check_names(const save_sink& sink) {
  for (const auto& name : sink.names())
    if (name == "README.md" || fs::exists(fs::symlink_status(sink.folder() / name)))
      throw error(errc::invalid_argument,
                  "saving a model: \"" + name.substr(0, 200) +
                      "\" was handed over as tensors, and is a file of the model already");
}

}  // namespace

awaitable<descriptions> describe(asio::any_io_executor pool, detail::model_parts parts,
                                 std::optional<boost::json::value> config,
                                 template_variables variables) {
  auto work = [&] {
    descriptions result;
    if (config && config->is_null()) config.reset();
    if (config && !config->is_object())
      throw error(errc::invalid_argument, "saving a model: its config must be an object");
    if (!config && parts.config) config = parts.config();
    if (config && !config->is_object())
      throw error(errc::invalid_config,
                  "saving a model: what its config() is written as must be "
                  "an object, for config.json");
    if (config) result.config = config_text(*config);
    if (parts.card) result.card = parts.card(std::move(variables));
    return result;
  };
  co_return co_await io::on_pool(std::move(pool), std::move(work));
}

awaitable<card_origin> write_parts(asio::any_io_executor pool, detail::model_parts parts,
                                   std::shared_ptr<save_sink> sink, descriptions described,
                                   std::function<void(model_card&)> edit_card) {
  co_await parts.save(pool, sink);
  const auto& folder = sink->folder();
  auto work = [&] {
    if (described.config && !fs::exists(folder / "config.json"))
      io::write_file_atomically(folder / "config.json", *described.config);
    check_names(*sink);
    if (fs::exists(folder / "README.md")) return card_origin::hook;
    auto& card = described.card;
    if (edit_card) {
      if (!card) card.emplace();
      edit_card(*card);
    }
    if (!card) return card_origin::none;
    card->save(folder / "README.md");
    return card_origin::generated;
  };
  co_return co_await io::on_pool(pool, std::move(work));
}

awaitable<void> write_files(asio::any_io_executor pool, std::shared_ptr<save_sink> sink) {
  auto write_texts = [sink] {
    for (const auto& file : sink->take_texts())
      io::write_file_atomically(sink->folder() / file.name, file.text);
  };
  co_await io::on_pool(pool, std::move(write_texts));
  auto files = sink->take_files();
  for (auto& file : files) {
    auto path = sink->folder() / file.name;
    const auto weights = std::make_shared<written_weights>(std::move(path), std::move(file));
    for (bool more = true; more;) {
      auto step = [weights] { return weights->next(); };
      more = co_await io::on_pool(pool, std::move(step));
    }
  }
}

}  // namespace cohub::model
