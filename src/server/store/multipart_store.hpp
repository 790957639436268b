#pragma once

#include "io/file.hpp"

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <shared_mutex>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace cohub::server {

class object_store;

/// A part as the completion names it.
struct uploaded_part {
  std::uint64_t number = 0;  ///< from 1
  std::string etag{};        ///< as the PUT's answer gave it, quotes included
};

/// Large objects that arrive in parts (hub-protocol, section 7.3), each upload a folder with the
/// content as far as it is there and the list of its parts. Blocking; safe from several threads.
///
/// Uploads survive a restart; one that nobody touched for a week is forgotten.
class multipart_store {
  /// What the parts of one upload come in by.
  struct gate {
    std::shared_mutex writing{};  // shared by those who write, alone by who closes it
    bool closed = false;
    std::size_t parts = 0;  // with the store's lock held
  };

 public:
  explicit multipart_store(std::filesystem::path folder);

  /// The id of the one upload of `size` bytes that `key` names: it is begun unless it is open.
  /// @throws failure  422: no file can be as large here
  std::string open(std::string_view key, std::uint64_t size);

  /// One part on its way in, written where it belongs. It counts once `finish` has returned. What
  /// still comes when another client completes the upload is taken, and dropped.
  class incoming_part {
   public:
    incoming_part(incoming_part&&) = delete;
    ~incoming_part();
    void write(std::span<const std::byte> bytes);
    std::uint64_t size() const noexcept { return size_; }
    /// The part's ETag. @throws failure  400: its length is not `expected`
    std::string finish(std::uint64_t expected);

   private:
    friend class multipart_store;
    incoming_part(multipart_store& store, std::string id, std::shared_ptr<gate> way,
                  std::uint64_t number, std::uint64_t offset, io::file content);
    multipart_store& store_;
    std::string id_;
    std::shared_ptr<gate> way_;
    std::uint64_t number_;
    std::uint64_t offset_;
    std::uint64_t size_ = 0;
    io::file content_;
    class part_digest;
    std::unique_ptr<part_digest> digest_;
  };

  /// @param offset  of the part in the object
  /// @return null  while the upload is being completed: it has all of its parts
  /// @throws failure  404: no such upload
  std::unique_ptr<incoming_part> receive(const std::string& id, std::uint64_t number,
                                         std::uint64_t offset);

  /// The end of an upload: as long as it lives, nobody else writes to it or completes it.
  class completion {
   public:
    /// Null while another one is under way.
    static std::unique_ptr<completion> begin(multipart_store& store, const std::string& id);
    completion(completion&&) = delete;
    ~completion();
    /// Reads whether the parts, all of which are named in order, make up the object.
    /// @throws failure  404: no such upload; 400: a part is missing, has another ETag, or the whole
    ///                  is not that object, whose upload is forgotten then
    void check(const std::vector<uploaded_part>& parts, std::uint64_t count,
               const std::string& sha256, std::uint64_t size) const;
    /// Puts the object in place, once it is checked, and forgets the upload.
    void place(const std::string& sha256, const object_store& objects) const;
    /// Forgets the upload of an object that came in another way.
    void drop() const;

   private:
    completion(multipart_store& store, std::string id) : store_(store), id_(std::move(id)) {}
    multipart_store& store_;
    std::string id_;
  };

 private:
  std::filesystem::path folder_of(const std::string& id) const { return folder_ / id; }
  /// A part has ended, one way or the other.
  void leave(const std::string& id, const std::shared_ptr<gate>& way);
  /// Drops what nobody touched for long, at most once an hour. With `mutex_` held.
  void forget_old();

  std::filesystem::path folder_;
  std::mutex mutex_;
  std::map<std::string, std::shared_ptr<gate>> writers_;  // uploads with parts on their way
  std::set<std::string> completing_;
  std::chrono::steady_clock::time_point next_cleaning_{};
};

}  // namespace cohub::server
