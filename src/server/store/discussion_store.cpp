#include "server/store/discussion_store.hpp"

#include "cohub/error.hpp"

#include "core/byte_range.hpp"
#include "hub/json_reader.hpp"
#include "io/file.hpp"
#include "server/store/folder_entries.hpp"

#include <boost/json/serialize.hpp>

#include <algorithm>
#include <system_error>
#include <utility>

namespace cohub::server {

namespace {

constexpr std::uint64_t file_limit = 256u << 20;

boost::json::array write_versions(const std::vector<comment_version>& versions) {
  boost::json::array list;
  for (const auto& each : versions) {
    boost::json::object version;
    version["author"] = each.author;
    version["text"] = each.text;
    version["writtenAt"] = each.written_at;
    list.push_back(std::move(version));
  }
  return list;
}

std::vector<comment_version> read_versions(const boost::json::object& event) {
  std::vector<comment_version> versions;
  const auto* list = event.if_contains("versions");
  if (list == nullptr || !list->is_array()) return versions;
  for (const auto& item : list->get_array())
    if (const auto* object = item.if_object())
      versions.push_back({hub::text_or(*object, "author"), hub::text_or(*object, "text"),
                          hub::text_or(*object, "writtenAt")});
  return versions;
}

boost::json::object write_discussion(const discussion& what) {
  boost::json::object entry;
  entry["num"] = what.number;
  entry["title"] = what.title;
  entry["author"] = what.author;
  entry["base"] = what.base;
  entry["status"] = what.status;
  entry["createdAt"] = what.created_at;
  entry["mergeCommit"] = what.merge_commit;
  boost::json::array events;
  for (const auto& each : what.events) {
    boost::json::object event;
    event["id"] = each.id;
    event["type"] = each.type;
    event["author"] = each.author;
    event["createdAt"] = each.created_at;
    event["updatedAt"] = each.updated_at;
    event["text"] = each.text;
    event["subject"] = each.subject;
    event["edited"] = each.edited;
    event["hidden"] = each.hidden;
    if (!each.edited_by.empty()) event["editedBy"] = each.edited_by;
    if (!each.versions.empty()) event["versions"] = write_versions(each.versions);
    events.push_back(std::move(event));
  }
  entry["events"] = std::move(events);
  return entry;
}

discussion read_discussion(const boost::json::object& entry) {
  discussion what;
  what.number = hub::number_or(entry, "num");
  what.title = hub::text_or(entry, "title");
  what.author = hub::text_or(entry, "author");
  what.base = hub::text_or(entry, "base");
  what.status = hub::text_or(entry, "status", "open");
  what.created_at = hub::text_or(entry, "createdAt");
  what.merge_commit = hub::text_or(entry, "mergeCommit");
  const auto* events = entry.if_contains("events");
  if (events == nullptr || !events->is_array()) return what;
  for (const auto& item : events->get_array()) {
    const auto* object = item.if_object();
    if (object == nullptr) continue;
    discussion_event event;
    event.id = hub::text_or(*object, "id");
    event.type = hub::text_or(*object, "type");
    event.author = hub::text_or(*object, "author");
    event.created_at = hub::text_or(*object, "createdAt");
    event.updated_at = hub::text_or(*object, "updatedAt");
    event.text = hub::text_or(*object, "text");
    event.subject = hub::text_or(*object, "subject");
    event.edited = hub::flag_or(*object, "edited");
    event.hidden = hub::flag_or(*object, "hidden");
    event.edited_by = hub::text_or(*object, "editedBy");
    event.versions = read_versions(*object);
    what.events.push_back(std::move(event));
  }
  return what;
}

std::string file_name(std::uint64_t number) { return std::to_string(number) + ".json"; }

/// The number that a file is named by; nothing: it is no discussion.
std::optional<std::uint64_t> number_of(const std::filesystem::path& file) {
  if (file.extension() != ".json") return std::nullopt;
  return core::parse_decimal(file.stem().string());
}

}  // namespace

std::optional<discussion> discussion_store::find(std::uint64_t number) const {
  std::error_code code;
  const auto file = folder_ / file_name(number);
  if (!std::filesystem::exists(file, code)) return std::nullopt;
  const auto parsed = hub::parse_json(io::read_file(file, file_limit));
  if (!parsed || !parsed->is_object()) return std::nullopt;
  return read_discussion(parsed->get_object());
}

void discussion_store::for_each(const std::function<void(const discussion&)>& visit) const {
  std::vector<std::uint64_t> numbers;
  for (const auto& entry : entries_of(folder_))
    if (const auto number = number_of(entry)) numbers.push_back(*number);
  std::sort(numbers.begin(), numbers.end(), std::greater<>());
  for (const auto number : numbers) {
    std::optional<discussion> each;
    try {
      each = find(number);
    } catch (const error&) {
      // One that cannot be read must not hide the others.
    }
    if (each) visit(*each);
  }
}

std::uint64_t discussion_store::last_number() const {
  std::uint64_t last = 0;
  for (const auto& entry : entries_of(folder_)) last = std::max(last, number_of(entry).value_or(0));
  return last;
}

void discussion_store::save(const discussion& what) const {
  io::create_directories(folder_);
  io::write_file_atomically(folder_ / file_name(what.number),
                            boost::json::serialize(write_discussion(what)), io::durability::machine,
                            temporary_);
}

void discussion_store::adopt(const std::filesystem::path& repository,
                             const std::filesystem::path& record) {
  const auto folder = repository / folder_name;
  if (std::filesystem::exists(folder)) return;
  // All at once: a folder that is there is whole.
  const auto filling = repository / (std::string("tmp_") + folder_name);
  std::filesystem::remove_all(filling);
  io::create_directories(filling);
  const auto parsed = hub::parse_json(io::read_file(record, file_limit));
  const auto* object = parsed ? parsed->if_object() : nullptr;
  const auto* list = object ? object->if_contains("discussions") : nullptr;
  if (list != nullptr && list->is_array())
    for (const auto& item : list->get_array())
      if (const auto* entry = item.if_object()) {
        const auto each = read_discussion(*entry);
        io::write_file_atomically(filling / file_name(each.number),
                                  boost::json::serialize(write_discussion(each)),
                                  io::durability::machine);
      }
  io::rename_file(filling, folder, io::durability::machine);
}

}  // namespace cohub::server
