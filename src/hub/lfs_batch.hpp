#pragma once

#include <boost/system/result.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

/// The LFS batch request and its answer (hub-protocol, section 7.3).
namespace cohub::hub {

struct lfs_object {
  std::string oid{};  ///< sha256
  std::uint64_t size = 0;
};

/// `ref` is the unquoted revision; empty for a pull request that is not open yet.
std::string write_lfs_batch_request(const std::vector<lfs_object>& objects, std::string_view ref,
                                    const std::vector<std::string>& transfers);

struct lfs_batch_request {
  std::string operation{};  ///< "upload" or "download"
  std::string ref{};        ///< the revision that the objects are for; may be empty
  std::vector<std::string> transfers{};
  std::vector<lfs_object> objects{};
  std::string hash_algorithm = "sha256";  ///< of the object ids
};
boost::system::result<lfs_batch_request> read_lfs_batch_request(std::string_view body);

struct lfs_action {
  std::string href{};
  std::vector<std::pair<std::string, std::string>> header{};
};

struct lfs_batch_answer {
  std::string oid{};
  std::uint64_t size = 0;
  std::optional<lfs_action> upload{};  ///< absent: the Hub has the content
  std::optional<lfs_action> verify{};
  int error_code = 0;  ///< 0: no error
  std::string error_message{};
};

struct lfs_batch_reply {
  std::string transfer{};  ///< "basic", "multipart"
  std::vector<lfs_batch_answer> objects{};
};
boost::system::result<lfs_batch_reply> read_lfs_batch_reply(std::string_view body);
std::string write_lfs_batch_reply(const lfs_batch_reply& reply);

}  // namespace cohub::hub
