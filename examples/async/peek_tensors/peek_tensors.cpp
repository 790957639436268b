// Lists the tensors of a model on a Hub and loads one of them, without downloading the files.
//
//   peek_tensors                    starts an embedded Hub in this process, and puts a model there
//   HF_ENDPOINT=https://huggingface.co peek_tensors REPO [TENSOR]

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>

#include <algorithm>
#include <cohub/client.hpp>
#include <cohub/local_hub.hpp>
#include <cohub/on_pool.hpp>
#include <cohub/remote_safetensors.hpp>
#include <cstdlib>
#include <filesystem>
#include <iomanip>
#include <iostream>
#include <optional>
#include <string>
#include <vector>

namespace asio = boost::asio;
namespace fs = std::filesystem;

namespace {

void write_model(const fs::path& folder) {
  const std::vector<float> weight(4096 * 1024, 0.25f);
  const std::vector<float> bias{1, 2, 3, 4};
  std::vector<cohub::tensor_source> tensors;
  tensors.push_back(cohub::tensor_of("proj.weight", {4096, 1024}, weight));
  tensors.push_back(cohub::tensor_of("proj.bias", {4}, bias));
  fs::create_directories(folder);
  cohub::save_safetensors(folder / "model.safetensors", std::move(tensors));
}

cohub::awaitable<void> put_model(cohub::client hub, std::string repo, fs::path folder) {
  auto write = [folder] { write_model(folder); };  // blocks, so not here
  auto writing = cohub::on_pool(hub.blocking_executor(), std::move(write));
  co_await std::move(writing);
  co_await hub.create_repo(repo);
  co_await hub.upload_folder(folder, repo);
}

cohub::awaitable<void> peek(cohub::client hub, std::string repo, std::string wanted) {
  const auto model = co_await cohub::open_safetensors(hub, repo);
  const auto metadata = co_await model.get_metadata();
  for (const auto& [file, header] : metadata.files_metadata)
    for (const auto& [name, tensor] : header.tensors) {
      std::cout << std::left << std::setw(48) << name << std::setw(8) << tensor.dtype << "[";
      for (std::size_t i = 0; i < tensor.shape.size(); ++i)
        std::cout << (i > 0 ? ", " : "") << tensor.shape[i];
      std::cout << "]  " << file << "\n";
    }
  for (const auto& [dtype, count] : metadata.parameter_count)
    std::cout << count << " parameters of " << dtype << "\n";

  const auto tensor = co_await model.load_tensor(wanted);
  std::cout << tensor.name() << ": " << tensor.bytes().size() << " bytes";
  if (tensor.dtype() == cohub::tensor_dtype::f32)
    for (const float value : tensor.as<float>().first(
             std::min<std::size_t>(4, static_cast<std::size_t>(tensor.element_count()))))
      std::cout << " " << value;
  std::cout << "\n";
}

cohub::awaitable<void> put_and_peek(cohub::client hub, std::string repo, fs::path folder) {
  co_await put_model(hub, repo, folder);
  co_await peek(hub, repo, "proj.bias");
}

}  // namespace

int main(int argc, char** argv) {
  std::string folder = (fs::temp_directory_path() / "peek-XXXXXX").string();
  if (mkdtemp(folder.data()) == nullptr) return 1;
  asio::io_context context;
  cohub::client_config config;
  std::optional<cohub::local_hub> local;
  int status = 1;
  const auto done = [&](std::exception_ptr failure) {
    local.reset();  // stops serving
    if (failure) std::rethrow_exception(failure);
    status = 0;
  };
  try {
    if (argc > 1) {
      cohub::client hub(context.get_executor(), config);
      asio::co_spawn(context, peek(hub, argv[1], argc > 2 ? argv[2] : "lm_head.weight"), done);
      context.run();
    } else {
      cohub::local_hub_config serving;
      serving.root = fs::path(folder) / "hub";
      local.emplace(context.get_executor(), serving);
      config.endpoint = local->endpoint();
      config.token = local->create_token("me").token;
      config.cache_dir = fs::path(folder) / "cache";
      config.upload_state_dir = fs::path(folder) / "uploads";
      cohub::client hub(context.get_executor(), config);
      asio::co_spawn(context, put_and_peek(hub, "me/tiny", fs::path(folder) / "model"), done);
      context.run();
    }
  } catch (const std::exception& e) {
    std::cerr << "peek_tensors: " << e.what() << "\n";
  }
  std::error_code ignored;
  fs::remove_all(folder, ignored);
  return status;
}
