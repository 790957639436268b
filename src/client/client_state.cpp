#include "client/client_state.hpp"

#include "cohub/error.hpp"
#include "cohub/version.hpp"

#include "client/request_log.hpp"
#include "core/environment.hpp"
#include "core/logger.hpp"
#include "core/url.hpp"
#include "hub/user_agent.hpp"
#include "transfer/event_log.hpp"
#include "transfer/upload/upload_journal.hpp"

#include <boost/asio/system_executor.hpp>

#include <algorithm>
#include <utility>

namespace cohub::detail {

namespace {

// One thread can always move a block, and one small file be held.
constexpr std::uint64_t smallest_budget = 4 * transfer::block_stack::block_size;

/// "<library>/<version>; cohub/<version>; c++/20" (hub-protocol, section 1.4).
std::string user_agent(const client_config& config) {
  std::string library = config.library_name;
  if (!library.empty() && !config.library_version.empty()) library += '/' + config.library_version;
  const std::string own = std::string("cohub/") + version + "; c++/20";
  std::string origin;
  if (const auto value = core::environment_value("HF_HUB_USER_AGENT_ORIGIN"))
    origin = "origin/" + *value;
  return hub::join_user_agent({library, own, origin});
}

/// What `HF_HUB_ETAG_TIMEOUT` imposes; its default value imposes nothing (hub-protocol,
/// section 1.1).
std::optional<std::chrono::milliseconds> imposed_etag_timeout() {
  const auto value = core::environment_seconds("HF_HUB_ETAG_TIMEOUT");
  if (!value || *value == std::chrono::seconds(10)) return {};
  return *value;
}

/// `HF_HUB_DOWNLOAD_TIMEOUT` holds for each step of a request for content, unless the program set
/// that step's limit.
std::optional<time_limits> content_timeouts(const time_limits& configured) {
  const auto value = core::environment_seconds("HF_HUB_DOWNLOAD_TIMEOUT");
  if (!value) return {};
  const time_limits untouched;
  auto limits = configured;
  if (limits.connect == untouched.connect) limits.connect = *value;
  if (limits.first_byte == untouched.first_byte) limits.first_byte = *value;
  if (limits.stall == untouched.stall) limits.stall = *value;
  return limits;
}

/// A url without the user and password that may stand before its host: no request is sent with
/// them, and the endpoint is printed.
std::string without_user(std::string url) {
  const auto host = std::min(url.find("://"), url.size() - 3) + 3;
  const auto end = std::min(url.find_first_of("/?#", host), url.size());
  const auto at = url.rfind('@', end);
  if (at != url.npos && at >= host) url.erase(host, at + 1 - host);
  return url;
}

std::string checked_endpoint(std::string endpoint) {
  while (endpoint.ends_with('/')) endpoint.pop_back();
  if (core::parse_url(endpoint) && endpoint.find_first_of("?#") == endpoint.npos)
    return without_user(std::move(endpoint));
  // Nobody knows where in it a password may be.
  const auto shown = endpoint.find('@') == endpoint.npos ? " \"" + endpoint + '"' : std::string();
  throw error(errc::invalid_url, "the endpoint" + shown +
                                     " (HF_ENDPOINT) must begin with http:// or https:// and have "
                                     "no query");
}

core::logger make_logger(const client_config& config) {
  if (config.log) return {config.log, config.log_threshold};
  if (const auto level = core::environment_log_level()) return {log_to_stderr(), *level};
  return {{}, log_level::error};
}

http::proxy_settings proxies_of(const client_config& config) {
  auto settings = http::read_proxy_settings();
  if (config.no_proxy) settings.bypass = *config.no_proxy;
  if (!config.proxy) return settings;
  if (!config.proxy->empty() && !http::parse_proxy(*config.proxy))
    throw error(errc::invalid_url, "client_config::proxy must be http://[user:password@]host:port");
  settings.http = settings.https = {};
  settings.all = *config.proxy;
  return settings;
}

http::transport_config transport_settings(const client_config& config) {
  http::transport_config settings;
  settings.timeouts = config.timeouts;
  settings.retries = config.retries;
  settings.max_connections = config.max_connections;
  settings.max_total_connections = config.max_total_connections;
  settings.ca_file = config.ca_file;
  settings.proxies = proxies_of(config);
  settings.user_agent = user_agent(config);
  return settings;
}

}  // namespace

client_state make_client_state(asio::any_io_executor executor, client_config config) {
  if (executor.target<asio::thread_pool::executor_type>() != nullptr ||
      executor.target<asio::system_executor>() != nullptr)
    throw error(errc::invalid_argument,
                "making a client (a pool of threads runs several things at once: give the client "
                "asio::make_strand(pool.get_executor()))");
  if (config.blocking_executor && config.blocking_executor == executor)
    throw error(errc::invalid_argument,
                "client_config::blocking_executor must not be the client's own executor");
  if (config.max_connections == 0)
    throw error(errc::invalid_argument, "client_config::max_connections must not be 0");
  auto shared = std::make_shared<transfer::context>();
  shared->endpoint =
      checked_endpoint(config.endpoint.empty() ? core::hub_endpoint() : config.endpoint);
  if (config.token) shared->token = core::clean_token(*config.token).value_or(std::string());
  if (!shared->token && !core::environment_flag("HF_HUB_DISABLE_IMPLICIT_TOKEN"))
    shared->token = core::discover_token();
  shared->cache_dir = config.cache_dir.empty() ? core::hub_cache_directory()
                                               : core::expand_path(config.cache_dir.string());
  shared->journal = std::make_shared<transfer::upload_journal>(
      config.upload_state_dir.empty() ? core::hub_home() / "cohub" / "uploads"
                                      : core::expand_path(config.upload_state_dir.string()));
  shared->offline = config.offline.value_or(core::hub_offline());
  shared->disable_symlinks = core::environment_flag("HF_HUB_DISABLE_SYMLINKS");
  shared->timeouts = config.timeouts;
  shared->imposed_etag_timeout = imposed_etag_timeout();
  shared->content_timeouts = content_timeouts(config.timeouts);
  shared->user_agent = user_agent(config);
  shared->retries = config.retries;
  const auto budget = std::max(config.buffer_budget, smallest_budget);
  const auto block_bytes = budget / 4;
  shared->blocks = std::make_shared<transfer::block_stack>(
      static_cast<std::size_t>(block_bytes / transfer::block_stack::block_size));
  shared->buffer_bytes = std::make_shared<io::fair_semaphore>(budget - block_bytes);
  shared->turns = std::make_shared<transfer::content_turns>(config.max_connections);
  shared->observer = config.observer;
  if (config.blocking_executor) {
    shared->pool = config.blocking_executor;
  } else {
    shared->own_threads =
        std::make_shared<asio::thread_pool>(std::max<std::size_t>(config.blocking_threads, 1));
    shared->pool = shared->own_threads->get_executor();
  }
  const auto log = std::make_shared<const core::logger>(make_logger(config));
  if (log->wants(log_level::error)) shared->event_log = std::make_shared<transfer::event_log>(log);
  auto settings = transport_settings(config);
  settings.on_request = request_log(log, config.observer);
  settings.blocking_executor = shared->pool;
  shared->transport = std::make_shared<http::transport>(executor, std::move(settings));

  client_state state;
  state.executor = std::move(executor);
  state.shared = std::move(shared);
  return state;
}

client_state identify(const client_state& state, const std::string& library_name,
                      const std::string& library_version) {
  auto shared = std::make_shared<transfer::context>(*state.shared);
  const auto library =
      library_version.empty() ? library_name : library_name + '/' + library_version;
  shared->user_agent = hub::join_user_agent({library, state.shared->user_agent});
  client_state result = state;
  result.shared = std::move(shared);
  return result;
}

}  // namespace cohub::detail
