#include "run_operation.hpp"

#include "cohub/error.hpp"

#include "progress_display.hpp"
#include "text.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>

#include <exception>
#include <iostream>

namespace cohub::tool {

namespace {

/// What an operation's end means for whoever called the command.
int status_of(const std::exception_ptr& ended, when_interrupted then) {
  if (!ended) return success;
  try {
    std::rethrow_exception(ended);
  } catch (const error& e) {
    print_error(e.what());
  } catch (const boost::system::system_error& e) {
    if (e.code() == asio::error::operation_aborted) {
      print_error(then == when_interrupted::resumable
                      ? "interrupted; the same command goes on where this one stopped"
                      : "interrupted");
      return interrupted;
    }
    print_error(e.what());
  } catch (const std::exception& e) {
    print_error(e.what());
  }
  return failure;
}

}  // namespace

void print_error(const std::string& text) {
  std::cerr << "cohub: " << printable(text) << std::endl;  // servers have a say in it
}

int run_operation(client_config config, std::function<awaitable<void>(client)> operation,
                  when_interrupted then) {
  asio::io_context context(1);
  asio::signal_set signals(context, SIGINT, SIGTERM);
  asio::cancellation_signal cancel;
  std::exception_ptr ended;
  if (!config.observer) config.observer = make_warning_display();
  try {
    client hub(context.get_executor(), config);
    asio::co_spawn(context, operation(hub),
                   asio::bind_cancellation_slot(cancel.slot(), [&](std::exception_ptr failure) {
                     ended = failure;
                     context.stop();
                   }));
    signals.async_wait([&](boost::system::error_code failure, int) {
      if (failure) return;
      cancel.emit(asio::cancellation_type::terminal);
      // Whoever cannot wait for the end of it asks again, and is not held up.
      signals.async_wait([](boost::system::error_code unasked, int) {
        if (!unasked) std::_Exit(interrupted);
      });
    });
    context.run();
  } catch (...) {
    ended = std::current_exception();
  }
  return status_of(ended, then);
}

}  // namespace cohub::tool
