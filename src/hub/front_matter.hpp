#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace cohub::hub {

/// Where the header of a card lies in its text.
struct front_matter {
  std::string_view block{};  ///< the YAML between the fences
  std::string_view text{};   ///< after the closing fence
  std::size_t first_line{};  ///< of the block, counted from 1
};

/// Finds the header by the Hub's grammar (mixin-and-cards, section 4.1), in linear time; nothing if
/// there is none. White space in front is passed over, of Unicode too, and a byte order mark.
std::optional<front_matter> find_front_matter(std::string_view content);

/// The line break that the Hub takes the content to use: "\r\n", "\r" or "\n".
std::string_view detect_line_break(std::string_view content) noexcept;

/// The one that `metadata_save` writes (mixin-and-cards, section 4.6): of those that occur, "\r"
/// before "\n" before "\r\n"; "\n" where none does.
std::string_view first_line_break(std::string_view content) noexcept;

/// The text with LF in place of each CRLF and CR, as Python reads text files.
std::string with_line_feeds(std::string_view text);

}  // namespace cohub::hub
