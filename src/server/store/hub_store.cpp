#include "server/store/hub_store.hpp"

#include "cohub/error.hpp"

#include "server/git/git_handle.hpp"

namespace cohub::server {

namespace {

std::filesystem::path prepared_root(const local_hub_config& config) {
  if (config.root.empty())
    throw error(errc::invalid_argument, "opening a Hub (local_hub_config::root is empty)");
  // libgit2 counts its users; it stays loaded for the life of the process.
  static const int started = git_libgit2_init();
  if (started < 0) throw git_failure("starting libgit2");
  auto root = std::filesystem::absolute(config.root);
  if (!root.has_filename()) root = root.parent_path();  // "folder/"
  io::create_directories(root.parent_path());
  io::create_private_directory(root);  // private repositories are in it
  return root;
}

local_hub_config with_absolute_root(local_hub_config config) {
  config.root = prepared_root(config);
  return config;
}

std::filesystem::path emptied(const std::filesystem::path& folder) {
  std::filesystem::remove_all(folder);
  io::create_directories(folder);
  return folder;
}

constexpr std::size_t secret_length = 32;

std::string make_secret(const std::filesystem::path& file, const std::filesystem::path& temporary) {
  std::string secret = random_bytes(secret_length);
  write_private_file(file, secret, temporary);
  return secret;
}

std::string load_secret(const std::filesystem::path& file, const std::filesystem::path& temporary) {
  if (std::filesystem::exists(file)) {
    std::string secret = io::read_file(file, secret_length);
    if (secret.size() == secret_length) return secret;
  }
  return make_secret(file, temporary);
}

}  // namespace

hub_store::hub_store(const local_hub_config& given)
    : config(with_absolute_root(given)),
      lock_(config.root),
      temporary(emptied(config.root / "tmp")),
      tokens(config.root / "tokens.json", temporary),
      repos(config.root / "repositories", temporary),
      objects(config.root / "objects", temporary),
      uploads(config.root / "uploads"),
      signer(load_secret(config.root / "secret", temporary)) {}

std::optional<std::uint64_t> hub_store::object_size(repo_type type, const std::string& id,
                                                    const std::string& sha256) const {
  if (!repos.has_object(type, id, sha256)) return std::nullopt;
  return objects.size_of(sha256);
}

void hub_store::remove_unheld(const std::vector<std::string>& sha256s) {
  for (const auto& sha256 : repos.unheld(sha256s)) objects.remove(sha256);
}

void hub_store::renew_secret() {
  signer.replace_secret(make_secret(config.root / "secret", temporary));
}

}  // namespace cohub::server
