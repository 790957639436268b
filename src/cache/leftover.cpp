#include "cache/leftover.hpp"

#include "core/hex.hpp"
#include "io/file.hpp"

#include <algorithm>

namespace cohub::cache {

namespace {

using kind = cached_incomplete_file_info::kind;

// Writers without a lock move bytes all the time: a connection that is silent is given up far
// sooner than that.
constexpr std::chrono::minutes stale_after(10);

/// Without ".<8 hex>" at its end.
std::string_view without_suffix(std::string_view name) noexcept {
  if (name.size() > 9 && name[name.size() - 9] == '.' &&
      core::is_hex(name.substr(name.size() - 8), 8))
    name.remove_suffix(9);
  return name;
}

}  // namespace

bool is_temporary_ref(std::string_view name) noexcept {
  if (!name.ends_with(".tmp")) return false;
  name.remove_suffix(4);
  return without_suffix(name).size() != name.size();
}

std::optional<kind> leftover_kind(std::string_view name) noexcept {
  if (io::is_temporary_name(name)) return kind::temporary;
  if (name.ends_with(".incomplete")) return kind::download;
  if (name.find(".cohub.") != name.npos &&
      (name.ends_with(".partial") || name.ends_with(".journal")))
    return kind::partial;
  return {};
}

std::optional<std::string> etag_of_leftover(std::string_view name) {
  const auto what = leftover_kind(name);
  if (!what || *what == kind::temporary) return {};
  if (*what == kind::partial) return std::string(name.substr(0, name.find(".cohub.")));
  name.remove_suffix(std::string_view(".incomplete").size());
  return std::string(without_suffix(name));
}

bool is_stale(const struct stat& status, std::chrono::system_clock::time_point now) noexcept {
  return time_of(status.st_mtim) + stale_after < now;
}

std::uint64_t allocated_bytes(const struct stat& status) noexcept {
  return static_cast<std::uint64_t>(std::min<std::int64_t>(status.st_size, status.st_blocks * 512));
}

std::chrono::system_clock::time_point time_of(const struct timespec& time) noexcept {
  return std::chrono::system_clock::time_point(std::chrono::seconds(time.tv_sec) +
                                               std::chrono::nanoseconds(time.tv_nsec));
}

}  // namespace cohub::cache
