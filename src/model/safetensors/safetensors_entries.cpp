#include "model/safetensors/safetensors_entries.hpp"

#include <boost/json/basic_parser_impl.hpp>

#include <limits>
#include <utility>

namespace cohub::model {

namespace {

namespace json = boost::json;

/// Receives the events of the JSON parser; `place_` says what may come next.
class entries_handler {
 public:
  static constexpr std::size_t max_object_size = std::numeric_limits<std::size_t>::max();
  static constexpr std::size_t max_array_size = std::numeric_limits<std::size_t>::max();
  static constexpr std::size_t max_key_size = std::numeric_limits<std::size_t>::max();
  static constexpr std::size_t max_string_size = std::numeric_limits<std::size_t>::max();

  explicit entries_handler(safetensors_entries& into) : into_(into) {}

  const std::string& reason() const noexcept { return reason_; }

  bool on_document_begin(json::error_code&) { return true; }
  bool on_document_end(json::error_code&) { return true; }

  bool on_object_begin(json::error_code& ec) {
    if (skipped_depth_ > 0) return ++skipped_depth_, true;
    switch (place_) {
      case place::start:
        place_ = place::names;
        return true;
      case place::tensor:
        place_ = place::fields;
        seen_dtype_ = seen_shape_ = seen_offsets_ = false;
        return true;
      case place::metadata_or_null:
        place_ = place::metadata;
        return true;
      case place::ignored:
        skipped_depth_ = 1;
        return true;
      default:
        return fail(ec);
    }
  }

  bool on_object_end(std::size_t, json::error_code& ec) {
    if (skipped_depth_ > 0) return leave_skipped();
    if (place_ == place::fields) {
      if (!seen_dtype_ || !seen_shape_ || !seen_offsets_)
        return fail(ec, "a tensor without dtype, shape or data_offsets");
      into_.tensors.push_back(std::exchange(entry_, {}));
    }
    place_ = place_ == place::names ? place::end : place::names;
    return true;
  }

  bool on_array_begin(json::error_code& ec) {
    if (skipped_depth_ > 0) return ++skipped_depth_, true;
    switch (place_) {
      case place::shape:
        place_ = place::shape_items;
        return true;
      case place::offsets:
        place_ = place::offset_items;
        offsets_read_ = 0;
        return true;
      case place::ignored:
        skipped_depth_ = 1;
        return true;
      default:
        return fail(ec);
    }
  }

  bool on_array_end(std::size_t, json::error_code& ec) {
    if (skipped_depth_ > 0) return leave_skipped();
    if (place_ == place::offset_items && offsets_read_ != 2)
      return fail(ec, "data_offsets that are not a pair");
    place_ = place::fields;
    return true;
  }

  bool on_key_part(json::string_view part, std::size_t, json::error_code&) {
    return add_part(part);
  }

  bool on_key(json::string_view part, std::size_t, json::error_code& ec) {
    if (skipped_depth_ > 0) return true;
    const std::string_view key = whole(part);
    switch (place_) {
      case place::names:
        if (key == "__metadata__") {
          if (std::exchange(seen_metadata_, true)) return fail(ec, "__metadata__ occurs twice");
          place_ = place::metadata_or_null;
        } else {
          entry_.name = key;
          place_ = place::tensor;
        }
        return true;
      case place::metadata:
        metadata_key_ = key;
        if (into_.metadata.contains(metadata_key_)) return fail(ec, "a metadata key occurs twice");
        place_ = place::metadata_value;
        return true;
      case place::fields:
        if (key == "dtype") return enter_field(seen_dtype_, place::dtype, ec);
        if (key == "shape") return enter_field(seen_shape_, place::shape, ec);
        if (key == "data_offsets") return enter_field(seen_offsets_, place::offsets, ec);
        place_ = place::ignored;
        return true;
      default:
        return fail(ec);
    }
  }

  bool on_string_part(json::string_view part, std::size_t, json::error_code&) {
    return add_part(part);
  }

  bool on_string(json::string_view part, std::size_t, json::error_code& ec) {
    if (skipped_depth_ > 0) return true;
    const std::string_view value = whole(part);
    switch (place_) {
      case place::dtype:
        entry_.dtype = value;
        place_ = place::fields;
        return true;
      case place::metadata_value:
        into_.metadata.emplace(std::move(metadata_key_), value);
        place_ = place::metadata;
        return true;
      default:
        return scalar(ec);
    }
  }

