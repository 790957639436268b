#pragma once

#include "cohub/local_hub.hpp"

#include "http/stream.hpp"
#include "server/wire/message.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

/// What a fault on order does to a request and its answer, but for the answer's body on the wire.
/// Connections outlive the calls.
namespace cohub::server {

/// Holds a connection open without a word until the client goes or the Hub stops.
awaitable<void> stay_silent(http::stream& connection);

/// Waits as long as the fault says; false if nothing is to be answered then.
awaitable<bool> hold_back(hub_fault fault, http::stream& connection);

/// What the fault answers in the handler's place, if it does.
std::optional<reply> answer_of_fault(const hub_fault& fault, const request_head& head);

/// What a fault changes in an answer that is otherwise done.
void alter_reply(const hub_fault& fault, reply& answer);

/// A request's body as far as it is let through.
class cut_body final : public request_body {
 public:
  cut_body(request_body& whole, std::uint64_t limit) : whole_(whole), left_(limit) {}
  awaitable<std::size_t> read_some(std::span<std::byte> buffer) override;

 private:
  request_body& whole_;
  std::uint64_t left_;
};

}  // namespace cohub::server
