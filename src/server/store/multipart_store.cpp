#include "server/store/multipart_store.hpp"

#include "cohub/error.hpp"

#include "core/byte_range.hpp"
#include "core/digest.hpp"
#include "server/failure.hpp"
#include "server/store/object_store.hpp"

#include <chrono>
#include <string_view>
#include <system_error>
#include <utility>

namespace cohub::server {

namespace {

constexpr auto forgotten_after = std::chrono::hours(24 * 7);
constexpr auto cleaned_every = std::chrono::hours(1);
constexpr std::uint64_t list_limit = 16u << 20;

failure no_such_upload() { return not_found("The upload does not exist, or is completed"); }

/// The parts that are there by the upload's list: "number etag" a line, the last one counts.
std::map<std::uint64_t, std::string> read_parts(const std::filesystem::path& list) {
  std::map<std::uint64_t, std::string> parts;
  if (!std::filesystem::exists(list)) return parts;
  const std::string text = io::read_file(list, list_limit);
  for (std::size_t begin = 0;;) {
    const auto end = text.find('\n', begin);
    if (end == text.npos) return parts;  // what follows was cut off by a crash
    const auto line = std::string_view(text).substr(begin, end - begin);
    begin = end + 1;
    const auto blank = line.find(' ');
    if (blank == line.npos) continue;
    if (const auto number = core::parse_decimal(line.substr(0, blank)))
      parts[*number] = std::string(line.substr(blank + 1));
  }
}

}  // namespace

class multipart_store::incoming_part::part_digest {
 public:
  core::digest running{core::digest::algorithm::sha1};
};

multipart_store::multipart_store(std::filesystem::path folder) : folder_(std::move(folder)) {
  io::create_directories(folder_);
}

void multipart_store::forget_old() {
  const auto now = std::chrono::steady_clock::now();
  if (now < next_cleaning_) return;
  next_cleaning_ = now + cleaned_every;
  const auto oldest = std::filesystem::file_time_type::clock::now() - forgotten_after;
  std::error_code ignored;
  for (const auto& entry : std::filesystem::directory_iterator(folder_, ignored)) {
    const auto id = entry.path().filename().string();
    if (writers_.contains(id) || completing_.contains(id)) continue;
    const auto list = entry.path() / "parts";
    const auto touched = std::filesystem::last_write_time(
        std::filesystem::exists(list, ignored) ? list : entry.path(), ignored);
    if (!ignored && touched < oldest) std::filesystem::remove_all(entry.path(), ignored);
  }
}

std::string multipart_store::open(std::string_view key, std::uint64_t size) {
  const std::string id = core::sha256_hex(key).substr(0, 32);
  const std::lock_guard lock(mutex_);
  forget_old();
  // Who joins one that is being completed sends what is dropped, and waits for its end then.
  if (completing_.contains(id) || std::filesystem::exists(folder_of(id) / "content")) return id;
  io::create_directories(folder_of(id));
  // The upload is open once its content is there, in its full length.
  const auto begun = folder_of(id) / "begun";
  try {
    io::file content(begun, io::file::mode::read_write);
    content.truncate(size);
  } catch (const error& e) {
    std::error_code ignored;
    std::filesystem::remove_all(folder_of(id), ignored);
    if (e.code() != boost::system::errc::file_too_large) throw;
    throw unprocessable("The object is too large to be stored here");
  }
  io::rename_file(begun, folder_of(id) / "content");
  return id;
}

std::unique_ptr<multipart_store::incoming_part> multipart_store::receive(const std::string& id,
                                                                         std::uint64_t number,
                                                                         std::uint64_t offset) {
  const std::lock_guard lock(mutex_);
  if (completing_.contains(id)) return nullptr;
  const auto content = folder_of(id) / "content";
  if (!std::filesystem::exists(content)) throw no_such_upload();
  // First: where that fails, nobody is noted to be writing.
  io::file opened(content, io::file::mode::read_write);
  auto& way = writers_[id];
  if (!way) way = std::make_shared<gate>();
  std::unique_ptr<incoming_part> part(
      new incoming_part(*this, id, way, number, offset, std::move(opened)));
  ++way->parts;
  return part;
}

void multipart_store::leave(const std::string& id, const std::shared_ptr<gate>& way) {
  const std::lock_guard lock(mutex_);
  if (--way->parts > 0) return;
  const auto found = writers_.find(id);
  if (found != writers_.end() && found->second == way) writers_.erase(found);
}

multipart_store::incoming_part::incoming_part(multipart_store& store, std::string id,
                                              std::shared_ptr<gate> way, std::uint64_t number,
                                              std::uint64_t offset, io::file content)
    : store_(store),
      id_(std::move(id)),
      way_(std::move(way)),
      number_(number),
      offset_(offset),
      content_(std::move(content)),
      digest_(std::make_unique<part_digest>()) {}

multipart_store::incoming_part::~incoming_part() { store_.leave(id_, way_); }

void multipart_store::incoming_part::write(std::span<const std::byte> bytes) {
  digest_->running.update(bytes);
  const std::shared_lock lock(way_->writing);
  if (!way_->closed) content_.write_at(offset_ + size_, bytes);
  size_ += bytes.size();
}

std::string multipart_store::incoming_part::finish(std::uint64_t expected) {
  if (size_ != expected) throw bad_request("The part has another size than was announced");
  std::string etag = '"' + digest_->running.hex_digest() + '"';
  const std::string line = std::to_string(number_) + ' ' + etag + '\n';
  const std::shared_lock open(way_->writing);
  if (way_->closed) return etag;
  const std::lock_guard lock(store_.mutex_);
  io::file list(store_.folder_of(id_) / "parts", io::file::mode::read_write);
  list.write_at(list.size(), std::as_bytes(std::span(line)));
  return etag;
}

std::unique_ptr<multipart_store::completion> multipart_store::completion::begin(
    multipart_store& store, const std::string& id) {
  std::shared_ptr<gate> way;
  std::unique_ptr<completion> begun;
  {
    const std::lock_guard lock(store.mutex_);
    if (!store.completing_.insert(id).second) return nullptr;
    begun.reset(new completion(store, id));
    if (const auto found = store.writers_.find(id); found != store.writers_.end()) {
      way = std::move(found->second);
      store.writers_.erase(found);
    }
  }
  if (!way) return begun;
  // What is being written now is the last.
  const std::lock_guard last(way->writing);
  way->closed = true;
  return begun;
}

multipart_store::completion::~completion() {
  const std::lock_guard lock(store_.mutex_);
  store_.completing_.erase(id_);
}

void multipart_store::completion::check(const std::vector<uploaded_part>& parts,
                                        std::uint64_t count, const std::string& sha256,
                                        std::uint64_t size) const {
  const auto folder = store_.folder_of(id_);
  if (!std::filesystem::exists(folder / "content")) throw no_such_upload();
  const auto there = read_parts(folder / "parts");
  if (parts.size() != count)
    throw bad_request("The upload has " + std::to_string(count) + " parts");
  for (std::size_t i = 0; i < parts.size(); ++i) {
    const auto found = there.find(parts[i].number);
    if (parts[i].number != i + 1) throw bad_request("The parts are not in order");
    if (found == there.end() || found->second != parts[i].etag)
      throw bad_request("Part " + std::to_string(i + 1) + " is not there, or is another");
  }
  if (object_store::is_object(folder / "content", sha256, size)) return;
  // No part can be told from another that is wrong, or was lost when the machine crashed: whoever
  // tries again sends all of them.
  drop();
  throw bad_request("The content does not have the announced sha256");
}

void multipart_store::completion::place(const std::string& sha256,
                                        const object_store& objects) const {
  objects.place(store_.folder_of(id_) / "content", sha256);
  drop();
}

void multipart_store::completion::drop() const {
  std::error_code ignored;
  std::filesystem::remove_all(store_.folder_of(id_), ignored);
}

}  // namespace cohub::server
