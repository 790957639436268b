#include "transfer/folder/large_folder_record.hpp"

#include "core/byte_range.hpp"
#include "core/digest.hpp"

#include <algorithm>
#include <array>
#include <span>
#include <utility>

namespace cohub::transfer {

namespace {

constexpr std::string_view magic = "cohub folder 2\n";
constexpr std::uint64_t record_limit = 1ull << 30;
constexpr std::string_view branch_mark = "at ";
constexpr std::string_view anew_mark = "anew ";  // what was noted before is worth nothing

std::optional<std::string_view> take_word(std::string_view& line) {
  const auto blank = line.find(' ');
  if (blank == line.npos) return {};
  const auto word = line.substr(0, blank);
  line.remove_prefix(blank + 1);
  return word;
}

std::string encode_branch(std::string_view mark, const branch_state& branch) {
  return std::string(mark) + branch.repository + ' ' + branch.head + '\n';
}

branch_state decode_branch(std::string_view words) {
  branch_state branch;
  const auto blank = std::min(words.find(' '), words.size());
  branch.repository = std::string(words.substr(0, blank));
  if (blank < words.size()) branch.head = std::string(words.substr(blank + 1));
  return branch;
}

}  // namespace

std::string encode_done_file(const io::file_identity& file) {
  return std::to_string(file.size) + ' ' + std::to_string(file.modified) + ' ' +
         std::to_string(file.changed) + ' ' + std::to_string(file.inode) + ' ' + file.path + '\n';
}

std::optional<io::file_identity> decode_done_file(std::string_view line) {
  std::array<std::uint64_t, 4> numbers{};
  for (auto& number : numbers) {
    const auto word = take_word(line);
    const auto value = word ? core::parse_decimal(*word) : std::nullopt;
    if (!value) return {};
    number = *value;
  }
  io::file_identity file;
  file.size = numbers[0];
  file.modified = static_cast<std::int64_t>(numbers[1]);
  file.changed = static_cast<std::int64_t>(numbers[2]);
  file.inode = numbers[3];
  file.path = std::string(line);
  return file;
}

large_folder_record::large_folder_record(const std::filesystem::path& state_dir,
                                         std::string_view key, const branch_state& now) noexcept {
  try {
    const auto folder = state_dir / "folders";
    io::create_directories(folder);
    io::file file(folder / core::sha256_hex(key), io::file::mode::read_write_private);
    if (!file.try_lock()) return;  // another process sends this folder: it keeps the record
    file_ = std::move(file);
    load();
    if (last_ == now) return;
    done_.clear();
    begin();  // nothing in it counts any more
    append(encode_branch(anew_mark, now));
  } catch (const std::exception&) {
    file_ = {};
    done_.clear();
  }
}

void large_folder_record::load() {
  const auto size = file_.size();
  std::string text(static_cast<std::size_t>(std::min(size, record_limit)), '\0');
  text.resize(file_.read_at(0, std::as_writable_bytes(std::span(text))));
  std::string_view rest = text;
  if (rest.starts_with(magic)) {
    rest.remove_prefix(magic.size());
    for (auto end = rest.find('\n'); end != rest.npos; end = rest.find('\n')) {
      const auto line = rest.substr(0, end);
      if (line.starts_with(branch_mark)) {
        last_ = decode_branch(line.substr(branch_mark.size()));
      } else if (line.starts_with(anew_mark)) {
        last_ = decode_branch(line.substr(anew_mark.size()));
        done_.clear();
      } else {
        auto file = decode_done_file(line);
        if (!file) break;
        done_.insert_or_assign(file->path, std::move(*file));
      }
      rest.remove_prefix(end + 1);
    }
    // What a crash left of a line is written over.
    end_ = text.size() - rest.size();
    file_.truncate(end_);
    return;
  }
  begin();
}

void large_folder_record::begin() {
  file_.truncate(0);
  file_.write_at(0, std::as_bytes(std::span(magic)));
  end_ = magic.size();
}

bool large_folder_record::holds(const io::file_identity& file) const {
  const auto found = done_.find(file.path);
  return found != done_.end() && found->second == file;
}

void large_folder_record::append(std::string_view text) {
  file_.write_at(end_, std::as_bytes(std::span(text)));
  end_ += text.size();
}

void large_folder_record::add(const std::vector<io::file_identity>& files,
                              const branch_state& now) noexcept {
  if (!file_.is_open()) return;
  try {
    std::string text;
    // A name with a line break is not remembered.
    for (const auto& file : files)
      if (file.path.find('\n') == file.path.npos) text += encode_done_file(file);
    // Last: cut off before it, the branch is not where the record says, and all is asked again.
    append(text + encode_branch(branch_mark, now));
  } catch (const std::exception&) {
    file_ = {};
  }
}

}  // namespace cohub::transfer
