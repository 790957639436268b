#include "file_tree.hpp"

#include <algorithm>
#include <cstddef>
#include <map>
#include <utility>

namespace cohub::tool {

namespace {

// A server may list a path of any length, and what is drawn goes down into each folder.
constexpr std::size_t most_levels = 64;

struct node {
  std::map<std::string, node> children{};
  std::string size{};
  bool is_folder = false;
};

node& child_at(node& root, const std::string& path) {
  auto* at = &root;
  for (std::size_t begin = 0, level = 1; begin <= path.size(); ++level) {
    const auto end =
        level == most_levels ? path.size() : std::min(path.find('/', begin), path.size());
    at->is_folder = true;
    at = &at->children[path.substr(begin, end - begin)];
    begin = end + 1;
  }
  return *at;
}

void draw(const node& folder, const std::string& indent, std::size_t size_width,
          std::vector<std::string>& lines) {
  for (const auto& [name, child] : folder.children) {
    const bool is_last = &child == &folder.children.rbegin()->second;
    std::string line(size_width - child.size.size(), ' ');
    line += child.size;
    if (size_width > 0) line += "  ";
    line += indent + (is_last ? "└── " : "├── ") + name;
    if (child.is_folder) line += '/';
    lines.push_back(std::move(line));
    draw(child, indent + (is_last ? "    " : "│   "), size_width, lines);
  }
}

}  // namespace

std::vector<std::string> draw_tree(const std::vector<listed_file>& files) {
  node root;
  std::size_t size_width = 0;
  for (const auto& file : files) {
    auto& one = child_at(root, file.path);
    one.size = file.size;
    one.is_folder = one.is_folder || file.is_folder;
    size_width = std::max(size_width, file.size.size());
  }
  std::vector<std::string> lines;
  draw(root, {}, size_width, lines);
  return lines;
}

}  // namespace cohub::tool
