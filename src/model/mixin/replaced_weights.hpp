#pragma once

#include <set>
#include <string>
#include <vector>

namespace cohub::model {

/// Which weights of an older save go when a newer one is put in their place.
///
/// A single file stands for shards of any number and their index, and shards stand for the single
/// file and for sets of another number. Other shards of the same set stay, and with them the index:
/// another process may have saved them.
/// @param published  files that are put in place; without weights among them nothing goes
/// @param saved      all that the save made, published or not: none of it goes
/// @param there      what is there already
/// @return  in the order in which they are to go: what is looked for first is never half gone
std::vector<std::string> replaced_weights(const std::set<std::string>& published,
                                          const std::set<std::string>& saved,
                                          const std::vector<std::string>& there);

/// The folders in which such weights can be; "" is the root.
std::set<std::string> weight_folders(const std::set<std::string>& published);

}  // namespace cohub::model
