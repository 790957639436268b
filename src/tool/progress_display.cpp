#include "progress_display.hpp"

#include "text.hpp"

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <mutex>
#include <string>
#include <utility>

namespace cohub::tool {

namespace {

using clock = std::chrono::steady_clock;

// Smaller files only count in the total.
constexpr std::uint64_t large_file = 8u << 20;
constexpr std::size_t most_bars = 12;  // what a small terminal shows, with the total
constexpr auto redraw_interval = std::chrono::milliseconds(100);

std::string size_text(double bytes) {
  constexpr std::array units{"B", "kB", "MB", "GB", "TB"};
  std::size_t unit = 0;
  while (bytes >= 999.5 && unit + 1 < units.size()) {
    bytes /= 1000;
    ++unit;
  }
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), unit == 0 ? "%.0f %s" : "%.1f %s", bytes, units[unit]);
  return text.data();
}

std::string time_text(double seconds) {
  const auto whole = static_cast<long>(std::min(seconds, 359'999.0) + 0.5);
  std::array<char, 32> text{};
  if (whole >= 3600)
    std::snprintf(text.data(), text.size(), "%ld:%02ld:%02ld", whole / 3600, whole / 60 % 60,
                  whole % 60);
  else
    std::snprintf(text.data(), text.size(), "%ld:%02ld", whole / 60, whole % 60);
  return text.data();
}

const char* word(transfer_progress::direction way) {
  switch (way) {
    case transfer_progress::direction::download:
      return "downloading";
    case transfer_progress::direction::hash:
      return "hashing";
    case transfer_progress::direction::upload:
      return "uploading";
  }
  return "";
}

/// One transfer, from its first report on.
struct transfer {
  std::uint64_t done = 0;
  std::uint64_t total = 0;
  std::uint64_t done_at_start = 0;  // by an earlier attempt: no part of the rate
  clock::time_point start = clock::now();
  int tenths_told = 0;

  bool finished() const { return done >= total; }
  double rate() const {
    const double seconds = std::chrono::duration<double>(clock::now() - start).count();
    return seconds > 0 ? static_cast<double>(done - std::min(done, done_at_start)) / seconds : 0;
  }
};

std::string figures(const transfer& one) {
  std::string text =
      size_text(static_cast<double>(one.done)) + " of " + size_text(static_cast<double>(one.total));
  if (const double rate = one.rate(); rate > 0) {
    text += ", " + size_text(rate) + "/s";
    if (!one.finished())
      text += ", " + time_text(static_cast<double>(one.total - one.done) / rate) + " left";
  }
  return text;
}

std::size_t terminal_width() {
  winsize size{};
  if (::ioctl(STDERR_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col < 20) return 80;
  return size.ws_col;
}

/// `HF_HUB_DISABLE_PROGRESS_BARS`: 1, ON, YES or TRUE in any case (hub-protocol, section 1.1).
bool is_progress_disabled() {
  const char* const value = std::getenv("HF_HUB_DISABLE_PROGRESS_BARS");
  if (value == nullptr) return false;
  std::string text = value;
  std::transform(text.begin(), text.end(), text.begin(),
                 [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
  return text == "1" || text == "ON" || text == "YES" || text == "TRUE";
}

/// What of an event nobody may miss; empty: nothing.
std::string warning_in(const transfer_event& event) {
  const auto detail = printable(event.detail);
  switch (event.what) {
    case transfer_event::kind::commit_failed:
      return "the commit failed: " + detail;
    case transfer_event::kind::warning:
      return event.file.empty() ? detail : printable(event.file) + ": " + detail;
    case transfer_event::kind::rate_limited:
      return detail;
    default:
      return {};
  }
}

constexpr const char* warning_mark = "cohub: warning: ";

class warning_display final : public observer {
 public:
  void on_event(const transfer_event& event) override {
    const auto warning = warning_in(event);
    // In one call, so that lines of several threads do not mix.
    if (!warning.empty()) std::fprintf(stderr, "%s%s\n", warning_mark, warning.c_str());
  }
};

class display final : public observer {
 public:
  display(bool terminal, bool progress) : terminal_(terminal), progress_(progress) {}

  void on_progress(const transfer_progress& progress) override {
    // Small files show in the total alone: there may be tens of thousands of them.
    if (!progress_ || progress.bytes_total < large_file) return;
    const std::scoped_lock lock(mutex_);
    const auto [place, is_new] =
        transfers_.try_emplace(std::pair(progress.way, printable(progress.file)));
    auto& one = place->second;
    if (is_new) one.done_at_start = progress.bytes_done;
    one.done = progress.bytes_done;
    one.total = progress.bytes_total;
    if (terminal_)
      redraw(one.finished());
    else
      tell(place->first.second, place->first.first, one);
    if (one.finished()) transfers_.erase(place);  // its last bar stays until the next is drawn
  }

  void on_total(const transfer_total& total) override {
    if (!progress_) return;
    const std::scoped_lock lock(mutex_);
    const bool up = total.way == transfer_progress::direction::upload;
    auto& all = up ? uploads_ : downloads_;
    if (all.total == 0) {
      all.start = clock::now();
      all.done_at_start = total.bytes_done;
    }
    all.done = total.bytes_done;
    all.total = total.bytes_total;
    (up ? upload_files_ : download_files_) = total.files_total;
    if (terminal_) redraw(total.files_done == total.files_total);
  }

  void on_event(const transfer_event& event) override {
    const std::scoped_lock lock(mutex_);
    if (const auto warning = warning_in(event); !warning.empty()) say(warning_mark + warning);
    const auto file = printable(event.file);
    switch (event.what) {
      case transfer_event::kind::resumed:
        say("resuming " + file + ": " + printable(event.detail));
        break;
      case transfer_event::kind::retry:
        say("trying again: " + printable(event.detail));
        break;
      case transfer_event::kind::lock_wait:
        say(file + ": " + printable(event.detail));
        break;
      case transfer_event::kind::already_present:
        say(file + ": the Hub has it already");
        break;
      default:
        break;
    }
  }

 private:
  using key = std::pair<transfer_progress::direction, std::string>;

  void tell(const std::string& file, transfer_progress::direction way, transfer& one) {
    const int tenths =
        static_cast<int>(10.0 * static_cast<double>(one.done) / static_cast<double>(one.total));
    if (tenths <= one.tenths_told) return;
    one.tenths_told = tenths;
    say(std::string(word(way)) + " " + file + ": " + std::to_string(tenths * 10) + " %, " +
        figures(one));
  }

  /// A line that stays, above the bars.
  void say(const std::string& line) {
    const bool drawn = lines_ > 0;
    erase();
    std::fprintf(stderr, "%s\n", line.c_str());
    if (drawn) draw();
  }

  void redraw(bool at_once) {
    const auto now = clock::now();
    if (!at_once && now < due_) return;
    due_ = now + redraw_interval;
    erase();
    draw();
  }

  void erase() {
    if (lines_ > 0) std::fprintf(stderr, "\033[%zuA\033[J", lines_);
    lines_ = 0;
  }

  void draw() {
    std::size_t running = 0;
    for (const auto& [what, one] : transfers_)
      if (running++ < most_bars) bar(std::string(word(what.first)) + " " + what.second, one);
    if (running > most_bars) {
      std::fprintf(stderr, "and %zu large files more\n", running - most_bars);
      ++lines_;
    }
    if (download_files_ > 1)
      bar("total of " + std::to_string(download_files_) + " files", downloads_);
    if (upload_files_ > 1) bar("total of " + std::to_string(upload_files_) + " files", uploads_);
    std::fflush(stderr);
  }

  void bar(std::string name, const transfer& one) {
    const auto width = terminal_width() - 1;
    const std::string right = " " + figures(one);
    constexpr std::size_t bar_width = 20;
    const std::size_t taken = right.size() + bar_width + 3;
    const std::size_t room = width > taken + 10 ? width - taken : 10;
    if (name.size() > room) name = name.substr(0, room - 3) + "...";
    name.resize(std::max(room, name.size()), ' ');
    const auto filled = one.total == 0 ? bar_width
                                       : static_cast<std::size_t>(static_cast<double>(bar_width) *
                                                                  static_cast<double>(one.done) /
                                                                  static_cast<double>(one.total));
    std::string line = name + " [" + std::string(filled, '#') +
                       std::string(bar_width - std::min(filled, bar_width), '.') + "]" + right;
    if (line.size() > width) line.resize(width);
    std::fprintf(stderr, "%s\n", line.c_str());
    ++lines_;
  }

  const bool terminal_;
  const bool progress_;  // else events alone are told
  std::mutex mutex_;
  std::map<key, transfer> transfers_;  // of large files, that have not finished
  transfer downloads_;                 // all of them, as the client counts
  std::uint64_t download_files_ = 0;
  transfer uploads_;
  std::uint64_t upload_files_ = 0;
  std::size_t lines_ = 0;  // drawn and to be erased before the next
  clock::time_point due_{};
};

}  // namespace

std::shared_ptr<observer> make_progress_display(bool progress) {
  return std::make_shared<display>(::isatty(STDERR_FILENO) == 1,
                                   progress && !is_progress_disabled());
}

std::shared_ptr<observer> make_warning_display() { return std::make_shared<warning_display>(); }

}  // namespace cohub::tool
