#include "server/store/repo_store.hpp"

#include "cohub/error.hpp"

#include "core/ascii.hpp"
#include "core/hex.hpp"
#include "http/fields.hpp"
#include "hub/json_reader.hpp"
#include "hub/repo_id.hpp"
#include "io/file.hpp"
#include "server/failure.hpp"
#include "server/git/file_system.hpp"
#include "server/git/git_repository.hpp"
#include "server/store/discussion_store.hpp"
#include "server/store/folder_entries.hpp"
#include "server/store/private_file.hpp"
#include "server/store/token_store.hpp"

#include <boost/json/serialize.hpp>

#include <sys/stat.h>
#include <time.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdio>
#include <set>
#include <span>
#include <system_error>
#include <unordered_set>
#include <utility>

namespace cohub::server {

namespace {

constexpr const char* record_name = "cohub.json";
/// A folder of empty files, each named by the sha256 of a large object.
constexpr const char* objects_name = "cohub-objects";
constexpr std::uint64_t record_limit = 64u << 20;
constexpr std::uint64_t sign_limit = 1000;
constexpr std::size_t few_objects = 16;

/// What a commit that was cut off by a crash has left.
void remove_unfinished_packs(const std::filesystem::path& repository) {
  std::error_code ignored;
  for (const auto& entry :
       std::filesystem::directory_iterator(repository / "objects" / "pack", ignored))
    if (entry.path().filename().string().starts_with("tmp_pack_"))
      std::filesystem::remove(entry.path(), ignored);
}

std::string format_time(std::int64_t seconds, long milliseconds) {
  const auto time = static_cast<time_t>(seconds);
  struct tm parts {};
  gmtime_r(&time, &parts);
  std::array<char, 64> text{};
  std::snprintf(text.data(), text.size(), "%04d-%02d-%02dT%02d:%02d:%02d.%03ldZ",
                parts.tm_year + 1900, parts.tm_mon + 1, parts.tm_mday, parts.tm_hour, parts.tm_min,
                parts.tm_sec, milliseconds);
  return text.data();
}

std::string write_record(const repo_record& record) {
  boost::json::object object;
  object["type"] = hub::singular(record.type);
  object["id"] = record.id;
  object["private"] = record.is_private;
  object["protected"] = record.is_protected;
  object["gated"] = record.gated;
  object["disabled"] = record.disabled;
  object["sdk"] = record.sdk;
  object["key"] = record.key;
  object["createdAt"] = record.created_at;
  boost::json::array requests;
  for (const auto& each : record.access_requests) {
    boost::json::object entry;
    entry["user"] = each.user;
    entry["status"] = each.status;
    entry["timestamp"] = each.timestamp;
    requests.push_back(std::move(entry));
  }
  object["accessRequests"] = std::move(requests);
  return boost::json::serialize(object);
}

std::optional<repo_record> read_record(const std::string& text) {
  const auto parsed = hub::parse_json(text);
  if (!parsed || !parsed->is_object()) return std::nullopt;
  const auto& object = parsed->as_object();
  repo_record record;
  record.type = hub::parse_singular(hub::text_or(object, "type")).value_or(repo_type::model);
  record.id = hub::text_or(object, "id");
  record.is_private = hub::flag_or(object, "private");
  record.is_protected = hub::flag_or(object, "protected");
  record.gated = hub::text_or(object, "gated");
  record.disabled = hub::flag_or(object, "disabled");
  record.sdk = hub::text_or(object, "sdk");
  record.key = hub::text_or(object, "key");
  record.created_at = hub::text_or(object, "createdAt");
  if (const auto* list = object.if_contains("accessRequests"); list && list->is_array())
    for (const auto& item : list->as_array())
      if (const auto* entry = item.if_object())
        record.access_requests.push_back({hub::text_or(*entry, "user"),
                                          hub::text_or(*entry, "status"),
                                          hub::text_or(*entry, "timestamp")});
  return record;
}

}  // namespace

std::string repo_record::visibility() const {
  if (is_protected) return "protected";
  return is_private ? "private" : "public";
}

void repo_record::set_visibility(std::string_view word) {
  is_private = word != "public";
  is_protected = word == "protected";
}

void repo_store::for_each_repository(
    const std::function<void(const std::filesystem::path&)>& visit) const {
  for (const auto& type : entries_of(folder_))
    for (const auto& owner : entries_of(type))
      for (const auto& repository : entries_of(owner))
        if (is_there(repository / record_name)) visit(repository);
}

std::vector<repo_record> repo_store::all(repo_type type) const {
  std::vector<repo_record> records;
  for (const auto& owner : entries_of(folder_ / std::string(hub::plural(type))))
    for (const auto& entry : entries_of(owner)) {
      if (entry.extension() != ".git") continue;
      const auto id = owner.filename().string() + '/' + entry.stem().string();
      try {
        if (auto record = find(type, id)) records.push_back(std::move(*record));
      } catch (const error&) {
        // One that cannot be read must not hide the others.
      }
    }
  std::sort(records.begin(), records.end(),
            [](const repo_record& a, const repo_record& b) { return a.id < b.id; });
  return records;
}

std::string timestamp_of(std::int64_t seconds) { return format_time(seconds, 0); }

std::string timestamp_now() {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  const auto total = std::chrono::duration_cast<std::chrono::milliseconds>(now).count();
  return format_time(total / 1000, static_cast<long>(total % 1000));
}

std::string repo_record::access_of(std::string_view user) const {
  for (const auto& each : access_requests)
    if (each.user == user) return each.status;
  return {};
}

void repo_record::set_access(const std::string& user, const std::string& status) {
  std::erase_if(access_requests, [&](const access_request& each) { return each.user == user; });
  if (!status.empty()) access_requests.push_back({user, status, timestamp_now()});
}

repo_store::repo_store(std::filesystem::path folder, std::filesystem::path temporary)
    : folder_(std::move(folder)), temporary_(std::move(temporary)) {
  io::create_directories(folder_);
  for_each_repository([](const std::filesystem::path& repository) {
    remove_unfinished_packs(repository);
    try {
      discussion_store::adopt(repository, repository / record_name);
    } catch (const error&) {
      // One that cannot be read must not keep the others from being served.
    }
  });
}

bool repo_store::is_valid_id(const std::string& id) {
  const auto slash = id.find('/');
  if (slash == id.npos) return false;
  return is_owner_name(id.substr(0, slash)) && is_owner_name(id.substr(slash + 1)) &&
         hub::check_repo_id(id).has_value();
}

std::filesystem::path repo_store::path_of(repo_type type, const std::string& id) const {
  return folder_ / std::string(hub::plural(type)) / (id + ".git");
}

std::filesystem::path repo_store::sign_of(repo_type type, const std::string& id) const {
  return folder_ / std::string(hub::plural(type)) / (id + ".moved");
}

std::optional<repo_record> repo_store::find(repo_type type, const std::string& id) const {
  if (!is_valid_id(id)) return std::nullopt;
  const auto path = path_of(type, id) / record_name;
  std::error_code code;
  if (!std::filesystem::exists(path, code)) return std::nullopt;
  try {
    auto record = read_record(io::read_file(path, record_limit));
    if (!record) return std::nullopt;
    record->type = type;
    record->id = id;  // it may have been moved here
    return record;
  } catch (const error& e) {
    // Deleted in between.
    if (e.code() == boost::system::errc::no_such_file_or_directory) return std::nullopt;
    throw;
  }
}

repo_record repo_store::completed(repo_record record) {
  if (record.key.empty()) {
    const std::string bytes = random_bytes(12);
    record.key = core::to_hex(std::as_bytes(std::span(bytes)));
  }
  if (record.created_at.empty()) record.created_at = timestamp_now();
  return record;
}

bool repo_store::place(const std::filesystem::path& building, const repo_record& record) {
  const auto target = path_of(record.type, record.id);
  io::write_file_atomically(building / record_name, write_record(record), io::durability::machine);
  io::create_directories(target.parent_path(), io::durability::machine);
  const auto lock_owner = writer(record.type, record.id);
  const std::lock_guard lock(*lock_owner);
  const std::lock_guard naming(naming_);
  if (spelling_of(record.type, record.id)) {
    std::filesystem::remove_all(building);
    return false;
  }
  io::rename_file(building, target, io::durability::machine);
  return true;
}

bool repo_store::create(const repo_record& given,
                        const std::function<void(const std::filesystem::path&)>& fill) {
  const auto record = completed(given);
  if (spelling_of(record.type, record.id)) return false;
  const auto building = temporary_ / ("repository-" + io::random_suffix() + io::random_suffix());
  try {
    create_git_repository(building, record.owner());
    if (fill) fill(building);
    io::create_directories(building / objects_name);
    io::create_directories(building / discussion_store::folder_name);
    return place(building, record);
  } catch (...) {
    std::error_code ignored;
    std::filesystem::remove_all(building, ignored);
    throw;
  }
}

bool repo_store::copy(repo_type type, const std::string& from, const repo_record& given) {
  const auto record = completed(given);
  if (spelling_of(record.type, record.id)) return false;
  const auto building = temporary_ / ("repository-" + io::random_suffix() + io::random_suffix());
  try {
    {
      const auto lock_owner = writer(type, from);
      const std::lock_guard lock(*lock_owner);
      if (!std::filesystem::exists(path_of(type, from)))
        throw failure(404, "RepoNotFound", "Repository not found");
      copy_folder(path_of(type, from), building, {"objects", objects_name});
    }
    git_repository repository(building);
    for (const auto& ref : repository.refs())
      if (!ref.name.starts_with("refs/heads/") && !ref.name.starts_with("refs/tags/"))
        repository.delete_ref(ref.name);
    io::create_directories(building / "refs" / "pr");
    std::filesystem::remove_all(building / discussion_store::folder_name);
    io::create_directories(building / discussion_store::folder_name);
    return place(building, record);
  } catch (...) {
    std::error_code ignored;
    std::filesystem::remove_all(building, ignored);
    throw;
  }
}

bool repo_store::move(repo_type type, const std::string& from, const std::string& to) {
  const auto lock_from = writer(type, from);
  const auto lock_to = writer(type, to);
  if (lock_from == lock_to) return false;
  const std::scoped_lock lock(*lock_from, *lock_to);
  const std::lock_guard naming(naming_);
  if (!std::filesystem::exists(path_of(type, from)) || spelling_of(type, to).value_or(from) != from)
    return false;
  io::create_directories(path_of(type, to).parent_path(), io::durability::machine);
  // The way is there before it is needed: as long as the repository is in its old place, that is
  // what is found.
  io::write_file_atomically(sign_of(type, from), to, io::durability::machine, temporary_);
  io::rename_file(path_of(type, from), path_of(type, to), io::durability::machine);
  std::error_code ignored;  // of a repository that was here long ago
  std::filesystem::remove(sign_of(type, to), ignored);
  return true;
}

std::vector<std::string> repo_store::moved_to(repo_type type, const std::string& id) const {
  std::vector<std::string> found;
  std::error_code code;
  if (id.find('/') == id.npos) {
    if (!is_owner_name(id)) return found;
    const auto owners = folder_ / std::string(hub::plural(type));
    for (const auto& owner : std::filesystem::directory_iterator(owners, code)) {
      std::string candidate = owner.path().filename().string() + '/' + id;
      if (std::filesystem::exists(path_of(type, candidate), code))
        found.push_back(std::move(candidate));
    }
    return found;
  }
  constexpr int longest_way = 10;
  std::string at = id;
  for (int hops = 0; hops < longest_way && is_valid_id(at); ++hops) {
    if (hops > 0 && std::filesystem::exists(path_of(type, at), code)) {
      found.push_back(at);
      return found;
    }
    const auto sign = sign_of(type, at);
    if (!std::filesystem::exists(sign, code)) break;
    at = io::read_file(sign, sign_limit);
  }
  auto spelled = is_valid_id(id) ? spelling_of(type, id) : std::nullopt;
  if (spelled && *spelled != id) found.push_back(std::move(*spelled));
  return found;
}

std::optional<std::string> repo_store::spelling_of(repo_type type, const std::string& id) const {
  std::error_code code;
  if (std::filesystem::exists(path_of(type, id), code)) return id;
  const auto owners = folder_ / std::string(hub::plural(type));
  for (const auto& owner : std::filesystem::directory_iterator(owners, code)) {
    const auto owner_name = owner.path().filename().string();
    if (!core::equal_without_case(owner_name, id.substr(0, id.find('/')))) continue;
    for (const auto& entry : std::filesystem::directory_iterator(owner.path(), code)) {
      if (entry.path().extension() != ".git") continue;
      auto candidate = owner_name + '/' + entry.path().stem().string();
      if (core::equal_without_case(candidate, id)) return candidate;
    }
  }
  return std::nullopt;
}

std::optional<std::filesystem::path> repo_store::take_away(repo_type type, const std::string& id) {
  const auto path = path_of(type, id);
  auto doomed = temporary_ / ("deleted-" + io::random_suffix() + io::random_suffix());
  const auto lock_owner = writer(type, id);
  const std::lock_guard lock(*lock_owner);
  if (!std::filesystem::exists(path)) return std::nullopt;
  io::rename_file(path, doomed, io::durability::machine);
  return doomed;
}

bool repo_store::is_known(repo_type type, const std::string& id) const {
  return is_valid_id(id) && is_there(path_of(type, id) / record_name);
}

bool repo_store::has_object(repo_type type, const std::string& id,
                            const std::string& sha256) const {
  std::error_code code;
  return std::filesystem::exists(path_of(type, id) / objects_name / sha256, code);
}

bool repo_store::add_object(repo_type type, const std::string& id, const std::string& sha256) {
  if (!is_known(type, id)) return false;
  const auto lock_owner = writer(type, id);
  const std::lock_guard lock(*lock_owner);
  if (!is_known(type, id)) return false;
  if (!has_object(type, id, sha256))
    io::write_file_atomically(path_of(type, id) / objects_name / sha256, std::string_view(),
                              io::durability::machine, temporary_);
  return true;
}

std::vector<std::string> repo_store::objects_of(repo_type type, const std::string& id) const {
  std::vector<std::string> found;
  for (const auto& entry : entries_of(path_of(type, id) / objects_name)) {
    auto name = entry.filename().string();
    if (core::is_hex(name, 64)) found.push_back(std::move(name));
  }
  return found;
}

std::string repo_store::pushed_at(repo_type type, const std::string& id,
                                  const std::string& sha256) const {
  struct stat facts {};
  const auto note = path_of(type, id) / objects_name / sha256;
  if (::stat(note.c_str(), &facts) != 0) return timestamp_of(0);
  return timestamp_of(facts.st_mtime);
}

void repo_store::keep_objects(repo_type type, const std::string& id,
                              const std::vector<std::string>& sha256s) {
  const auto lock_owner = writer(type, id);
  const std::lock_guard lock(*lock_owner);
  const auto folder = path_of(type, id) / objects_name;
  if (!std::filesystem::exists(path_of(type, id) / record_name)) return;
  const std::set<std::string> kept(sha256s.begin(), sha256s.end());
  for (const auto& sha256 : objects_of(type, id))
    if (!kept.contains(sha256)) std::filesystem::remove(folder / sha256);
  io::sync_folder(folder);
}

std::vector<std::string> repo_store::unheld(const std::vector<std::string>& sha256s) const {
  std::unordered_set<std::string> left(sha256s.begin(), sha256s.end());
  for_each_repository([&](const std::filesystem::path& repository) {
    const auto objects = repository / objects_name;
    // A few are asked for one by one, many are looked for in the list.
    if (left.size() <= few_objects)
      std::erase_if(left, [&](const std::string& sha256) { return is_there(objects / sha256); });
    else
      for (const auto& entry : entries_of(objects)) left.erase(entry.filename().string());
  });
  return {left.begin(), left.end()};
}

std::optional<repo_record> repo_store::update(repo_type type, const std::string& id,
                                              const std::function<void(repo_record&)>& change) {
  if (!is_known(type, id)) return std::nullopt;
  const auto lock_owner = writer(type, id);
  const std::lock_guard lock(*lock_owner);
  auto record = find(type, id);
  if (!record) return std::nullopt;
  change(*record);
  io::write_file_atomically(path_of(type, id) / record_name, write_record(*record),
                            io::durability::machine, temporary_);
  return record;
}

std::shared_ptr<std::mutex> repo_store::writer(repo_type type, const std::string& id) {
  const std::lock_guard lock(mutex_);
  std::erase_if(writers_, [](const auto& each) { return each.second.expired(); });
  auto& known = writers_[std::string(hub::plural(type)) + '/' + id];
  auto found = known.lock();
  if (!found) known = found = std::make_shared<std::mutex>();
  return found;
}

}  // namespace cohub::server
