#pragma once

#include <boost/system/result.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

/// The question which files are large objects (hub-protocol, section 7.2).
namespace cohub::hub {

enum class upload_mode { regular, lfs };

/// How many bytes of a file the Hub judges it by.
inline constexpr std::size_t sample_size = 512;

struct preupload_file {
  std::string path{};
  std::uint64_t size = 0;
  std::string sample{};  ///< the first of them, raw
};

/// `git_ignore` and `git_attributes`, the new ones of this very commit, are left out where they are
/// empty.
std::string write_preupload_request(const std::vector<preupload_file>& files,
                                    std::string_view git_ignore = {},
                                    std::string_view git_attributes = {});

struct preupload_request {
  std::vector<preupload_file> files{};
  std::optional<std::string> git_ignore{};      ///< the new one; empty: it ignores nothing
  std::optional<std::string> git_attributes{};  ///< the new one
};
boost::system::result<preupload_request> read_preupload_request(std::string_view body);

struct preupload_answer {
  std::string path{};
  upload_mode mode = upload_mode::regular;
  bool ignore = false;
  std::string
      oid{};  ///< what the path holds now: git blob id, or sha256 of a large file; may be empty
};
struct preupload_reply {
  std::vector<preupload_answer> files{};
  std::string commit_oid{};  ///< head of the revision; empty where the Hub does not say
};
boost::system::result<preupload_reply> read_preupload_reply(std::string_view body);
std::string write_preupload_reply(const std::vector<preupload_answer>& files,
                                  std::string_view commit_oid);

}  // namespace cohub::hub
