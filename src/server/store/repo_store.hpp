#pragma once

#include "cohub/repository.hpp"

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace cohub::server {

/// Somebody's wish to have the contents of a gated repository.
struct access_request {
  std::string user{};
  std::string status{};     ///< "pending", "accepted" or "rejected"
  std::string timestamp{};  ///< of the last change, as `timestamp_now`
};

/// What git does not know of a repository.
struct repo_record {
  repo_type type = repo_type::model;
  std::string id{};  ///< "owner/name"
  bool is_private = false;
  bool is_protected = false;  ///< a space that runs for everybody; its files are private
  std::string gated{};        ///< empty, "auto" or "manual"
  bool disabled = false;      ///< nobody gets anything
  std::string sdk{};          ///< of a space
  std::string key{};          ///< 24 hex digits: `_id`
  std::string created_at{};   ///< ISO 8601, UTC
  std::vector<access_request> access_requests{};  ///< at most one of a user

  /// Where a user's request stands: empty if there is none.
  std::string access_of(std::string_view user) const;
  /// Makes the user's request, or sets where it stands; the empty status removes it.
  void set_access(const std::string& user, const std::string& status);

  /// "public", "private" or "protected".
  std::string visibility() const;
  void set_visibility(std::string_view word);

  std::string owner() const { return id.substr(0, id.find('/')); }
};

/// Repositories on disk: each a bare git repository with a record beside its refs. Blocking; safe
/// from several threads.
class repo_store {
 public:
  repo_store(std::filesystem::path folder, std::filesystem::path temporary);

  /// Whether a repository can have that id here: "owner/name" of plain characters.
  static bool is_valid_id(const std::string& id);

  std::optional<repo_record> find(repo_type type, const std::string& id) const;
  /// All repositories of a type whose records can be read, in the order of their names.
  std::vector<repo_record> all(repo_type type) const;
  /// The git repository of an id that `is_valid_id`.
  std::filesystem::path path_of(repo_type type, const std::string& id) const;

  /// Makes the repository with its first commit, all at once; false if it exists.
  /// @param fill  puts more into the git repository at that path, before it is to be seen
  bool create(const repo_record& record,
              const std::function<void(const std::filesystem::path&)>& fill = {});
  /// Makes the repository with the branches, tags, history and large objects of another one, all at
  /// once; false if it exists. @throws failure  404: the other one does not exist
  bool copy(repo_type type, const std::string& from, const repo_record& record);
  /// Gives it another id, all at once, and remembers the way from the old one; false if it does not
  /// exist, or one of the new id does. With `objects_in_use` shared: who looks for what nobody
  /// holds must not miss what it holds on its way.
  bool move(repo_type type, const std::string& from, const std::string& to);
  /// Where to look for an id that has no repository: what it was moved to, how it is spelled, or,
  /// for a lone name, the repositories of that name.
  std::vector<std::string> moved_to(repo_type type, const std::string& id) const;
  /// The id of the repository of that name in whatever case of letters: two that differ in nothing
  /// else are not made.
  std::optional<std::string> spelling_of(repo_type type, const std::string& id) const;
  /// Takes it away, all at once; nothing if it does not exist. What was it is at the path that
  /// comes back, for the caller to remove: there may be very much of it.
  std::optional<std::filesystem::path> take_away(repo_type type, const std::string& id);
  /// Whether the content of a large object came in through this repository. Who knows a sha256 from
  /// a listing does not have the content: it is no way to that of another repository.
  bool has_object(repo_type type, const std::string& id, const std::string& sha256) const;
  /// Notes that it did. On disk when it returns; false if the repository does not exist.
  bool add_object(repo_type type, const std::string& id, const std::string& sha256);
  /// The large objects of which it was noted.
  std::vector<std::string> objects_of(repo_type type, const std::string& id) const;
  /// When it was, as `timestamp_now`; the epoch where it is not known.
  std::string pushed_at(repo_type type, const std::string& id, const std::string& sha256) const;
  /// Forgets all objects but these. On disk when it returns.
  void keep_objects(repo_type type, const std::string& id, const std::vector<std::string>& sha256s);
  /// Those of the objects that no repository has.
  std::vector<std::string> unheld(const std::vector<std::string>& sha256s) const;

  /// Changes the record as it is now, all at once; nothing if the repository does not exist. What
  /// `change` throws leaves it unchanged.
  std::optional<repo_record> update(repo_type type, const std::string& id,
                                    const std::function<void(repo_record&)>& change);

  /// Held while a repository's refs or record are changed.
  std::shared_ptr<std::mutex> writer(repo_type type, const std::string& id);

 private:
  bool is_known(repo_type type, const std::string& id) const;
  /// Calls `visit` with the folder of each repository.
  /// @throws error  where some folder cannot be looked into
  void for_each_repository(const std::function<void(const std::filesystem::path&)>& visit) const;
  /// Fills what a new record leaves open.
  static repo_record completed(repo_record record);
  /// Puts a repository that has been built beside the others in its place.
  bool place(const std::filesystem::path& building, const repo_record& record);
  /// The file that tells where a repository was moved to.
  std::filesystem::path sign_of(repo_type type, const std::string& id) const;

  std::filesystem::path folder_;
  std::filesystem::path temporary_;
  std::mutex naming_;  // held while it is decided that a name is free, after any `writer`
  std::mutex mutex_;
  std::map<std::string, std::weak_ptr<std::mutex>> writers_;  // that are in use
};

/// The time now, or `seconds` since 1970, as "2024-05-06T07:08:09.000Z".
std::string timestamp_now();
std::string timestamp_of(std::int64_t seconds);

}  // namespace cohub::server
