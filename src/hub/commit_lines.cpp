#include "hub/commit_lines.hpp"

#include "cohub/error.hpp"

#include "core/base64.hpp"
#include "core/hex.hpp"
#include "hub/json_reader.hpp"

#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include <charconv>
#include <utility>

namespace cohub::hub {

namespace json = boost::json;

namespace {

json::string_view view(std::string_view text) { return {text.data(), text.size()}; }

std::string line(std::string_view key, json::object value) {
  json::object object;
  object["key"] = view(key);
  object["value"] = std::move(value);
  return json::serialize(object) + '\n';
}

boost::system::result<commit_line> read_file(const json::object& value) {
  commit_file file;
  file.path = text_or(value, "path");
  file.old_path = text_or(value, "oldPath");
  const auto encoding = text_or(value, "encoding", "utf-8");
  const auto* content = value.if_contains("content");
  if (content == nullptr || !content->is_string()) return make_error_code(errc::bad_request);
  const auto& text = content->get_string();
  if (encoding == "base64") {
    auto decoded = core::base64_decode({text.data(), text.size()});
    if (!decoded) return make_error_code(errc::bad_request);
    file.content = std::move(*decoded);
  } else if (encoding == "utf-8") {
    file.content.assign(text.data(), text.size());
  } else {
    return make_error_code(errc::bad_request);
  }
  return commit_line(std::move(file));
}

boost::system::result<commit_line> read_value(std::string_view key, const json::object& value) {
  if (key == "header") {
    commit_header header;
    header.summary = text_or(value, "summary");
    header.description = text_or(value, "description");
    header.parent_commit = text_or(value, "parentCommit");
    return commit_line(std::move(header));
  }
  if (text_or(value, "path").empty()) return make_error_code(errc::bad_request);
  if (key == "file") return read_file(value);
  if (key == "lfsFile") {
    commit_lfs_file file;
    file.path = text_or(value, "path");
    file.sha256 = text_or(value, "oid");
    file.old_path = text_or(value, "oldPath");
    file.size = number_or(value, "size");
    if (!core::is_hex(file.sha256, 64)) return make_error_code(errc::bad_request);
    return commit_line(std::move(file));
  }
  if (key == "deletedFile" || key == "deletedFolder") {
    commit_deleted removal;
    removal.path = text_or(value, "path");
    removal.is_folder = key == "deletedFolder";
    while (removal.path.ends_with('/')) removal.path.pop_back();
    return commit_line(std::move(removal));
  }
  return make_error_code(errc::bad_request);
}

}  // namespace

std::string commit_header_line(std::string_view summary, std::string_view description,
                               std::string_view parent_commit) {
  json::object value;
  value["summary"] = view(summary);
  value["description"] = view(description);
  if (!parent_commit.empty()) value["parentCommit"] = view(parent_commit);
  return line("header", std::move(value));
}

std::string commit_file_prefix() { return R"({"key":"file","value":{"content":")"; }

std::string commit_file_suffix(std::string_view path) {
  return R"(","path":)" + json::serialize(json::string(view(path))) + R"(,"encoding":"base64"}})" +
         '\n';
}

std::string commit_lfs_line(std::string_view path, std::string_view sha256,
                            std::optional<std::uint64_t> size) {
  json::object value;
  value["path"] = view(path);
  value["algo"] = "sha256";
  value["oid"] = view(sha256);
  if (size) value["size"] = *size;
  return line("lfsFile", std::move(value));
}

std::string commit_delete_line(std::string_view path, bool is_folder) {
  json::object value;
  value["path"] = is_folder ? std::string(path) + '/' : std::string(path);
  return line(is_folder ? "deletedFolder" : "deletedFile", std::move(value));
}

boost::system::result<commit_line> read_commit_line(std::string_view text) {
  const auto value = parse_json(text);
  if (!value || !value->is_object()) return make_error_code(errc::bad_request);
  const auto& object = value->get_object();
  const auto* content = object.if_contains("value");
  if (content == nullptr || !content->is_object()) return make_error_code(errc::bad_request);
  return read_value(text_or(object, "key"), content->get_object());
}

boost::system::result<commit_info> read_commit_reply(std::string_view body) {
  const auto value = parse_json(body);
  if (!value) return value.error();
  if (!value->is_object()) return make_error_code(errc::invalid_response);
  const auto& object = value->get_object();
  commit_info info;
  info.oid = text_or(object, "commitOid");
  info.commit_url = text_or(object, "commitUrl");
  info.pr_url = text_or(object, "pullRequestUrl");
  if (!core::is_hex(info.oid, 40) || info.commit_url.empty())
    return make_error_code(errc::invalid_response);
  constexpr std::string_view marker = "/discussions/";
  if (const auto at = info.pr_url.rfind(marker); at != info.pr_url.npos) {
    const std::string digits = info.pr_url.substr(at + marker.size());
    unsigned number = 0;
    const auto [end, failure] =
        std::from_chars(digits.data(), digits.data() + digits.size(), number);
    if (failure == std::errc() && end == digits.data() + digits.size()) {
      info.pr_num = number;
      info.pr_revision = "refs/pr/" + std::to_string(number);
    }
  }
  return info;
}

std::optional<std::string> read_commit_refusal(std::string_view body) {
  const auto value = parse_json(body);
  if (!value || !value->is_object()) return {};
  const auto& object = value->get_object();
  const auto* success = object.if_contains("success");
  if (success == nullptr || !success->is_bool() || success->get_bool()) return {};
  return text_or(object, "error");
}

}  // namespace cohub::hub
