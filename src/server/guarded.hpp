#pragma once

#include "cohub/error.hpp"

#include "server/error_reply.hpp"
#include "server/failure.hpp"
#include "server/wire/message.hpp"

#include <exception>
#include <utility>

namespace cohub::server {

/// The answer of `operation`; what it throws becomes an error's answer, the connection's own
/// failures apart. Nothing of an unexpected failure is told: its text may hold paths of this
/// machine.
inline awaitable<reply> guarded(awaitable<reply> operation) {
  reply answer;
  try {
    answer = co_await std::move(operation);
  } catch (const failure& problem) {
    answer = error_reply(problem);
  } catch (const error& problem) {
    const bool full = problem.code() == boost::system::errc::no_space_on_device;
    answer = error_reply(full ? 507 : 500, {}, full ? "The disk is full" : "Internal error");
  } catch (const boost::system::system_error&) {
    throw;
  } catch (const std::exception&) {
    answer = error_reply(500, {}, "Internal error");
  }
  co_return answer;
}

}  // namespace cohub::server
