#pragma once

#include "hub/lfs_batch.hpp"

#include <boost/system/result.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

/// Uploads of one object in parts (hub-protocol, section 7.3).
namespace cohub::hub {

struct multipart_plan {
  std::uint64_t part_size = 0;  ///< of all but the last part
  std::vector<std::string> part_urls{};
  std::string completion_url{};
};

/// The parts that an action asks for; nothing where the object goes in one piece. An action whose
/// parts do not make up `size` bytes is errc::invalid_response.
boost::system::result<std::optional<multipart_plan>> read_multipart_plan(const lfs_action& action,
                                                                         std::uint64_t size);

/// What two plans have in common that are of the same upload, so that parts sent by one count for
/// the other: the upload's id where the addresses have one, else their path.
std::string upload_key(const multipart_plan& plan);

/// When a signed address ends, in Unix seconds, by `X-Amz-Date` and `X-Amz-Expires` or by
/// `Expires`; nothing where it does not say.
std::optional<std::int64_t> url_expiry(std::string_view url);

/// The request that makes the object of its parts; `etags` in their order, as the answers gave
/// them.
std::string write_multipart_completion(std::string_view oid, const std::vector<std::string>& etags);

}  // namespace cohub::hub
