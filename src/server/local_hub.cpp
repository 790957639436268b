#include "cohub/local_hub.hpp"

#include "cohub/error.hpp"

#include "server/handlers/api.hpp"
#include "server/handlers/route_table.hpp"
#include "server/store/hub_store.hpp"
#include "server/wire/listener.hpp"
#include "server/wire/traffic.hpp"

#include <boost/asio/thread_pool.hpp>

#include <algorithm>
#include <functional>
#include <shared_mutex>
#include <utility>

namespace cohub {

namespace {

std::shared_ptr<asio::ssl::context> load_certificate(const local_hub_config& config) {
  if (config.certificate_chain.empty() && config.private_key.empty()) return {};
  auto context = std::make_shared<asio::ssl::context>(asio::ssl::context::tls_server);
  context->set_options(asio::ssl::context::default_workarounds | asio::ssl::context::no_tlsv1 |
                       asio::ssl::context::no_tlsv1_1);
  boost::system::error_code code;
  context->use_certificate_chain_file(config.certificate_chain.string(), code);
  if (!code)
    context->use_private_key_file(config.private_key.string(), asio::ssl::context::pem, code);
  if (code)
    throw error(errc::invalid_argument, "loading the certificate " +
                                            config.certificate_chain.string() + " with the key " +
                                            config.private_key.string() + ": " + code.message());
  return context;
}

std::string without_slash(std::string text) {
  while (text.ends_with('/')) text.pop_back();
  return text;
}

std::string endpoint_of(const std::string& scheme, const std::string& address, std::uint16_t port) {
  // Who listens on all addresses is told to be found on this machine.
  std::string host = address;
  if (host == "0.0.0.0") host = "127.0.0.1";
  if (host == "::") host = "::1";
  if (host.find(':') != host.npos) host = '[' + host + ']';
  return scheme + "://" + host + ':' + std::to_string(port);
}

void change_record(server::hub_store& store, repo_type type, const std::string& repo_id,
                   const std::function<void(server::repo_record&)>& change) {
  if (!store.repos.update(type, repo_id, change))
    throw error(errc::repository_not_found, "changing " + repo_id);
}

/// Hands requests to a handler that is known only once the ports are.
class late_handler final : public server::request_handler {
 public:
  awaitable<server::reply> answer(server::request_head head, server::request_body& body) override {
    return target->answer(std::move(head), body);
  }
  std::shared_ptr<server::request_handler> target{};
};

}  // namespace

struct detail::local_hub_state {
  using owners = std::pair<std::shared_ptr<asio::thread_pool>, std::shared_ptr<asio::thread_pool>>;

  local_hub_state(asio::any_io_executor executor, const local_hub_config& config)
      : store(std::make_shared<server::hub_store>(config)),
        pool(
            std::make_shared<asio::thread_pool>(std::max<std::size_t>(config.blocking_threads, 1))),
        writing_pool(std::make_shared<asio::thread_pool>(
            std::max<std::size_t>(config.blocking_threads, 1))) {
    const server::pools pools{pool->get_executor(), writing_pool->get_executor()};
    const auto tls = load_certificate(config);
    auto handler = std::make_shared<late_handler>();
    server::session_context context;
    context.handler = handler;
    context.traffic = traffic;
    context.pool = pool->get_executor();
    context.pool_owner = std::make_shared<owners>(owners{pool, writing_pool});
    context.idle_limit = config.idle_limit;
    api = std::make_shared<server::listener>(executor, config.address, config.port, tls, context);
    context.content = true;
    context.handler = server::make_content_handler(store, pools);
    content = std::make_shared<server::listener>(executor, config.address, config.content_port, tls,
                                                 context);
    where.scheme = tls ? "https" : "http";
    where.api = without_slash(config.public_endpoint);
    if (where.api.empty()) where.api = endpoint_of(where.scheme, config.address, api->port());
    where.content = without_slash(config.public_content_endpoint);
    where.content_port = content->port();
    if (where.content.empty())
      where.content = endpoint_of(where.scheme, config.address, content->port());
    if (config.rate_limits) limiter = std::make_shared<server::rate_limiter>(*config.rate_limits);
    handler->target = server::make_api_handler(store, pools, where, limiter);
    api->start();
    content->start();
  }

  ~local_hub_state() {
    api->close();
    content->close();
    // What is being answered goes on as far as work on a pool has begun, and owns what it touches.
  }

