#include "secret_prompt.hpp"

#include <poll.h>
#include <termios.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <cstddef>
#include <iostream>

namespace cohub::tool {

namespace {

constexpr std::array ending_signals{SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGTSTP};

volatile std::sig_atomic_t caught = 0;

void note(int signal) { caught = signal; }

/// As long as this lives the terminal does not show what is typed, and the signals that end or stop
/// a program are only noted, while `wait` waits.
class silent_terminal {
 public:
  silent_terminal() {
    sigset_t ending;
    ::sigemptyset(&ending);
    for (const int signal : ending_signals) ::sigaddset(&ending, signal);
    ::sigprocmask(SIG_BLOCK, &ending, &mask_before_);
    struct sigaction noting {};
    noting.sa_handler = note;  // without SA_RESTART: it is to end the wait
    for (std::size_t i = 0; i < ending_signals.size(); ++i)
      ::sigaction(ending_signals[i], &noting, &actions_before_[i]);
    ::tcgetattr(STDIN_FILENO, &terminal_before_);
    auto silent = terminal_before_;
    silent.c_lflag &= ~static_cast<tcflag_t>(ECHO);
    ::tcsetattr(STDIN_FILENO, TCSAFLUSH, &silent);
  }
  ~silent_terminal() {
    ::tcsetattr(STDIN_FILENO, TCSAFLUSH, &terminal_before_);
    for (std::size_t i = 0; i < ending_signals.size(); ++i)
      ::sigaction(ending_signals[i], &actions_before_[i], nullptr);
    ::sigprocmask(SIG_SETMASK, &mask_before_, nullptr);
  }
  silent_terminal(const silent_terminal&) = delete;
  silent_terminal& operator=(const silent_terminal&) = delete;

  /// Until there is something to read; false if a signal came first.
  bool wait() const {
    pollfd input{STDIN_FILENO, POLLIN, 0};
    return ::ppoll(&input, 1, nullptr, &mask_before_) > 0;
  }

 private:
  std::array<struct sigaction, ending_signals.size()> actions_before_{};
  sigset_t mask_before_{};
  termios terminal_before_{};
};

/// What is typed until Enter, or until a signal.
std::string read_typed(const std::string& prompt) {
  const silent_terminal terminal;
  std::cerr << prompt << std::flush;
  std::string line;
  while (terminal.wait()) {
    std::array<char, 4096> typed{};
    const auto size = ::read(STDIN_FILENO, typed.data(), typed.size());
    if (size <= 0) break;
    line.append(typed.data(), static_cast<std::size_t>(size));
    if (line.ends_with('\n')) break;
  }
  std::cerr << std::endl;  // the one that was typed is not shown either
  return line.substr(0, line.find('\n'));
}

}  // namespace

std::string read_secret(const std::string& prompt) {
  std::string line;
  if (::isatty(STDIN_FILENO) == 0) {
    std::getline(std::cin, line);
    return line;
  }
  do {
    caught = 0;
    line = read_typed(prompt);
    // Whoever only stopped the program is asked again.
    if (caught != 0) std::raise(caught);
  } while (caught != 0);
  return line;
}

}  // namespace cohub::tool
