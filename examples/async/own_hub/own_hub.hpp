#pragma once

#include <boost/asio/any_io_executor.hpp>

#include <cohub/client.hpp>
#include <cohub/local_hub.hpp>
#include <cstdlib>
#include <filesystem>
#include <optional>
#include <stdexcept>
#include <string>

/// What the examples run against: a Hub in this process, in a folder that goes when the program
/// ends; or, unless that is to be, the one that HF_ENDPOINT names.
class own_hub {
 public:
  enum class which { as_environment_says, always_here };

  explicit own_hub(boost::asio::any_io_executor executor, which hub = which::as_environment_says)
      : folder_(make_folder()) {
    cohub::client_config config;
    config.cache_dir = folder_ / "cache";
    config.upload_state_dir = folder_ / "uploads";
    if (hub == which::always_here || std::getenv("HF_ENDPOINT") == nullptr) {
      cohub::local_hub_config serving;
      serving.root = folder_ / "hub";
      local_.emplace(executor, serving);
      config.endpoint = local_->endpoint();
      config.token = local_->create_token("me").token;
      token_ = *config.token;
    }
    client_.emplace(executor, config);
  }
  own_hub(own_hub&&) = delete;
  ~own_hub() {
    client_.reset();
    local_.reset();
    std::error_code ignored;
    std::filesystem::remove_all(folder_, ignored);
  }

  cohub::client client() const { return *client_; }
  bool is_here() const { return local_.has_value(); }
  std::string endpoint() const { return client_->endpoint(); }
  const std::string& token() const { return token_; }
  const std::filesystem::path& folder() const { return folder_; }
  /// Lets `io_context::run` end.
  void stop_serving() { local_.reset(); }

 private:
  static std::filesystem::path make_folder() {
    std::string name = (std::filesystem::temp_directory_path() / "cohub-example-XXXXXX").string();
    if (mkdtemp(name.data()) == nullptr) throw std::runtime_error("no temporary folder");
    return name;
  }

  std::filesystem::path folder_;
  std::optional<cohub::local_hub> local_;
  std::optional<cohub::client> client_;
  std::string token_;
};
