#include "transfer/upload/upload_journal.hpp"

#include "cohub/error.hpp"

#include "core/byte_range.hpp"
#include "core/digest.hpp"
#include "core/hex.hpp"
#include "core/take_line.hpp"
#include "hub/json_reader.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include <chrono>
#include <span>
#include <system_error>
#include <utility>

namespace cohub::transfer {

namespace {

namespace json = boost::json;

constexpr std::string_view magic = "cohub upload 1\n";
constexpr std::uint64_t journal_limit = 256u << 20;
constexpr std::uint64_t hash_limit = 64 * 1024;
constexpr auto kept_for = std::chrono::hours(24 * 30);

json::string_view view(std::string_view text) { return {text.data(), text.size()}; }

std::optional<hub::multipart_plan> decode_plan(std::string_view line) {
  const auto value = hub::parse_json(line);
  if (!value || !value->is_object()) return {};
  const auto& object = value->get_object();
  hub::multipart_plan plan;
  plan.part_size = hub::number_or(object, "part_size");
  plan.completion_url = hub::text_or(object, "completion");
  const auto* urls = object.if_contains("parts");
  if (plan.part_size == 0 || plan.completion_url.empty() || urls == nullptr || !urls->is_array())
    return {};
  for (const auto& url : urls->get_array()) {
    if (!url.is_string()) return {};
    plan.part_urls.emplace_back(url.get_string());
  }
  return plan;
}

std::string encode_progress(const multipart_progress& progress) {
  std::string text = encode_multipart_plan(progress.plan);
  for (std::size_t i = 0; i < progress.etags.size(); ++i)
    if (!progress.etags[i].empty()) text += encode_uploaded_part(i, progress.etags[i]);
  return text;
}

/// A record of a file's hash: what it was when it was hashed, and the hash.
std::string encode_hash(const io::file_identity& file, std::string_view sha256) {
  json::object record;
  record["path"] = file.path;
  record["size"] = file.size;
  record["modified"] = file.modified;
  record["changed"] = file.changed;
  record["inode"] = file.inode;
  record["sha256"] = view(sha256);
  return json::serialize(record) + '\n';
}

/// Removes what no process has open.
void remove_unused(const std::filesystem::path& path) noexcept {
  try {
    io::file left(path, io::file::mode::read_write_private);
    if (!left.try_lock()) return;
    std::error_code ignored;
    std::filesystem::remove(path, ignored);
  } catch (const std::exception&) {
    // The next process looks again.
  }
}

/// Removes what nobody has touched for a month.
void sweep(const std::filesystem::path& folder) {
  const auto oldest = std::filesystem::file_time_type::clock::now() - kept_for;
  std::error_code failed;
  for (std::filesystem::directory_iterator entry(folder, failed), end; !failed && entry != end;
       entry.increment(failed)) {
    std::error_code unknown;
    const auto touched = entry->last_write_time(unknown);
    if (!unknown && touched < oldest) remove_unused(entry->path());
  }
}

}  // namespace

std::string encode_multipart_plan(const hub::multipart_plan& plan) {
  json::object object;
  object["part_size"] = plan.part_size;
  object["completion"] = plan.completion_url;
  json::array urls;
  for (const auto& url : plan.part_urls) urls.emplace_back(url);
  object["parts"] = std::move(urls);
  return std::string(magic) + json::serialize(object) + '\n';
}

std::string encode_uploaded_part(std::size_t part, std::string_view etag) {
  return std::to_string(part) + ' ' + std::string(etag) + '\n';
}

std::optional<multipart_progress> decode_multipart_progress(std::string_view text) {
  if (!text.starts_with(magic)) return {};
  text.remove_prefix(magic.size());
  const auto head = core::take_line(text);
  auto plan = head ? decode_plan(*head) : std::nullopt;
  if (!plan) return {};
  multipart_progress progress;
  progress.plan = std::move(*plan);
  progress.etags.resize(progress.plan.part_urls.size());
  while (const auto line = core::take_line(text)) {
    const auto blank = line->find(' ');
    const auto part = core::parse_decimal(line->substr(0, blank));
    if (blank == line->npos || !part || *part >= progress.etags.size()) break;
    progress.etags[static_cast<std::size_t>(*part)] = std::string(line->substr(blank + 1));
  }
  return progress;
}

part_journal::part_journal(io::file file) : path_(file.path()), file_(std::move(file)) {
  const auto size = file_.size();
  if (size == 0 || size > journal_limit) return;
  std::string text(static_cast<std::size_t>(size), '\0');
  text.resize(file_.read_at(0, std::as_writable_bytes(std::span(text))));
  found_ = decode_multipart_progress(text);
  if (!found_) return;
  end_ = text.size();
  // Parts are noted in the order in which they came: the same lines in another order say the same.
  // Whatever is left of a crash does not, and must not be written on.
  if (text.size() == encode_progress(*found_).size() && text.ends_with('\n'))
    text_ = encode_progress(*found_);
}

void part_journal::write(std::string_view text) {
  file_.write_at(end_, std::as_bytes(std::span(text)));
  end_ += text.size();
}

/// Through another file and a rename: a kill leaves the old text or the new one. The new file is
/// locked before it is in its place.
void part_journal::replace(const std::string& text) {
  const auto temporary = std::filesystem::path(path_).concat('.' + io::random_suffix());
  io::file next(temporary, io::file::mode::read_write_private);
  try {
    next.try_lock();
    next.write_at(0, std::as_bytes(std::span(text)));
    io::rename_file(temporary, path_);
  } catch (...) {
    std::error_code ignored;
    std::filesystem::remove(temporary, ignored);
    throw;
  }
  file_ = std::move(next);
  end_ = text.size();
}

void part_journal::begin(const multipart_progress& progress) noexcept {
  const std::scoped_lock lock(mutex_);
  if (!file_.is_open()) return;
  try {
    const auto text = encode_progress(progress);
    const bool same = !text_.empty() && text == text_;
    text_.clear();  // parts will be added
    if (!same) replace(text);
  } catch (const std::exception&) {
    remove();
  }
}

void part_journal::add(std::size_t part, std::string_view etag) noexcept {
  const std::scoped_lock lock(mutex_);
  if (!file_.is_open()) return;
  try {
    write(encode_uploaded_part(part, etag));
  } catch (const std::exception&) {
    remove();
  }
}

void part_journal::discard() noexcept {
  const std::scoped_lock lock(mutex_);
  remove();
}

void part_journal::remove() noexcept {
  if (!file_.is_open()) return;
  std::error_code ignored;
  std::filesystem::remove(path_, ignored);
  file_ = {};
}

std::filesystem::path upload_journal::made_folder(const char* name) const {
  const auto folder = folder_ / name;
  std::error_code unknown;
  if (!std::filesystem::exists(folder, unknown)) {
    io::create_directories(folder);
    // Not of the folder around it, which may be the user's own.
    std::error_code failure;
    std::filesystem::permissions(folder, std::filesystem::perms::owner_all, failure);
    if (failure) throw error(failure, "keeping " + folder.string() + " from others");
  }
  std::call_once(swept_, [this] {
    for (const auto* left : {"hashes", "parts", "folders", "spool"}) sweep(folder_ / left);
  });
  return folder;
}

std::optional<std::string> upload_journal::find_hash(const io::file_identity& file) const noexcept {
  try {
    const auto record = folder_ / "hashes" / core::sha256_hex(file.path);
    if (!std::filesystem::exists(record)) return {};
    const auto text = io::read_file(record, hash_limit);
    const auto value = hub::parse_json(text);
    if (!value || !value->is_object()) return {};
    const auto sha256 = hub::text_or(value->get_object(), "sha256");
    if (!core::is_hex(sha256, 64) || text != encode_hash(file, sha256)) return {};
    return sha256;
  } catch (const std::exception&) {
    return {};
  }
}

void upload_journal::keep_hash(const io::file_identity& file,
                               std::string_view sha256) const noexcept {
  try {
    const auto folder = made_folder("hashes");
    io::write_file_atomically(folder / core::sha256_hex(file.path), encode_hash(file, sha256),
                              io::durability::process, {}, io::file::mode::write_new_private);
  } catch (const std::exception&) {
    // The file is hashed again next time.
  }
}

std::shared_ptr<part_journal> upload_journal::open_parts(std::string_view key) const noexcept {
  try {
    io::file file(made_folder("parts") / core::sha256_hex(key), io::file::mode::read_write_private);
    if (!file.try_lock() || !file.is_in_place()) return {};
    return std::shared_ptr<part_journal>(new part_journal(std::move(file)));
  } catch (const std::exception&) {
    return {};
  }
}

void upload_journal::discard_parts(std::string_view key) const noexcept {
  try {
    const auto path = folder_ / "parts" / core::sha256_hex(key);
    if (!std::filesystem::exists(path)) return;
    if (const auto left = open_parts(key)) left->discard();
  } catch (const std::exception&) {
    // It is swept some day.
  }
}

io::file upload_journal::make_spool() const {
  const auto folder = made_folder("spool");
  if (auto unnamed = io::file::make_unnamed(folder, io::file::mode::write_new_private))
    return std::move(*unnamed);
  const auto path = folder / io::random_suffix();
  io::file file(path, io::file::mode::read_write_private);
  std::error_code ignored;
  std::filesystem::remove(path, ignored);
  return file;
}

}  // namespace cohub::transfer
