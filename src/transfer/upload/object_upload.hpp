#pragma once

#include "hub/multipart_plan.hpp"
#include "transfer/transfer_claims.hpp"
#include "transfer/upload/upload_content.hpp"
#include "transfer/upload/upload_journal.hpp"

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace cohub::transfer {

/// Where one large object is on its way to the store: which pieces are to be sent where, and which
/// are there. An object that goes in one piece has one. Pure but for the journal that is set on it.
class object_upload {
 public:
  /// A piece to send: the whole object, or one part of it.
  struct piece {
    std::size_t number = 0;  ///< from 0
    std::uint64_t begin = 0;
    std::uint64_t end = 0;
    std::string url{};
    unsigned route = 0;  ///< which addresses these are; see `is_current`
    unsigned epoch = 0;  ///< which upload it belongs to
  };

  /// @param add  which addition of the commit it is
  object_upload(std::string path, std::string oid, upload_content_ptr content, std::size_t add = 0)
      : path_(std::move(path)), oid_(std::move(oid)), content_(std::move(content)), add_(add) {}

  std::size_t add() const noexcept { return add_; }
  const std::string& path() const noexcept { return path_; }
  const std::string& oid() const noexcept { return oid_; }
  const upload_content_ptr& content() const noexcept { return content_; }
  std::uint64_t size() const { return content_->size(); }

  /// Takes over the addresses that the Hub gives. Parts that are there stay so if the addresses are
  /// of the same upload (`hub::upload_key`), and are forgotten otherwise.
  /// @param parts  unset: the object goes in one piece, to `action.href`
  void route_to(hub::lfs_action action, std::optional<hub::multipart_plan> parts,
                std::optional<hub::lfs_action> verify);
  /// Goes on with what an earlier process left, by the addresses of then, unless they have expired
  /// by `now` (Unix seconds) or are of another upload than those that are known and not worth as
  /// much. Call after `route_to`.
  void resume(const multipart_progress& left, std::int64_t now);

  /// The pieces that are not there, by the addresses of now.
  std::vector<piece> missing_pieces() const;
  /// Whether a piece is to be sent by these addresses: no others are known or being asked for, and
  /// it has not come by older ones meanwhile.
  bool is_current(const piece& which) const noexcept {
    return which.route == route_ && !relocating_ && !is_there(which);
  }

  /// The store has taken a piece; false if that does not count any more, or is known.
  bool arrived(const piece& which, std::string etag);
  bool all_there() const noexcept { return missing_ == 0; }
  /// All pieces are there: true for the one who is to make the object of them. While other
  /// addresses are asked for, that is the one who asks.
  bool begin_completion() noexcept;
  std::uint64_t bytes_there() const noexcept;

  /// Whether the address has passed its time, and no other was asked for yet on that account.
  /// @param now  in seconds since 1970
  bool has_expired(const piece& which, std::int64_t now) const;

  /// The store has refused the addresses. True for the one who is to ask for others.
  bool begin_relocation(const piece& which);
  /// Twice without progress, or twice the same piece, the addresses are not to blame; and a Hub
  /// that begins a new upload each time takes more from it than it gives.
  bool may_relocate(const piece& which) const noexcept;
  /// The store does not make the object of its parts: asks for other addresses. Where those may
  /// have expired, the parts are kept the first time; else they are worth nothing. False when that
  /// does not help.
  bool begin_again(bool may_have_expired) noexcept;

  const hub::lfs_action& action() const noexcept { return action_; }
  const std::optional<hub::multipart_plan>& parts() const noexcept { return parts_; }
  const std::optional<hub::lfs_action>& verify() const noexcept { return verify_; }
  const std::vector<std::string>& etags() const noexcept { return etags_; }
  multipart_progress progress() const { return {parts_.value_or(hub::multipart_plan()), etags_}; }

  std::shared_ptr<part_journal> journal{};  ///< may be null
  transfer_claims::claim_ptr claim{};       ///< until it is there
  progress_ptr reporter{};

 private:
  static constexpr unsigned most_restarts = 3;

  void forget_pieces();
  bool is_there(const piece& which) const noexcept {
    return which.epoch == epoch_ && !etags_[which.number].empty();
  }

  std::string path_;
  std::string oid_;
  upload_content_ptr content_;
  std::size_t add_;
  hub::lfs_action action_{};
  std::optional<hub::multipart_plan> parts_{};
  std::optional<hub::lfs_action> verify_{};
  std::vector<std::string> etags_{};  // of parts; a whole object has one that says so
  std::size_t missing_ = 1;
  unsigned route_ = 0;
  unsigned epoch_ = 0;
  unsigned refusals_ = 0;                             // since a piece arrived
  std::map<std::size_t, unsigned> refused_pieces_{};  // that have not arrived since
  unsigned restarts_ = 0;                             // that cost parts which were there
  unsigned renewals_ = 0;                             // of the address of the completion
  unsigned completions_ = 0;                          // that were refused for good
  bool relocating_ = false;
  bool completing_ = false;
};

}  // namespace cohub::transfer
