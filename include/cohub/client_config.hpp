#pragma once

#include "cohub/awaitable.hpp"
#include "cohub/log.hpp"
#include "cohub/observer.hpp"

#include <boost/asio/any_io_executor.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>

namespace cohub {

/// Limits on how long the network may keep an operation waiting. Zero means no limit.
struct time_limits {
  std::chrono::milliseconds connect{10'000};  ///< resolve, connect and TLS handshake together
  std::chrono::milliseconds first_byte{
      60'000};  ///< from the request's last byte to the end of the answer's head
  /// `first_byte` of a commit, and of the end of a large upload, where that is not longer: the Hub
  /// takes minutes for a commit of many files, and a store for an object of many parts.
  std::chrono::milliseconds commit{600'000};
  /// Silence inside a body, either way; or waiting so long in all for less than 1,024 bytes a
  /// second.
  std::chrono::milliseconds stall{30'000};
  /// The HEAD before a download (`etag_timeout`), from when it has a connection: waiting in line
  /// for one does not count.
  std::chrono::milliseconds metadata{10'000};
};

/// How often and after how long a failed request that may be repeated is sent again.
struct retry_limits {
  std::size_t attempts = 6;                     ///< tries in all; 1 never repeats
  std::chrono::milliseconds base_delay{1'000};  ///< before the second try; doubles from there
  std::chrono::milliseconds max_delay{8'000};   ///< of the doubling; each wait is jittered below it
  /// A longer `Retry-After` is an error at once. By default the Hub's whole window is waited for.
  std::chrono::milliseconds max_retry_after{300'000};
  /// Of all requests of the client to one origin together, since it last succeeded: beyond,
  /// failures are final at once. Going on with a content of which the last try brought more is no
  /// retry in this sense.
  std::size_t budget = 1'000;
};

/// Everything a `client` is made with. An unset member falls back to the environment that the
/// Python client reads (hub-protocol, section 1.1), then to the built-in default.
struct client_config {
  std::string endpoint{};  ///< empty: `HF_ENDPOINT`, else `https://huggingface.co`
  /// "" sends none. Unset: `HF_TOKEN`, else `HUGGING_FACE_HUB_TOKEN`, else the token file; none of
  /// them where `HF_HUB_DISABLE_IMPLICIT_TOKEN` is set.
  std::optional<std::string> token{};
  /// Empty: `HF_HUB_CACHE`, else `HUGGINGFACE_HUB_CACHE`, else `$HF_HOME/hub`.
  std::filesystem::path cache_dir{};
  /// PEM, or a folder as c_rehash leaves it. Empty: `SSL_CERT_FILE` and `SSL_CERT_DIR`, else
  /// `REQUESTS_CA_BUNDLE`, else `CURL_CA_BUNDLE`, else the system's store.
  std::filesystem::path ca_file{};
  /// "http://user:password@host:port" for all requests; "" for none; unset: `HTTP_PROXY`,
  /// `HTTPS_PROXY` and `ALL_PROXY` by the scheme of the target, in lower or upper case. Plain
  /// requests are handed to the proxy, https goes through a tunnel (CONNECT). The user and password
  /// are percent-decoded, sent to the proxy alone, and never printed.
  std::optional<std::string> proxy{};
  /// Comma list of targets that are reached without the proxy: "*", "example.com" (and all below
  /// it), ".example.com" (only those below it), addresses, networks ("10.0.0.0/8"), "host:port".
  /// Unset: `NO_PROXY`.
  std::optional<std::string> no_proxy{};
  /// Where uploads note what is done, so that another process goes on after a crash: hashes of
  /// large files, finished parts and the signed addresses of the others (files of mode 0600). If
  /// empty, `$HF_HOME/cohub/uploads`. What cannot be written there is not remembered.
  std::filesystem::path upload_state_dir{};
  std::string library_name{};  ///< put in front of the user agent with `library_version`
  std::string library_version{};
  /// True refuses every request. Unset: `HF_HUB_OFFLINE`, else `TRANSFORMERS_OFFLINE`.
  std::optional<bool> offline{};

  std::size_t max_connections = 16;  ///< open to one origin at a time
  /// Open to all origins together, idle ones included; at least `max_connections` hold, whatever
  /// this says. Beyond, the one that was idle longest is closed, else requests wait in line.
  std::size_t max_total_connections = 64;
  /// Bytes of file content in buffers, of the whole client. Not in it: 128 KiB that TLS takes for
  /// each open connection, and the Hub's answers to questions, of at most 64 MiB each.
  std::uint64_t buffer_budget = 32u << 20;
  /// `HF_HUB_DOWNLOAD_TIMEOUT` takes the place of those that have their default value, for
  /// requests of file contents.
  time_limits timeouts{};
  retry_limits retries{};

  /// Where files are read and written and digests computed. Empty: a pool of the client's own with
  /// `blocking_threads` threads. It must not be the executor of the client (that is
  /// errc::invalid_argument), and must outlive it.
  asio::any_io_executor blocking_executor{};
  std::size_t blocking_threads = 2;

  std::shared_ptr<cohub::observer> observer{};  ///< of every transfer that names no other

  /// Told of requests (debug), transfers (debug to warning) and the Hub's warnings, from any
  /// thread. Empty: standard error where `HF_HUB_VERBOSITY` or `HF_DEBUG` name a level, else
  /// nothing.
  log_sink log{};
  log_level log_threshold = log_level::info;  ///< the least that `log` is told
};

}  // namespace cohub
