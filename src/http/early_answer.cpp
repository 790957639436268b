#include "http/early_answer.hpp"

#include <algorithm>

namespace cohub::http {

bool is_informational(std::string_view came) noexcept {
  constexpr std::string_view begin = "HTTP/1.1 1";
  while (!came.empty()) {
    const auto known = std::min(came.size(), begin.size());
    if (came.substr(0, known) != begin.substr(0, known)) return false;
    const auto end = came.find("\r\n\r\n");
    if (end == came.npos) return true;
    came.remove_prefix(end + 4);
  }
  return true;
}

}  // namespace cohub::http