  std::shared_ptr<server::hub_store> store;
  std::shared_ptr<server::traffic> traffic = std::make_shared<server::traffic>();
  std::shared_ptr<server::rate_limiter> limiter;  // null: no limits
  std::shared_ptr<asio::thread_pool> pool;
  std::shared_ptr<asio::thread_pool> writing_pool;
  std::shared_ptr<server::listener> api;
  std::shared_ptr<server::listener> content;
  server::endpoints where;

  static awaitable<void> stop(std::shared_ptr<local_hub_state> self,
                              std::chrono::milliseconds grace) {
    const auto deadline = std::chrono::steady_clock::now() + grace;
    self->api->begin_stop();
    self->content->begin_stop();
    co_await self->api->wait_until_idle(deadline);
    co_await self->content->wait_until_idle(deadline);
    self->api->close();
    self->content->close();
  }
};

local_hub::local_hub(asio::any_io_executor executor, named<local_hub_config> config)
    : state_(std::make_shared<detail::local_hub_state>(std::move(executor), *config)) {}

local_hub::local_hub(local_hub&&) noexcept = default;
local_hub& local_hub::operator=(local_hub&&) noexcept = default;
local_hub::~local_hub() = default;

std::string local_hub::endpoint() const { return state_->where.api; }
std::string local_hub::content_endpoint() const { return state_->where.content; }

local_hub_token local_hub::create_token(std::string owner, std::string role) {
  return state_->store->tokens.create(std::move(owner), std::move(role));
}
std::vector<local_hub_token> local_hub::tokens() const { return state_->store->tokens.all(); }
void local_hub::set_organization(std::string name, std::vector<std::string> members) {
  state_->store->tokens.set_organization(std::move(name), std::move(members));
}
void local_hub::add_to_organization(std::string name, std::string user) {
  state_->store->tokens.add_member(std::move(name), std::move(user));
}

void local_hub::update_repo_settings(std::string repo_id, named<local_hub_settings> settings) {
  const auto& gated = settings->gated;
  if (gated && !gated->empty() && *gated != "auto" && *gated != "manual")
    throw error(errc::invalid_argument, "gating " + repo_id + ": \"" + *gated + "\"");
  change_record(*state_->store, settings->type, repo_id, [&](server::repo_record& record) {
    if (settings->is_private) record.set_visibility(*settings->is_private ? "private" : "public");
    record.gated = gated.value_or(record.gated);
    record.disabled = settings->disabled.value_or(record.disabled);
  });
}
void local_hub::grant_access(std::string repo_id, std::string user, repo_type type) {
  change_record(*state_->store, type, repo_id,
                [&](server::repo_record& record) { record.set_access(user, "accepted"); });
}
void local_hub::revoke_access(std::string repo_id, std::string user, repo_type type) {
  change_record(*state_->store, type, repo_id,
                [&](server::repo_record& record) { record.set_access(user, {}); });
}

void local_hub::move_repo(std::string from_id, std::string to_id, repo_type type) {
  auto& repos = state_->store->repos;
  const std::string doing = "moving " + from_id + " to " + to_id;
  if (!server::repo_store::is_valid_id(to_id) || !server::is_reachable_id(to_id))
    throw error(errc::invalid_repository_id, doing);
  if (!repos.find(type, from_id)) throw error(errc::repository_not_found, doing);
  const std::shared_lock guard(state_->store->objects_in_use);
  if (!repos.move(type, from_id, to_id)) throw error(errc::conflict, doing);
}

void local_hub::expire_urls() { state_->store->renew_secret(); }
void local_hub::end_rate_limit_window() {
  if (state_->limiter) state_->limiter->end_window();
}

void local_hub::inject(hub_fault fault) { state_->traffic->inject(std::move(fault)); }
void local_hub::clear_faults() { state_->traffic->clear_faults(); }
std::vector<hub_request> local_hub::requests() const { return state_->traffic->requests(); }
std::size_t local_hub::count_requests(std::string_view path_part, std::string_view method) const {
  return state_->traffic->count(path_part, method);
}
void local_hub::clear_requests() { state_->traffic->clear_requests(); }
std::size_t local_hub::peak_content_connections() const {
  return state_->content->peak_connections();
}

awaitable<void> local_hub::stop(std::chrono::milliseconds grace) {
  return detail::local_hub_state::stop(state_, grace);
}

}  // namespace cohub
