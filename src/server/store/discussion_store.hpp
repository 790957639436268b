#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace cohub::server {

/// What a comment said before it was edited.
struct comment_version {
  std::string author{};
  std::string text{};
  std::string written_at{};
};

/// Something that happened in a discussion.
struct discussion_event {
  std::string id{};
  std::string type{};  ///< "comment", "status-change", "title-change" or "commit"
  std::string author{};
  std::string created_at{};
  std::string updated_at{};  ///< of a comment that was edited or hidden; else empty
  std::string text{};     ///< the comment, the new status, the new title, or the commit's subject
  std::string subject{};  ///< the old title, or the commit's id
  bool edited = false;
  bool hidden = false;
  std::string edited_by{};                  ///< whose words the text is, if not the author's
  std::vector<comment_version> versions{};  ///< that edits have replaced, oldest first
};

/// A discussion or a pull request that somebody opened; they are numbered together.
struct discussion {
  std::uint64_t number = 0;
  std::string title{};
  std::string author{};
  std::string base{};  ///< ref that a pull request is to be merged into; empty: no pull request
  std::string status = "open";  ///< "draft", "open", "closed" or "merged"
  std::string created_at{};
  std::string merge_commit{};
  std::vector<discussion_event> events{};

  bool is_pull_request() const noexcept { return !base.empty(); }
};

/// The discussions of one repository, each a file beside its refs: however much is said in one, the
/// repository and the others stay as quick to read. Blocking.
class discussion_store {
 public:
  /// The name of their folder within the repository.
  static constexpr const char* folder_name = "cohub-discussions";

  discussion_store(const std::filesystem::path& repository, std::filesystem::path temporary)
      : folder_(repository / folder_name), temporary_(std::move(temporary)) {}

  /// Shows those that can be read one by one, the newest first: together they may be very much.
  void for_each(const std::function<void(const discussion&)>& visit) const;
  std::optional<discussion> find(std::uint64_t number) const;
  /// The greatest number in use; 0: there is none.
  std::uint64_t last_number() const;
  /// Adds or replaces one. On disk when it returns. Under the repository's lock.
  void save(const discussion& what) const;

  /// Takes over what an earlier version kept in the repository's record.
  static void adopt(const std::filesystem::path& repository, const std::filesystem::path& record);

 private:
  std::filesystem::path folder_;
  std::filesystem::path temporary_;
};

}  // namespace cohub::server
