// What weights cost: making and pushing a model in shards, loading it, reading headers. Run by
// weights_benchmark.py; prints seconds.
//
//   weights_benchmark push REPO MIB FOLDER  saves shards, made as they are needed, and pushes them
//   weights_benchmark load REPO             fetches them or finds them in the cache; looks at all
//   weights_benchmark look FOLDER           opens the shards of a folder; looks at all
//   weights_benchmark copy FOLDER           the same, each tensor copied into memory first
//   weights_benchmark read MIB FILE...      reads files through one buffer of that size; looks at
//   all weights_benchmark header TENSORS        parses a header of so many tensors

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>

#include <chrono>
#include <cohub/client.hpp>
#include <cohub/download_safetensors.hpp>
#include <cohub/safetensors_model.hpp>
#include <cohub/state_dict.hpp>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <iostream>
#include <string>
#include <vector>

namespace asio = boost::asio;
namespace fs = std::filesystem;
using clock_type = std::chrono::steady_clock;

namespace {

constexpr std::uint64_t mib = 1u << 20;
constexpr std::uint64_t tensor_mib = 64;

double seconds_since(clock_type::time_point begin) {
  return std::chrono::duration<double>(clock_type::now() - begin).count();
}

std::vector<cohub::tensor_source> make_tensors(std::uint64_t total_mib) {
  std::vector<cohub::tensor_source> tensors;
  for (std::uint64_t i = 0; i < total_mib / tensor_mib; ++i) {
    cohub::tensor_source tensor;
    tensor.name = "layer." + std::to_string(i) + ".weight";
    tensor.shape = {tensor_mib, mib / sizeof(float)};
    tensor.content = [i](const cohub::tensor_sink& out) {
      std::vector<std::uint32_t> row(mib / sizeof(float));
      std::uint64_t state = 88172645463325252ull + i;
      for (std::uint64_t r = 0; r < tensor_mib; ++r) {
        for (auto& value : row) {  // xorshift: no two rows are alike
          state ^= state << 13;
          state ^= state >> 7;
          state ^= state << 17;
          value = static_cast<std::uint32_t>(state) & 0x3fffffffu;
        }
        out(std::as_bytes(std::span(row)));
      }
    };
    tensors.push_back(std::move(tensor));
  }
  return tensors;
}

std::uint64_t sum_of(std::span<const std::byte> bytes) {
  std::uint64_t sum = 0, word = 0;
  for (std::size_t i = 0; i + sizeof word <= bytes.size(); i += sizeof word) {
    std::memcpy(&word, bytes.data() + i, sizeof word);
    sum += word;
  }
  return sum;
}

std::uint64_t look_at(const fs::path& path) {
  const cohub::safetensors_model model(path);
  std::uint64_t sum = 0;
  for (std::size_t i = 0; i < model.size(); ++i) sum += sum_of(model[i].bytes());
  return sum;
}

/// Into memory of the caller's, which is there before, as a model's members are.
std::uint64_t copy(const fs::path& path) {
  const cohub::safetensors_model model(path);
  std::vector<std::byte> room(tensor_mib * mib);
  std::uint64_t sum = 0;
  for (std::size_t i = 0; i < model.size(); ++i) {
    const auto into = std::span(room).first(model[i].bytes().size());
    model[i].copy_to(into);
    sum += sum_of(into);
  }
  return sum;
}

std::uint64_t read_file(const std::string& name, std::span<std::byte> buffer) {
  std::FILE* file = std::fopen(name.c_str(), "rb");
  if (file == nullptr) throw std::runtime_error(name);
  std::setvbuf(file, nullptr, _IONBF, 0);
  std::uint64_t sum = 0;
  for (std::size_t count; (count = std::fread(buffer.data(), 1, buffer.size(), file)) > 0;)
    sum += sum_of(buffer.first(count));
  std::fclose(file);
  return sum;
}

cohub::awaitable<void> push(cohub::client hub, std::string repo, fs::path folder) {
  const cohub::create_repo_options existing{.exist_ok = true};
  const auto made = co_await hub.create_repo(repo, existing);
  co_await hub.upload_folder(folder, made.repo_id);
}

cohub::awaitable<void> fetch(cohub::client hub, std::string repo) {
  const auto path = co_await cohub::download_safetensors(hub, repo);
  const auto sum = look_at(path);
  std::cerr << sum << "\n";
}

void run(asio::io_context& context, cohub::awaitable<void> operation) {
  std::exception_ptr failure;
  asio::co_spawn(context, std::move(operation),
                 [&](std::exception_ptr ended) { failure = std::move(ended); });
  context.run();
  if (failure) std::rethrow_exception(failure);
}

double measure(const std::vector<std::string>& words) {
  asio::io_context context;
  if (words.at(0) == "header") {
    std::vector<cohub::tensor_source> tensors;
    const float value = 0;
    for (int i = 0; i < std::stoi(words.at(1)); ++i)
      tensors.push_back(cohub::tensor_of("model.layers." + std::to_string(i) + ".weight", {1},
                                         std::span(&value, 1)));
    const auto path = fs::temp_directory_path() / "weights-benchmark.safetensors";
    cohub::save_safetensors(path, std::move(tensors));
    const auto begin = clock_type::now();
    const cohub::safetensors_file file(path);
    const auto taken = seconds_since(begin);
    fs::remove(path);
    return taken;
  }
  if (words.at(0) == "push") {
    const fs::path folder = words.at(3);
    const cohub::save_state_dict_options options{.max_shard_size = "500MB"};
    const auto begin = clock_type::now();
    cohub::save_state_dict(folder, make_tensors(std::stoull(words.at(2))), options);
    cohub::client hub(context.get_executor());
    run(context, push(hub, words.at(1), folder));
    return seconds_since(begin);
  }
  const auto begin = clock_type::now();
  std::uint64_t sum = 0;
  if (words.at(0) == "load") {
    cohub::client hub(context.get_executor());
    run(context, fetch(hub, words.at(1)));
  } else if (words.at(0) == "look") {
    sum = look_at(words.at(1));
  } else if (words.at(0) == "copy") {
    sum = copy(words.at(1));
  } else {
    std::vector<std::byte> buffer(std::stoull(words.at(1)) * mib);
    for (std::size_t i = 2; i < words.size(); ++i) sum += read_file(words[i], buffer);
  }
  if (sum != 0) std::cerr << sum << "\n";
  return seconds_since(begin);
}

}  // namespace

int main(int argc, char** argv) {
  try {
    std::cout << measure({argv + 1, argv + argc}) << std::endl;
    return 0;
  } catch (const std::exception& e) {
    std::cerr << "weights_benchmark: " << e.what() << std::endl;
    return 1;
  }
}
