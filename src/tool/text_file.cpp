#include "text_file.hpp"

#include <fstream>
#include <iostream>
#include <iterator>
#include <stdexcept>

namespace cohub::tool {

std::string read_text_file(const std::string& path) {
  if (path == "-") return {std::istreambuf_iterator<char>(std::cin), {}};
  std::ifstream file(path, std::ios::binary);
  if (!file || (file.peek(), file.bad()))  // a folder can be opened, but not read
    throw std::runtime_error("cannot read " + path);
  return {std::istreambuf_iterator<char>(file), {}};
}

}  // namespace cohub::tool
