#include "model/mixin/replaced_weights.hpp"

#include "model/safetensors/filename_pattern.hpp"

#include <algorithm>
#include <map>

namespace cohub::model {

namespace {

constexpr int shard = 0, index = 1;

/// An index alone stands for nothing: the weights it names were left out.
bool is_weights(const std::string& name) {
  return !weight_family(name).empty() && weight_file_rank(name) != index;
}

}  // namespace

std::vector<std::string> replaced_weights(const std::set<std::string>& published,
                                          const std::set<std::string>& saved,
                                          const std::vector<std::string>& there) {
  std::map<std::string, std::set<std::string, std::less<>>> families;  // to the sizes of their sets
  for (const auto& name : published) {
    if (!is_weights(name)) continue;
    auto& sizes = families[weight_family(name)];
    if (weight_file_rank(name) == shard) sizes.emplace(shard_count(name));
  }
  std::set<std::string> shared;  // families of which another process saved a part
  std::vector<std::string> replaced;
  for (const auto& name : there) {
    const auto family = families.find(weight_family(name));
    if (family == families.end() || saved.contains(name)) continue;
    if (weight_file_rank(name) == shard && family->second.contains(shard_count(name)))
      shared.insert(family->first);
    else
      replaced.push_back(name);
  }
  std::erase_if(replaced, [&](const std::string& name) {
    return weight_file_rank(name) == index && shared.contains(weight_family(name));
  });
  std::sort(replaced.begin(), replaced.end(), [](const std::string& a, const std::string& b) {
    return weight_file_rank(a) > weight_file_rank(b);
  });
  return replaced;
}

std::set<std::string> weight_folders(const std::set<std::string>& published) {
  std::set<std::string> folders;
  for (const auto& name : published) {
    if (!is_weights(name)) continue;
    const auto slash = name.rfind('/');
    folders.insert(slash == name.npos ? std::string() : name.substr(0, slash));
  }
  return folders;
}

}  // namespace cohub::model
