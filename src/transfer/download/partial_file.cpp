#include "transfer/download/partial_file.hpp"

#include "cohub/error.hpp"

#include "cache/leftover.hpp"
#include "core/throw_system.hpp"
#include "hub/file_metadata.hpp"
#include "transfer/download/partial_journal.hpp"

#include <signal.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <limits>
#include <string_view>
#include <utility>

namespace cohub::transfer {

namespace {

/// A journal is written when so much is not in it yet: what a kill costs, for each connection.
constexpr std::uint64_t save_interval = 4u << 20;
constexpr std::uint64_t journal_limit = 64u << 20;
constexpr int open_limit = 20;

std::filesystem::path with_suffix(std::filesystem::path stem, const std::string& suffix) {
  stem += suffix;
  return stem;
}

/// Names this run of the machine; empty where the system does not tell.
const std::string& boot_id() {
  static const std::string id = [] {
    try {
      const io::file told("/proc/sys/kernel/random/boot_id", io::file::mode::read);
      std::array<char, 64> text{};
      const auto count = told.read_at(0, std::as_writable_bytes(std::span(text)));
      const std::string_view all(text.data(), count);
      return std::string(all.substr(0, all.find('\n')));
    } catch (const error&) {
      return std::string();
    }
  }();
  return id;
}

/// Whether what a journal says may be built on.
bool is_trusted(const partial_head& head) {
  if (hub::kind_of_etag(head.etag) != hub::etag_kind::opaque) return true;  // checked at the end
  return !head.boot.empty() && head.boot == boot_id();
}

std::string host_name() {
  std::array<char, 256> host{};
  if (::gethostname(host.data(), host.size() - 1) < 0) host[0] = '?';
  return host.data();
}

std::string owner_text() { return std::to_string(::getpid()) + ' ' + host_name(); }

/// Whether the process that wrote a journal last may still be at it, where no lock tells: of this
/// host, if it lives; of another one, if it wrote a moment ago.
bool may_be_at_work(const std::string& owner, const std::filesystem::path& partial) {
  const auto blank = std::min(owner.find(' '), owner.size());
  const auto process = core::parse_decimal(std::string_view(owner).substr(0, blank));
  if (process && owner.substr(std::min(blank + 1, owner.size())) == host_name()) {
    const auto id = static_cast<pid_t>(*process);
    return id != ::getpid() && (::kill(id, 0) == 0 || errno == EPERM);
  }
  struct stat status {};
  return ::stat(partial.c_str(), &status) == 0 &&
         !cache::is_stale(status, std::chrono::system_clock::now());
}

std::optional<partial_journal> read_journal(const io::file& journal) {
  const auto length = journal.size();
  if (length > journal_limit) return {};
  std::string text(static_cast<std::size_t>(length), '\0');
  text.resize(journal.read_at(0, std::as_writable_bytes(std::span(text))));
  return decode_partial_journal(text);
}

}  // namespace

std::uint64_t free_disk_bytes(const std::filesystem::path& path) {
  struct statvfs status {};
  if (::statvfs(path.c_str(), &status) < 0 || status.f_blocks == 0)
    return std::numeric_limits<std::uint64_t>::max();
  return static_cast<std::uint64_t>(status.f_bavail) * status.f_frsize;
}

partial_file::partial_file(const std::filesystem::path& stem, std::uint64_t size, std::string etag,
                           std::chrono::steady_clock::duration save_period)
    : size_(size), etag_(std::move(etag)), save_period_(save_period) {
  open(stem);
  load_journal();
  try {
    check_room();
    begin_journal();
    content_.truncate(size_);
  } catch (...) {
    if (done_.empty()) discard();
    throw;
  }
}

partial_file::~partial_file() {
  if (gone_) return;
  if (own_name_) {
    discard();
    return;
  }
  try {
    save();
  } catch (const error&) {  // the next attempt fetches a little more
  }
}

void partial_file::open(const std::filesystem::path& stem) {
  for (int tries = 0; tries < open_limit; ++tries) {
    io::file opened(with_suffix(stem, ".cohub.partial"), io::file::mode::read_write);
    const auto lock = opened.ask_lock();
    if (lock == io::file::lock::refused) break;
    // Another process may have published it between the opening and the locking.
    if (!opened.is_in_place()) continue;
    io::file journal(with_suffix(stem, ".cohub.journal"), io::file::mode::read_write);
    if (lock == io::file::lock::none) {
      const auto known = read_journal(journal);
      if (known && may_be_at_work(known->head.owner, opened.path())) break;
    }
    content_ = std::move(opened);
    journal_ = std::move(journal);
    return;
  }
  own_name_ = true;
  const auto unique = with_suffix(stem, ".cohub." + io::random_suffix());
  content_ = io::file(with_suffix(unique, ".partial"), io::file::mode::write_new);
  journal_ = io::file(with_suffix(unique, ".journal"), io::file::mode::write_new);
}

void partial_file::load_journal() {
  // A partial has its full length from the start: any other was not begun with this journal.
  if (content_.size() != size_) return;
  auto journal = read_journal(journal_);
  if (journal && journal->head.size == size_ && journal->head.etag == etag_ &&
      is_trusted(journal->head))
    done_ = std::move(journal->done);
  note_front();
}

void partial_file::note_front() noexcept { front_ = done_.end_of_run(0); }

void partial_file::begin_journal() {
  partial_head head;
  head.size = size_;
  head.etag = etag_;
  head.owner = owner_text();
  head.boot = boot_id();
  auto text = encode_partial_head(head);
  for (const auto& range : done_.ranges()) text += encode_partial_range(range);
  // Whatever moment the process is killed at, there is the old journal or the new one.
  const auto path = journal_.path();
  io::write_file_atomically(path, text);
  journal_ = io::file(path, io::file::mode::read_write);
  journal_end_ = text.size();
}

void partial_file::check_room() const {
  const auto needed = size_ - done_.count();
  const auto available = free_disk_bytes(content_.path());
  if (needed <= available) return;
  core::throw_system(ENOSPC, "downloading to " + content_.path().parent_path().string() + ": " +
                                 std::to_string(needed) + " bytes are needed and " +
                                 std::to_string(available) + " are free");
}

bool partial_file::write(std::uint64_t offset, std::span<const std::byte> bytes) {
  const core::byte_range whole{offset, offset + bytes.size()};
  // The system lets one thread write to a file at a time; the others would spin for their turn.
  const std::scoped_lock turn(turn_to_write_);
  const auto gaps = missing(whole);
  for (const auto& gap : gaps)
    content_.write_at(gap.begin, bytes.subspan(static_cast<std::size_t>(gap.begin - offset),
                                               static_cast<std::size_t>(gap.size())));
  note_written(gaps);
  if (unsaved_bytes_ >= save_interval ||
      std::chrono::steady_clock::now() - saved_at_ >= save_period_)
    save_unsaved();
  return gaps.size() == 1 && gaps.front() == whole;
}

std::vector<core::byte_range> partial_file::missing(core::byte_range within) const {
  const std::scoped_lock guard(mutex_);
  return done_.missing(within);
}

void partial_file::note_written(const std::vector<core::byte_range>& ranges) {
  for (const auto& range : ranges) {
    unsaved_.add(range);
    unsaved_bytes_ += range.size();
  }
  const std::scoped_lock guard(mutex_);
  for (const auto& range : ranges) done_.add(range);
  note_front();
}

void partial_file::save_unsaved() {
  std::string text;
  for (const auto& range : unsaved_.ranges()) text += encode_partial_range(range);
  journal_.write_at(journal_end_, std::as_bytes(std::span(text)));
  journal_end_ += text.size();
  unsaved_.clear();
  unsaved_bytes_ = 0;
  saved_at_ = std::chrono::steady_clock::now();
}

range_set partial_file::done() const {
  const std::scoped_lock guard(mutex_);
  return done_;
}

void partial_file::restart() {
  const std::scoped_lock guard(turn_to_write_, mutex_);
  done_.clear();
  note_front();
  unsaved_.clear();
  unsaved_bytes_ = 0;
  begin_journal();
}

std::uint64_t partial_file::forget_beyond_front() {
  const std::scoped_lock guard(turn_to_write_, mutex_);
  const auto there = done_.count();
  const core::byte_range front{0, done_.end_of_run(0)};
  if (there == front.size()) return 0;
  done_.clear();
  done_.add(front);
  unsaved_.clear();
  unsaved_bytes_ = 0;
  begin_journal();
  return there - front.size();
}

void partial_file::save() {
  const std::scoped_lock turn(turn_to_write_);
  if (!gone_ && !unsaved_.empty()) save_unsaved();
}

void partial_file::publish(const std::filesystem::path& destination, io::durability survives) {
  const std::scoped_lock turn(turn_to_write_);
  if (survives == io::durability::machine) content_.sync();
  std::error_code unknown;
  // Where locks keep nobody out, another process may have had the same file and been sooner.
  const bool is_ours = content_.is_in_place() || !std::filesystem::exists(destination, unknown);
  // Where the outer lock keeps nobody out, this one must until the name is right.
  const auto locked = content_.duplicate();
  content_.close();
  if (is_ours) io::rename_file(content_.path(), destination, survives);
  journal_.close();
  gone_ = true;
  ::unlink(journal_.path().c_str());
}

void partial_file::discard() noexcept {
  const std::scoped_lock turn(turn_to_write_);
  gone_ = true;
  // The journal first: without it nobody believes what is in the partial.
  ::unlink(journal_.path().c_str());
  ::unlink(content_.path().c_str());
}

}  // namespace cohub::transfer
