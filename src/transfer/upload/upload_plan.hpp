#pragma once

#include "cohub/commit.hpp"

#include "hub/preupload.hpp"
#include "transfer/upload/upload_content.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace cohub::transfer {

/// One addition on its way into a commit.
struct planned_add {
  std::string path{};
  std::size_t operation = 0;  ///< that it came from
  upload_content_ptr content{};
  std::uint64_t size = 0;
  std::uint64_t told_size = 0;  ///< that it had when it was opened, or the Hub was asked about it
  hub::upload_mode mode = hub::upload_mode::regular;
  std::string oid_there{};  ///< what the path holds on the Hub; empty: nothing
  std::string sha256{};     ///< empty until it is needed and computed
  std::string sent_id{};    ///< git's, of what a commit brought last; empty: never all of it
  bool uploaded = false;    ///< the Hub has the content of this large file
  bool ignored = false;     ///< by the Hub's .gitignore
  bool unchanged = false;   ///< the Hub has it under that path, and will have after the deletions
  /// The same commit deletes the path, or a folder that it is in: what the Hub has there does not
  /// stay.
  bool refilled = false;
  bool announced = false;  ///< in the total of the upload
  bool counted = false;    ///< as done, there

  bool dropped() const noexcept { return ignored || unchanged; }
};

struct planned_delete {
  std::string path{};
  bool is_folder = false;
};

/// A copy of which it is not known yet what it stands for.
struct planned_copy {
  std::string source{};
  std::string path{};
  std::size_t operation = 0;  ///< that it came from
};

/// What a commit will do.
struct commit_plan {
  std::vector<planned_add> adds{};
  std::vector<planned_copy> copies{};  ///< become additions once it is known what they copy
  std::vector<planned_delete> deletes{};

  /// Whether anything is left to commit.
  bool empty() const noexcept;
  /// Sets `refilled` of all additions.
  void mark_refilled();
};

/// Checks paths and sorts the operations; contents are not opened yet. The last addition or copy
/// to a path wins.
/// @throws error  errc::invalid_path
commit_plan plan_commit(const std::vector<commit_operation>& operations);

/// Takes over what the Hub says of files [begin, end), also a second time. A file of size 0 is
/// regular, whatever it says, since object stores refuse empty objects (hub-protocol, section 7.2).
/// @throws error  errc::invalid_response if a file was not answered
void apply_preupload(commit_plan& plan, std::size_t begin, std::size_t end,
                     const std::vector<hub::preupload_answer>& answers);

}  // namespace cohub::transfer
