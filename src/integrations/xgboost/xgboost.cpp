#include "cohub/xgboost.hpp"

#include "cohub/detail/on_pool.hpp"
#include "cohub/detail/operation.hpp"
#include "cohub/error.hpp"
#include "cohub/load_context.hpp"
#include "cohub/model_card.hpp"

#include <charconv>
#include <filesystem>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace cohub {

namespace {

namespace fs = std::filesystem;
namespace json = boost::json;

constexpr const char* version_key = "xgboost_version";

void check(int status, const std::string& doing) {
  if (status == 0) return;
  // Its message ends with the stack it was thrown on.
  std::string reason = XGBGetLastError();
  reason = reason.substr(0, reason.find("\nStack trace"));
  throw error(errc::invalid_argument, doing + ": " + reason);
}

std::string own_version() {
  int major = 0, minor = 0, patch = 0;
  XGBoostVersion(&major, &minor, &patch);
  return std::to_string(major) + '.' + std::to_string(minor) + '.' + std::to_string(patch);
}

/// The Hub is told of XGBoost, unless the call names another library.
template <class Options>
void name_library(Options& options) {
  if (!options.library_name.empty()) return;
  options.library_name = "xgboost";
  options.library_version = own_version();
}

/// 1 of "1.7.4"; nothing of what is no version.
std::optional<int> major_of(std::string_view version) {
  int major = 0;
  const auto [end, failure] =
      std::from_chars(version.data(), version.data() + version.size(), major);
  if (failure != std::errc() || end == version.data() + version.size() || *end != '.') return {};
  return major;
}

json::value config_of(BoosterHandle booster, const std::optional<json::value>& given) {
  json::object config;
  const bool is_given = given && !given->is_null();
  if (is_given && !given->is_object())
    throw error(errc::invalid_argument, "pushing an XGBoost model: its config must be an object");
  if (is_given) config = given->get_object();
  bst_ulong features = 0;
  check(XGBoosterGetNumFeature(booster, &features), "pushing an XGBoost model");
  config[version_key] = own_version();
  config["num_features"] = static_cast<std::uint64_t>(features);
  return config;
}

model_card card_of(model_info info, template_variables variables) {
  if (!info.metadata().contains("library_name")) info.library_name("xgboost");
  info.tags("xgboost");
  variables.emplace("repo_url", info.repo_url());
  variables.emplace("paper_url", info.paper_url());
  variables.emplace("docs_url", info.docs_url());
  return model_card::from_template(info.metadata(), info.model_card_template(),
                                   std::move(variables));
}

void check_file_name(const std::string& file) {
  const fs::path path(file);
  const bool is_plain = path == path.filename() && !file.empty();
  if (!is_plain || (path.extension() != ".json" && path.extension() != ".ubj"))
    throw error(errc::invalid_argument, "naming an XGBoost model \"" + file.substr(0, 100) +
                                            "\": a file name that ends in .json or .ubj is needed");
}

awaitable<commit_info> push(client hub, BoosterHandle booster, std::string repo_id,
                            push_to_hub_xgboost_options options) {
  check_file_name(options.file);
  options.push.config = config_of(booster, options.push.config);
  name_library(options.push);
  std::function<void(const fs::path&)> write = [booster, options](const fs::path& folder) {
    check(XGBoosterSaveModel(booster, (folder / options.file).c_str()), "writing " + options.file);
    auto card = card_of(options.info, options.push.model_card_variables);
    if (options.push.edit_card) options.push.edit_card(card);
    card.save(folder / "README.md");
  };
  co_return co_await push_with(std::move(hub), std::move(repo_id), std::move(write), options.push);
}

void check_version(const json::object& config) {
  const auto* version = config.if_contains(version_key);
  if (version == nullptr || !version->is_string()) return;  // not pushed from here
  const std::string made_by(version->get_string());
  if (major_of(made_by) > major_of(own_version()))
    throw error(errc::invalid_argument, "loading a model of XGBoost " + made_by.substr(0, 40) +
                                            ": this is " + own_version() + ", update it");
}

from_pretrained_options load_options_of(const fetch_pretrained_options& fetch) {
  from_pretrained_options options;
  options.revision = fetch.revision;
  options.cache_dir = fetch.cache_dir;
  options.force_download = fetch.force_download;
  options.local_files_only = fetch.local_files_only;
  options.token = fetch.token;
  options.library_name = fetch.library_name;
  options.library_version = fetch.library_version;
  options.observer = fetch.observer;
  name_library(options);
  return options;
}

awaitable<xgboost_booster> pull(client hub, std::string id,
                                from_pretrained_xgboost_options options) {
  check_file_name(options.file);
  std::vector<std::string> files;
  files.push_back(options.file);
  // The client stays here until the pool is done: it may be the pool's last owner.
  const auto loading_options = load_options_of(options.fetch);
  const auto context =
      co_await open_pretrained(hub, std::move(id), std::move(files), loading_options);
  auto work = [&context, &options] {
    if (const auto& config = context.config_object()) check_version(*config);
    const auto model = context.file(options.file);
    BoosterHandle handle = nullptr;
    check(XGBoosterCreate(nullptr, 0, &handle), "making a booster");
    xgboost_booster booster(handle);
    check(XGBoosterLoadModel(handle, model.c_str()), "reading " + model.string());
    return booster;
  };
  co_return co_await detail::on_pool(hub.blocking_executor(), std::move(work));
}

}  // namespace

awaitable<commit_info> push_to_hub_xgboost(client hub, BoosterHandle booster, std::string repo_id,
                                           named<push_to_hub_xgboost_options> options) {
  return detail::operation(push(std::move(hub), booster, std::move(repo_id), *std::move(options)));
}

awaitable<xgboost_booster> from_pretrained_xgboost(client hub, std::string id_or_path,
                                                   named<from_pretrained_xgboost_options> options) {
  return detail::operation(pull(std::move(hub), std::move(id_or_path), *std::move(options)));
}

}  // namespace cohub
