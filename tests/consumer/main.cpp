// A program of somebody else: it starts a Hub, pushes a file and reads it back.
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>

#include <cohub/client.hpp>
#include <cohub/local_hub.hpp>
#include <filesystem>
#include <fstream>
#include <iostream>

namespace asio = boost::asio;

namespace {

cohub::awaitable<void> push_and_pull(cohub::client hub, std::filesystem::path file) {
  const auto repo = co_await hub.create_repo("consumer");
  const auto commit = co_await hub.upload_file(file, "a.txt", repo.repo_id);
  const auto path = co_await hub.download_file(repo.repo_id, "a.txt");
  std::ifstream stream(path);
  std::string content;
  std::getline(stream, content);
  std::cout << "read back: " << content << std::endl;
}

}  // namespace

int main(int, char** argv) {
  const std::filesystem::path root = argv[1];
  std::ofstream(root / "a.txt") << "hello";
  asio::io_context context;
  cohub::local_hub_config serving;
  serving.root = root / "hub";
  cohub::local_hub local(context.get_executor(), serving);
  cohub::client_config config;
  config.endpoint = local.endpoint();
  config.token = local.create_token("me").token;
  config.cache_dir = root / "cache";
  cohub::client hub(context.get_executor(), config);
  int status = 1;
  asio::co_spawn(context, push_and_pull(hub, root / "a.txt"), [&](std::exception_ptr failure) {
    status = failure ? 1 : 0;
    context.stop();
  });
  context.run();
  return status;
}
