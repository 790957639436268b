// Trains a classifier, pushes it to a Hub, loads it back from there, and compares the predictions.
//
//   quickstart               starts an embedded Hub in this process
//   HF_ENDPOINT=https://huggingface.co HF_TOKEN=hf_... quickstart [REPO]
//                            uses that Hub; REPO is "iris-softmax" of your own unless named

#include "iris.hpp"
#include "softmax_classifier.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>

#include <cohub/client.hpp>
#include <cohub/local_hub.hpp>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <iterator>
#include <optional>
#include <string>

namespace asio = boost::asio;
namespace fs = std::filesystem;

namespace {

softmax_classifier trained_on(const iris_data& iris) {
  classifier_config config;
  config.classes = iris.species_names;
  config.weight_decay = 1e-3;
  softmax_classifier model(config);
  model.train(iris.rows);
  std::size_t right = 0;
  for (const auto& row : iris.rows) right += model.predict(row.measures) == row.species ? 1 : 0;
  std::cout << "Trained: " << right << " of " << iris.rows.size() << " flowers are told right.\n";
  return model;
}

/// Pushes the model, loads it in another cache from the very commit, and compares.
cohub::awaitable<bool> push_and_load(cohub::client hub, std::string repo, fs::path fresh_cache) {
  const auto iris = read_iris(IRIS_CSV);
  const auto model = trained_on(iris);

  const auto commit = co_await model.push_to_hub(hub, repo);
  std::cout << "Pushed:  " << commit.commit_url << "\n";

  const auto id = commit.repo_id;  // with the owner
  const cohub::download_options of_commit{.revision = commit.oid, .cache_dir = fresh_cache};
  const auto card = co_await hub.download_file(id, "README.md", of_commit);
  std::ifstream text(card);
  std::cout << "\n" << std::string(std::istreambuf_iterator<char>(text), {}) << "\n\n";

  const cohub::from_pretrained_options from{.revision = commit.oid, .cache_dir = fresh_cache};
  const auto loaded = co_await softmax_classifier::from_pretrained(hub, id, from);
  std::size_t same = 0;
  for (const auto& row : iris.rows)  // to the last bit
    same += loaded.logits(row.measures) == model.logits(row.measures) ? 1 : 0;
  std::cout << "Loaded:  " << same << " of " << iris.rows.size() << " predictions are identical.\n";
  co_return same == iris.rows.size();
}

int run(const std::string& repo, const fs::path& folder) {
  asio::io_context context;
  cohub::client_config config;
  config.cache_dir = folder / "cache";
  config.upload_state_dir = folder / "uploads";
  std::optional<cohub::local_hub> local;
  if (std::getenv("HF_ENDPOINT") == nullptr) {
    cohub::local_hub_config serving;
    serving.root = folder / "hub";
    local.emplace(context.get_executor(), serving);
    config.endpoint = local->endpoint();
    config.token = local->create_token("me").token;
  }
  cohub::client hub(context.get_executor(), config);

  int status = 1;
  asio::co_spawn(context, push_and_load(hub, repo, folder / "fresh-cache"),
                 [&](std::exception_ptr failure, bool identical) {
                   status = !failure && identical ? 0 : 1;
                   local.reset();  // stops serving
                   if (failure) std::rethrow_exception(failure);
                 });
  context.run();
  return status;
}

}  // namespace

int main(int argc, char** argv) {
  std::string name = (fs::temp_directory_path() / "quickstart-XXXXXX").string();
  if (mkdtemp(name.data()) == nullptr) return 1;
  int status = 1;
  try {
    status = run(argc > 1 ? argv[1] : "iris-softmax", name);
  } catch (const std::exception& e) {
    std::cerr << "quickstart: " << e.what() << "\n";
  }
  std::error_code ignored;
  fs::remove_all(name, ignored);
  return status;
}
