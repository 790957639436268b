#pragma once

#include "cohub/repository.hpp"

#include <string>
#include <vector>

namespace cohub::tool {

/// The variables or secrets of a space. A file has a line for each, as the `hf` command reads it:
/// NAME=value, maybe after "export", in quotes or with blanks and comments around it, or NAME with
/// the value that it has here. The words of the command line come after it, as the shell left them:
/// a '#' among them is no comment. Of a name that is there twice the last value counts; what has no
/// value here is left out, with a warning.
///
/// @param path  empty: no file
/// @throws std::runtime_error  the file cannot be read, or something has no name
std::vector<space_variable> read_space_variables(const std::vector<std::string>& words,
                                                 const std::string& path);

}  // namespace cohub::tool
