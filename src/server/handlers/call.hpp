#pragma once

#include "cohub/repository.hpp"

#include "http/fields.hpp"
#include "server/store/hub_store.hpp"
#include "server/wire/message.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace cohub::server {

/// One request to the API, taken apart.
struct call {
  std::string method{};
  std::string target{};  ///< path and query, encoded
  std::string query{};   ///< encoded, without '?'
  http::fields headers{};
  std::string endpoint{};          ///< what links in the answer begin with: no final '/'
  std::string content_endpoint{};  ///< the same for file contents

  repo_type type = repo_type::model;
  std::string id{};          ///< of the repository, as asked: not yet checked
  std::size_t id_at = 0;     ///< the first segment of the target that belongs to it
  std::size_t id_parts = 0;  ///< how many do; 0: it did not come from the target
  std::string revision{};    ///< decoded; or the name of a branch or tag
  std::string path{};        ///< within the repository, decoded

  std::string body{};  ///< of routes that want it in memory
};

/// Answers a call. Blocking, on the Hub's pool; throws `failure`.
using call_handler = reply (*)(hub_store& store, const call& what);

/// Takes a large body while it arrives. Blocking, on the Hub's pool, one thread at a time; throws
/// `failure`.
class body_consumer {
 public:
  virtual ~body_consumer() = default;
  /// The next bytes, good until the call returns. Not called again once it has thrown.
  virtual void take(std::string_view piece) = 0;
  /// Bytes that it holds, or needs for what it has begun to take.
  virtual std::size_t memory() const noexcept = 0;
  /// The answer, when the body is whole.
  virtual reply finish() = 0;
};

/// Made before the body is read: throws what refuses it. Store and call outlive what it makes.
using consumer_factory = std::unique_ptr<body_consumer> (*)(hub_store& store, const call& what);

struct route {
  call_handler handler = nullptr;       ///< of all routes but those with a consumer
  std::uint64_t body_limit = 0;         ///< in bytes; more is answered 413; 0: no body
  call_handler admission = nullptr;     ///< asked before the body is read: throws what refuses it
  bool writes = false;                  ///< it may wait for others that change the same repository
  consumer_factory consumer = nullptr;  ///< takes the body; without one it is read into memory
};

}  // namespace cohub::server
