// Answers predictions over HTTP, and takes over a new revision of its model from the Hub while
// requests are in flight. A client in the same program asks all the time, and tells how long it
// waited.
//
//   model_server      starts an embedded Hub in this process; HF_ENDPOINT names another

#include "own_hub.hpp"
#include "scale_model.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http.hpp>

#include <algorithm>
#include <charconv>
#include <iostream>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace asio = boost::asio;
namespace http = boost::beast::http;
using tcp = asio::ip::tcp;
using clock_type = std::chrono::steady_clock;

namespace {

/// Between two looks for a new revision. Our own Hub has nobody else to answer.
constexpr auto sparing = std::chrono::seconds(5);
constexpr auto eager = std::chrono::milliseconds(20);

constexpr int requests_before = 500;
constexpr int requests_after = 500;

/// The number that a request brings; nothing if it is none.
std::optional<double> number_in(const std::string& text) {
  double number = 0;
  const auto* const end = text.data() + text.size();
  const auto [stopped, failure] = std::from_chars(text.data(), end, number);
  if (failure != std::errc() || stopped != end) return std::nullopt;
  return number;
}

/// The model that answers. A request keeps the one it began with.
struct server_state {
  std::shared_ptr<const scale_model> model{};
  std::string revision{};
  bool swapping = false;  ///< from when a new revision is seen until it answers
  bool stopping = false;
  clock_type::duration between_looks = sparing;
  std::exception_ptr failure{};  ///< of the push beside the requests
};
using state_ptr = std::shared_ptr<server_state>;

cohub::awaitable<void> answer_requests(state_ptr state, tcp::socket socket) {
  boost::beast::flat_buffer buffer;
  for (;;) {
    http::request<http::string_body> request;
    boost::system::error_code ended;
    co_await http::async_read(socket, buffer, request,
                              asio::redirect_error(asio::use_awaitable, ended));
    if (ended) co_return;
    const auto model = state->model;
    const auto number = number_in(request.body());
    const auto status = number ? http::status::ok : http::status::bad_request;
    http::response<http::string_body> reply(status, request.version());
    reply.keep_alive(request.keep_alive());
    reply.body() = number ? std::to_string((*model)(*number)) : "The body is not a number\n";
    reply.prepare_payload();
    co_await http::async_write(socket, reply, asio::redirect_error(asio::use_awaitable, ended));
    if (ended) co_return;  // whoever asked has gone
  }
}

cohub::awaitable<void> serve(state_ptr state, std::shared_ptr<tcp::acceptor> acceptor) {
  for (;;) {
    boost::system::error_code closed;
    auto socket =
        co_await acceptor->async_accept(asio::redirect_error(asio::use_awaitable, closed));
    if (closed) co_return;
    asio::co_spawn(acceptor->get_executor(), answer_requests(state, std::move(socket)),
                   asio::detached);
  }
}

/// Loads a new revision, if there is one, beside the old one, and puts it in its place.
cohub::awaitable<void> take_over(cohub::client hub, std::string repo, state_ptr state) {
  cohub::repo_info_options only_revision;
  only_revision.expand.emplace_back("sha");
  const auto info = co_await hub.repo_info(repo, only_revision);
  if (info.sha == state->revision) co_return;
  state->swapping = true;
  const cohub::from_pretrained_options of{.revision = info.sha};
  auto loaded = co_await scale_model::from_pretrained(hub, repo, of);
  state->model = std::make_shared<const scale_model>(std::move(loaded));
  state->revision = info.sha;
}

/// Looks for a new revision from time to time. Where the Hub fails, the old model goes on.
cohub::awaitable<void> follow_hub(cohub::client hub, std::string repo, state_ptr state) {
  asio::steady_timer timer(hub.get_executor());
  while (!state->stopping) {
    try {
      co_await take_over(hub, repo, state);
    } catch (const boost::system::system_error& e) {
      if (e.code() == asio::error::operation_aborted) throw;
      std::cerr << "model_server: staying with " << state->revision << ": " << e.what() << "\n";
    } catch (const std::exception& e) {  // what loading it met
      std::cerr << "model_server: staying with " << state->revision << ": " << e.what() << "\n";
    }
    state->swapping = false;
    timer.expires_after(state->between_looks);
    co_await timer.async_wait(asio::use_awaitable);
  }
}

cohub::awaitable<void> push_improved(cohub::client hub, std::string repo) {
  const scale_model improved(scale_config{.scale = 3});
  co_await improved.push_to_hub(hub, repo);
}

/// What the client saw: waits in microseconds, and the answers.
struct observations {
  std::vector<double> waits{};
  std::vector<double> waits_in_swap{};
  std::size_t by_old = 0;
  std::size_t by_new = 0;
  std::size_t wrong = 0;
};

/// Asks until so many answers came from the new model.
cohub::awaitable<observations> ask(cohub::client hub, std::string repo, state_ptr state,
                                   tcp::endpoint server) {
  tcp::socket socket(hub.get_executor());
  co_await socket.async_connect(server, asio::use_awaitable);
  boost::beast::flat_buffer buffer;
  observations seen;
  for (int i = 0; seen.by_new < requests_after; ++i) {
    if (state->failure) std::rethrow_exception(state->failure);
    // The new revision goes to the Hub while requests go on.
    if (i == requests_before)
      asio::co_spawn(hub.get_executor(), push_improved(hub, repo),
                     [state](std::exception_ptr failure) { state->failure = failure; });
    http::request<http::string_body> request(http::verb::post, "/predict", 11);
    request.set(http::field::host, "localhost");
    request.body() = "14";
    request.prepare_payload();
    const bool began_in_swap = state->swapping;
    const auto begin = clock_type::now();
    co_await http::async_write(socket, request, asio::use_awaitable);
    http::response<http::string_body> reply;
    co_await http::async_read(socket, buffer, reply, asio::use_awaitable);
    seen.waits.push_back(
        std::chrono::duration<double, std::micro>(clock_type::now() - begin).count());
    if (began_in_swap || state->swapping) seen.waits_in_swap.push_back(seen.waits.back());
    if (reply.body() == std::to_string(28.0))
      ++seen.by_old;
    else if (reply.body() == std::to_string(42.0))
      ++seen.by_new;
    else
      ++seen.wrong;
  }
  co_return seen;
}

void tell_waits(const std::string& when, std::vector<double> waits) {
  std::cout << "Waited " << when << " (" << waits.size() << " requests, microseconds): ";
  if (waits.empty()) {
    std::cout << "nobody\n";
    return;
  }
  std::sort(waits.begin(), waits.end());
  const auto percentile = [&](double part) {
    return waits[static_cast<std::size_t>(part * static_cast<double>(waits.size() - 1))];
  };
  std::cout << "median " << percentile(0.5) << ", 99 % " << percentile(0.99) << ", longest "
            << waits.back() << "\n";
}

void tell(const observations& seen) {
  std::cout << seen.waits.size() << " requests: " << seen.by_old << " answered by the old model, "
            << seen.by_new << " by the new one, " << seen.wrong << " by neither\n";
  tell_waits("in all", seen.waits);
  tell_waits("during the swap", seen.waits_in_swap);
}

cohub::awaitable<bool> run(cohub::client hub, clock_type::duration between_looks) {
  const scale_model first(scale_config{.scale = 2});
  const auto repo = co_await hub.get_full_repo_name("scale");  // "me/scale"
  const auto pushed = co_await first.push_to_hub(hub, repo);
  auto state = std::make_shared<server_state>();
  state->between_looks = between_looks;
  const cohub::from_pretrained_options of{.revision = pushed.oid};
  auto loaded = co_await scale_model::from_pretrained(hub, repo, of);
  state->model = std::make_shared<const scale_model>(std::move(loaded));
  state->revision = pushed.oid;

  const auto executor = hub.get_executor();
  auto acceptor =
      std::make_shared<tcp::acceptor>(executor, tcp::endpoint(asio::ip::address_v4::loopback(), 0));
  asio::co_spawn(executor, serve(state, acceptor), asio::detached);
  asio::co_spawn(executor, follow_hub(hub, repo, state), asio::detached);
  auto seen = co_await ask(hub, repo, state, acceptor->local_endpoint());
  state->stopping = true;
  acceptor->close();
  tell(seen);
  co_return seen.wrong == 0 && seen.by_old >= requests_before;
}

}  // namespace

int main() {
  asio::io_context context;
  own_hub hub(context.get_executor());
  bool swapped = false;
  const auto between_looks = hub.is_here() ? clock_type::duration(eager) : sparing;
  asio::co_spawn(context, run(hub.client(), between_looks),
                 [&](std::exception_ptr failure, bool done) {
                   swapped = done;
                   hub.stop_serving();
                   if (failure) std::rethrow_exception(failure);
                 });
  try {
    context.run();
  } catch (const std::exception& e) {
    std::cerr << "model_server: " << e.what() << "\n";
  }
  std::cout << (swapped ? "The model was swapped without a missed beat.\n" : "A request failed.\n");
  return swapped ? 0 : 1;
}