  bool on_number_part(json::string_view, json::error_code&) { return true; }
  bool on_int64(std::int64_t value, json::string_view, json::error_code& ec) {
    if (value >= 0) return on_unsigned(static_cast<std::uint64_t>(value), ec);
    return scalar(ec, "a negative number");
  }
  bool on_uint64(std::uint64_t value, json::string_view, json::error_code& ec) {
    return on_unsigned(value, ec);
  }
  bool on_double(double, json::string_view, json::error_code& ec) {
    return scalar(ec, "a number that is not a 64-bit unsigned integer");
  }
  bool on_bool(bool, json::error_code& ec) { return scalar(ec); }
  bool on_null(json::error_code& ec) {
    if (skipped_depth_ == 0 && place_ == place::metadata_or_null) {
      place_ = place::names;
      return true;
    }
    return scalar(ec);
  }
  bool on_comment_part(json::string_view, json::error_code&) { return true; }
  bool on_comment(json::string_view, json::error_code&) { return true; }

 private:
  enum class place {
    start,
    names,
    tensor,
    fields,
    dtype,
    shape,
    shape_items,
    offsets,
    offset_items,
    metadata_or_null,
    metadata,
    metadata_value,
    ignored,
    end
  };

  /// The text that ends with `part`; valid until the next one. Mostly it comes in one part.
  std::string_view whole(json::string_view part) {
    if (!partial_) return part;
    text_.append(part.data(), part.size());
    partial_ = false;
    return text_;
  }

  bool add_part(json::string_view part) {
    if (skipped_depth_ > 0) return true;
    if (!std::exchange(partial_, true)) text_.clear();
    text_.append(part.data(), part.size());
    return true;
  }

  bool fail(json::error_code& ec, std::string reason = {}) {
    reason_ = reason.empty() ? expectation() : std::move(reason);
    ec = json::error::syntax;
    return false;
  }

  std::string expectation() const {
    switch (place_) {
      case place::start:
        return "an object is expected";
      case place::metadata_or_null:
        return "__metadata__ must be an object";
      case place::metadata_value:
        return "a metadata value that is not text";
      case place::tensor:
        return "the entry of a tensor must be an object";
      case place::dtype:
        return "dtype must be text";
      case place::shape:
      case place::shape_items:
        return "shape must be an array of unsigned integers";
      default:
        return "data_offsets must be a pair of unsigned integers";
    }
  }

  bool enter_field(bool& seen, place next, json::error_code& ec) {
    if (std::exchange(seen, true)) return fail(ec, "a key of a tensor occurs twice");
    place_ = next;
    return true;
  }

  bool on_unsigned(std::uint64_t value, json::error_code& ec) {
    if (skipped_depth_ > 0) return true;
    if (place_ == place::shape_items) {
      entry_.shape.push_back(value);
      return true;
    }
    if (place_ == place::offset_items && offsets_read_ < 2) {
      (offsets_read_++ == 0 ? entry_.begin : entry_.end) = value;
      return true;
    }
    return scalar(ec);
  }

  /// A value that has a place only under a key that nobody reads.
  bool scalar(json::error_code& ec, const char* reason = "") {
    if (skipped_depth_ > 0) return true;
    if (place_ != place::ignored) return fail(ec, reason);
    place_ = place::fields;
    return true;
  }

  bool leave_skipped() {
    if (--skipped_depth_ == 0) place_ = place::fields;
    return true;
  }

  safetensors_entries& into_;
  place place_ = place::start;
  std::size_t skipped_depth_ = 0;
  safetensors_entry entry_{};
  bool seen_metadata_ = false, seen_dtype_ = false, seen_shape_ = false, seen_offsets_ = false;
  int offsets_read_ = 0;
  bool partial_ = false;
  std::string text_{}, metadata_key_{}, reason_{};
};

}  // namespace

entries_failure read_safetensors_entries(std::string_view text, safetensors_entries& into) {
  into.tensors.reserve(text.size() / 96);  // what a tensor takes at least, or nearly so
  json::basic_parser<entries_handler> parser(json::parse_options{}, into);
  json::error_code ec;
  const std::size_t used = parser.write_some(false, text.data(), text.size(), ec);
  entries_failure failure;
  failure.offset = used;
  if (ec) {
    failure.reason = parser.handler().reason();
    if (failure.reason.empty()) failure.reason = ec.message();
  } else if (used < text.size()) {
    failure.reason = "text after the object";
  }
  return failure;
}

}  // namespace cohub::model
