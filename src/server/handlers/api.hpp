#pragma once

#include "server/handlers/rate_limiter.hpp"
#include "server/store/hub_store.hpp"
#include "server/wire/message.hpp"

#include <boost/asio/any_io_executor.hpp>

#include <cstdint>
#include <memory>
#include <string>

namespace cohub::server {

/// Where the listeners can be reached.
struct endpoints {
  std::string scheme = "http";
  std::string api{};  ///< without final '/'
  std::string content{};
  std::uint16_t content_port = 0;
};

/// Where blocking work goes. Who changes a repository waits there for the others who do, and large
/// objects take minutes to be hashed: nobody who only reads shall wait behind that.
struct pools {
  asio::any_io_executor reading{};
  asio::any_io_executor writing{};
};

/// Answers the requests of the API. @param limiter  null: no limits
std::shared_ptr<request_handler> make_api_handler(std::shared_ptr<hub_store> store, pools threads,
                                                  endpoints where,
                                                  std::shared_ptr<rate_limiter> limiter);

/// Answers the requests for file contents: whoever has a signed url may.
std::shared_ptr<request_handler> make_content_handler(std::shared_ptr<hub_store> store,
                                                      pools threads);

}  // namespace cohub::server
