#include "cache/tree_reader.hpp"

#include "cohub/error.hpp"

#include "cache/xet_hash.hpp"
#include "core/hex.hpp"
#include "hub/repo_path.hpp"

#include <boost/json/basic_parser_impl.hpp>

#include <limits>
#include <span>
#include <string>
#include <string_view>
#include <utility>

namespace cohub::cache {

namespace {

constexpr std::size_t read_step = 64 * 1024;
constexpr std::size_t files_step = 1024;

using failure_code = boost::system::error_code;

/// What a listing tells of one file.
struct file_fields {
  std::string path{};
  std::string blob_id{};
  std::string lfs_sha256{};
  std::string xet_hash{};
  std::optional<std::uint64_t> size{};
  std::optional<std::uint64_t> lfs_size{};
};

std::optional<tree_entry> make_entry(file_fields fields) {
  if (!hub::check_download_path(fields.path)) return {};
  if (!fields.xet_hash.empty() && !is_xet_hash(fields.xet_hash)) return {};
  if (!core::is_hex(fields.blob_id, 40) || !fields.size) return {};
  tree_entry entry;
  entry.path = std::move(fields.path);
  entry.oid = std::move(fields.blob_id);
  entry.size = *fields.size;
  entry.xet_hash = std::move(fields.xet_hash);
  if (fields.lfs_sha256.empty()) return entry;
  if (!core::is_hex(fields.lfs_sha256, 64) || !fields.lfs_size) return {};
  lfs_info large;
  large.sha256 = std::move(fields.lfs_sha256);
  large.size = *fields.lfs_size;
  entry.lfs = std::move(large);
  return entry;
}

/// Takes the parts of `{"format_version": 1, "files": {path: {field: value}}}` as they are read;
/// what else there may be is passed over.
class tree_handler {
 public:
  // The parser's limits. A listing has as many files as it has; a text is bounded.
  static constexpr std::size_t max_object_size = std::numeric_limits<std::size_t>::max();
  static constexpr std::size_t max_array_size = std::numeric_limits<std::size_t>::max();
  static constexpr std::size_t max_key_size = 64 * 1024;
  static constexpr std::size_t max_string_size = 64 * 1024;

  std::vector<tree_entry> entries{};

  bool on_document_begin(failure_code&) { return true; }
  bool on_document_end(failure_code& failure) {
    return (has_version_ && has_files_) || refuse(failure);
  }

  bool on_object_begin(failure_code& failure) {
    if (depth_ == top && key_ == "files") in_files_ = has_files_ = true;
    if (depth_ == files && in_files_) fields_ = file_fields{std::move(key_)};
    key_.clear();
    ++depth_;
    return has_version_ || !in_files_ || refuse(failure);
  }
  bool on_object_end(std::size_t, failure_code& failure) {
    --depth_;
    if (depth_ == top) in_files_ = false;
    if (depth_ != files || !in_files_) return true;
    auto entry = make_entry(std::move(fields_));
    if (!entry) return refuse(failure);
    entries.push_back(std::move(*entry));
    return true;
  }
  bool on_array_begin(failure_code& failure) {
    if (!may_be_scalar()) return refuse(failure);
    key_.clear();
    ++depth_;
    return true;
  }
  bool on_array_end(std::size_t, failure_code&) {
    --depth_;
    return true;
  }

