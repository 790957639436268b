#pragma once

#include <string_view>

namespace cohub::http {

/// Whether bytes that came while a request is being sent are informational answers (1xx) and no
/// more, the last of them perhaps cut: then the rest of the request is wanted still.
bool is_informational(std::string_view came) noexcept;

}  // namespace cohub::http
