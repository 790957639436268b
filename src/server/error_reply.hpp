#pragma once

#include "server/failure.hpp"
#include "server/wire/message.hpp"

#include <boost/json/fwd.hpp>

#include <string>

namespace cohub::server {

/// `{"error": message}` with the X-Error-* headers (hub-protocol, section 9.1).
reply error_reply(int status, const std::string& code, const std::string& message);
reply error_reply(const failure& problem);

reply json_reply(const boost::json::value& body, int status = 200);
reply text_reply(std::string body, int status = 200);

}  // namespace cohub::server
