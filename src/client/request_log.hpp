#pragma once

#include "cohub/observer.hpp"

#include "core/logger.hpp"
#include "http/transport.hpp"

#include <functional>
#include <memory>

namespace cohub::detail {

/// What a transport tells of its requests, made into records of the log and events of the observer:
/// each request, limits that the Hub sets, and its warnings (`X-HF-Warning`: each topic once a
/// process; hub-protocol, section 1.4). Empty where nobody listens.
std::function<void(const http::request_report&)> request_log(
    std::shared_ptr<const core::logger> log, std::shared_ptr<cohub::observer> observer);

}  // namespace cohub::detail
