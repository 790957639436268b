#include "transfer/upload/upload_plan.hpp"

#include "cohub/error.hpp"

#include "hub/repo_path.hpp"

#include <algorithm>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <utility>

namespace cohub::transfer {

namespace {

std::string checked(const std::string& path) {
  auto normalized = hub::check_path_in_repo(path);
  if (!normalized)
    throw error(normalized.error(), "the path \"" + path + "\" cannot be in a repository");
  return std::move(*normalized);
}

std::string checked_file(const std::string& path) {
  auto name = checked(path);
  if (name.empty() || name.ends_with('/'))
    throw error(errc::invalid_path, "a file needs a name: \"" + path + '"');
  return name;
}

}  // namespace

bool commit_plan::empty() const noexcept {
  return deletes.empty() && std::all_of(adds.begin(), adds.end(),
                                        [](const planned_add& add) { return add.dropped(); });
}

void commit_plan::mark_refilled() {
  std::unordered_set<std::string_view> gone;
  for (const auto& removal : deletes) gone.insert(removal.path);
  for (auto& add : adds) {
    add.refilled = false;
    if (gone.empty()) continue;
    std::string_view path = add.path;
    add.refilled = gone.contains(path);
    for (auto slash = path.rfind('/'); slash != path.npos && !add.refilled;
         slash = path.rfind('/')) {
      path = path.substr(0, slash);
      add.refilled = gone.contains(path);
    }
  }
}

commit_plan plan_commit(const std::vector<commit_operation>& operations) {
  commit_plan plan;
  std::unordered_map<std::string, std::size_t> last;  // operation that fills a path
  std::unordered_set<std::string> deleted;
  last.reserve(operations.size());
  plan.adds.reserve(operations.size());
  for (std::size_t i = 0; i < operations.size(); ++i) {
    if (const auto* add = std::get_if<commit_operation_add>(&operations[i])) {
      planned_add planned;
      planned.path = checked_file(add->path_in_repo);
      planned.operation = last[planned.path] = i;
      plan.adds.push_back(std::move(planned));
    } else if (const auto* copy = std::get_if<commit_operation_copy>(&operations[i])) {
      planned_copy planned;
      planned.source = checked_file(copy->src_path_in_repo);
      planned.path = checked_file(copy->path_in_repo);
      planned.operation = last[planned.path] = i;
      plan.copies.push_back(std::move(planned));
    } else {
      const auto& removal = std::get<commit_operation_delete>(operations[i]);
      planned_delete planned;
      planned.path = checked(removal.path_in_repo);
      planned.is_folder = removal.is_folder || planned.path.ends_with('/');
      while (planned.path.ends_with('/')) planned.path.pop_back();
      if (planned.path.empty())
        throw error(errc::invalid_path, "a deletion needs a path; delete_repo deletes everything");
      if (deleted.insert(planned.path).second) plan.deletes.push_back(std::move(planned));
    }
  }
  const auto is_overruled = [&](const auto& each) { return last[each.path] != each.operation; };
  std::erase_if(plan.adds, is_overruled);
  std::erase_if(plan.copies, is_overruled);
  plan.mark_refilled();
  return plan;
}

void apply_preupload(commit_plan& plan, std::size_t begin, std::size_t end,
                     const std::vector<hub::preupload_answer>& answers) {
  std::unordered_map<std::string_view, const hub::preupload_answer*> by_path;
  for (const auto& answer : answers) by_path.emplace(answer.path, &answer);
  for (std::size_t i = begin; i < end; ++i) {
    auto& add = plan.adds[i];
    if (!add.content) continue;  // a copy of what the Hub has
    const auto found = by_path.find(add.path);
    if (found == by_path.end())
      throw error(errc::invalid_response,
                  "asking how to upload " + add.path + " (the Hub did not say)");
    add.mode = add.told_size == 0 ? hub::upload_mode::regular : found->second->mode;
    add.ignored = found->second->ignore;
    add.unchanged = false;
    add.oid_there = found->second->oid;
  }
}

}  // namespace cohub::transfer
