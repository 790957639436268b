#pragma once

#include <string>

namespace cohub::tool {

/// ASCII letters in lower case.
std::string lower(std::string text);

/// The pattern that matches that name and no other.
std::string literal_pattern(const std::string& name);

/// Bytes that are not UTF-8 become U+FFFD, one each.
std::string as_utf8(std::string text);

/// JSON in which the control characters that JSON lets be, U+007F to U+009F and those that turn the
/// direction of a text, are escaped as all others are, so that they are no commands for a terminal.
std::string json_controls_escaped(const std::string& json);

enum class line_breaks { blank, keep };

/// Text that comes from a server or a disk, for a terminal: nothing in it is a command any more.
/// Line breaks and tabs become blanks unless they are kept (a carriage return before a line feed
/// goes), other control characters (also those from U+0080 to U+009F, and those that turn the
/// direction of what follows) question marks.
std::string printable(const std::string& text, line_breaks breaks = line_breaks::blank);

}  // namespace cohub::tool