  bool on_key_part(std::string_view part, std::size_t, failure_code&) {
    text_ += part;
    return true;
  }
  bool on_key(std::string_view part, std::size_t, failure_code&) {
    key_ = std::exchange(text_, {});
    key_ += part;
    return true;
  }
  bool on_string_part(std::string_view part, std::size_t, failure_code&) {
    text_ += part;
    return true;
  }
  bool on_string(std::string_view part, std::size_t, failure_code& failure) {
    auto text = std::exchange(text_, {});
    text += part;
    if (!may_be_scalar()) return refuse(failure);
    if (!is_field()) return true;
    if (key_ == "blob_id") fields_.blob_id = std::move(text);
    if (key_ == "lfs_sha256") fields_.lfs_sha256 = std::move(text);
    if (key_ == "xet_hash") fields_.xet_hash = std::move(text);
    return true;
  }
  bool on_number_part(std::string_view, failure_code&) { return true; }
  bool on_int64(std::int64_t value, std::string_view, failure_code& failure) {
    if (value < 0) return on_null(failure);
    return on_uint64(static_cast<std::uint64_t>(value), {}, failure);
  }
  bool on_uint64(std::uint64_t value, std::string_view, failure_code& failure) {
    if (depth_ == top && key_ == "format_version" && value == 1) return has_version_ = true;
    if (!may_be_scalar()) return refuse(failure);
    if (!is_field()) return true;
    if (key_ == "size") fields_.size = value;
    if (key_ == "lfs_size") fields_.lfs_size = value;
    return true;
  }
  bool on_double(double, std::string_view, failure_code& failure) { return on_null(failure); }
  bool on_bool(bool, failure_code& failure) { return on_null(failure); }
  bool on_null(failure_code& failure) { return may_be_scalar() || refuse(failure); }
  bool on_comment_part(std::string_view, failure_code&) { return true; }
  bool on_comment(std::string_view, failure_code&) { return true; }

 private:
  // Depths: around all, in the outermost object, in that of the files, in that of one file.
  static constexpr std::size_t outside = 0, top = 1, files = 2, one_file = 3;

  static bool refuse(failure_code& failure) {
    failure = make_error_code(errc::invalid_response);
    return false;
  }
  /// Where neither an object nor the version must be.
  bool may_be_scalar() const {
    if (depth_ == outside) return false;
    if (depth_ == top) return key_ != "files" && key_ != "format_version";
    return depth_ != files || !in_files_;
  }
  bool is_field() const { return depth_ == one_file && in_files_; }

  std::size_t depth_ = outside;
  std::string key_{};   // of the value that comes
  std::string text_{};  // parts of a key or a string
  file_fields fields_{};
  bool in_files_ = false;
  bool has_version_ = false;
  bool has_files_ = false;
};

boost::json::parse_options bounded_depth() {
  boost::json::parse_options options;
  options.max_depth = 64;
  return options;
}

}  // namespace

class tree_reader::parser {
 public:
  /// @param text  the next part; empty at the end
  void take(std::string_view text) {
    failure_code failure;
    const bool is_more = !text.empty();
    const auto read = parser_.write_some(is_more, text.data(), text.size(), failure);
    if (failure || read < text.size() || (!is_more && !parser_.done()))
      throw error(errc::invalid_response, "reading a stored listing");
  }
  std::vector<tree_entry>& entries() noexcept { return parser_.handler().entries; }

 private:
  boost::json::basic_parser<tree_handler> parser_{bounded_depth()};
};

tree_reader::tree_reader(io::file opened)
    : file_(std::move(opened)), parser_(std::make_unique<parser>()) {}
tree_reader::tree_reader(tree_reader&&) noexcept = default;
tree_reader::~tree_reader() = default;

std::optional<tree_reader> tree_reader::open(const std::filesystem::path& path) {
  std::error_code ignored;
  if (!std::filesystem::is_regular_file(path, ignored)) return {};
  try {
    return tree_reader(io::file(path, io::file::mode::read));
  } catch (const error&) {
    return {};
  }
}

std::optional<std::vector<tree_entry>> tree_reader::next() {
  if (!parser_) return {};
  auto& entries = parser_->entries();
  std::vector<char> piece(read_step);
  while (entries.size() < files_step) {
    const auto count = file_.read_at(at_, std::as_writable_bytes(std::span(piece)));
    at_ += count;
    parser_->take(std::string_view(piece.data(), count));
    if (count > 0) continue;
    auto last = std::move(entries);
    parser_.reset();
    if (last.empty()) return {};
    return last;
  }
  return std::exchange(entries, {});
}

void tree_reader::rewind() {
  at_ = 0;
  parser_ = std::make_unique<parser>();
}

}  // namespace cohub::cache
