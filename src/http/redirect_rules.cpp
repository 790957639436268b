#include "http/redirect_rules.hpp"

namespace cohub::http {

bool keeps_credentials(const core::origin& from, const core::origin& to) noexcept {
  if (from == to) return true;
  return from.scheme == "http" && from.port == 80 && to.scheme == "https" && to.port == 443 &&
         from.host == to.host;
}

}  // namespace cohub::http
