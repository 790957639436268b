#pragma once

#include <string>

namespace cohub::core {

/// Text of a server, which may echo what it was sent, without what must not be shown: what looks
/// like a token of the Hub or follows "Bearer", and the queries of urls, by which signed ones give
/// access.
std::string conceal_secrets(std::string text);

}  // namespace cohub::core
