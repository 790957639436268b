#pragma once

#include "cohub/safetensors.hpp"

#include <map>
#include <string>
#include <vector>

namespace cohub::model {

/// Which names to leave out because another one has the same memory: dropped name -> kept name
/// (mixin-and-cards, section 3).
/// @param discard  names that are kept only where no other can be
/// @throws error  errc::invalid_argument: views overlap, and none covers all of their storage
std::map<std::string, std::string> find_shared_tensors(const std::vector<tensor_source>& tensors,
                                                       const std::vector<std::string>& discard);

}  // namespace cohub::model
