#pragma once

#include "server/wire/message.hpp"

/// Pages of other origins may ask, but with a token of their own alone: nothing here goes by
/// cookies.
namespace cohub::server {

/// Whether a browser asks what it may ask.
bool is_preflight(const request_head& head);
reply preflight_reply(const request_head& head);

/// Lets the page that asked read the answer.
void admit_origin(const request_head& head, reply& answer);

}  // namespace cohub::server
