#pragma once

#include <sys/wait.h>

#include <array>
#include <cstdio>
#include <filesystem>
#include <string>

namespace cohub::test {

/// What the git program says of a bare repository, without the final newline; with its exit status.
struct git_output {
  int status = -1;
  std::string text{};
};

/// `arguments` go through a shell and are written by the test itself.
inline git_output git(const std::filesystem::path& folder, const std::string& arguments) {
  const std::string command = "git --git-dir='" + folder.string() + "' " + arguments + " 2>&1";
  git_output output;
  FILE* const pipe = ::popen(command.c_str(), "r");
  if (pipe == nullptr) return output;
  std::array<char, 4096> buffer{};
  for (std::size_t count = 0; (count = std::fread(buffer.data(), 1, buffer.size(), pipe)) > 0;)
    output.text.append(buffer.data(), count);
  const int status = ::pclose(pipe);
  output.status = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  while (output.text.ends_with('\n')) output.text.pop_back();
  return output;
}

}  // namespace cohub::test
