#include "hub/repo_replies.hpp"

#include "cohub/error.hpp"

#include "core/hex.hpp"
#include "core/url.hpp"
#include "hub/json_reader.hpp"
#include "hub/repo_id.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include <utility>

namespace cohub::hub {

namespace json = boost::json;

namespace {

/// The sha256 is under "oid" in trees and under "sha256" in siblings.
std::optional<lfs_info> read_lfs(const json::object& object) {
  const auto* member = object.if_contains("lfs");
  if (member == nullptr || !member->is_object()) return {};
  const auto& lfs = member->get_object();
  lfs_info info;
  info.sha256 = text_or(lfs, "oid", text_or(lfs, "sha256"));
  info.size = number_or(lfs, "size");
  info.pointer_size = number_or(lfs, "pointerSize");
  if (!core::is_hex(info.sha256, 64)) return {};
  return info;
}

std::vector<std::string> read_texts(const json::object& object, std::string_view key) {
  std::vector<std::string> texts;
  const auto* member = object.if_contains(key);
  if (member == nullptr || !member->is_array()) return texts;
  for (const auto& item : member->get_array())
    if (item.is_string()) texts.emplace_back(item.get_string());
  return texts;
}

/// A number that must be there and not be negative, nor of another type.
boost::system::result<std::uint64_t> required_size(const json::object& object) {
  const auto* member = object.if_contains("size");
  if (member == nullptr) return make_error_code(errc::invalid_response);
  if (member->is_int64() && member->get_int64() >= 0)
    return static_cast<std::uint64_t>(member->get_int64());
  if (member->is_uint64()) return member->get_uint64();
  return make_error_code(errc::invalid_response);
}

std::optional<last_commit_info> read_last_commit(const json::object& object) {
  const auto* member = object.if_contains("lastCommit");
  if (member == nullptr || !member->is_object()) return {};
  last_commit_info info;
  info.oid = text_or(member->get_object(), "id");
  info.title = text_or(member->get_object(), "title");
  info.date = text_or(member->get_object(), "date");
  return info;
}

std::optional<file_security_info> read_security(const json::object& object) {
  const auto* member = object.if_contains("securityFileStatus");
  if (member == nullptr || !member->is_object()) return {};
  file_security_info info;
  info.status = text_or(member->get_object(), "status");
  info.json = json::serialize(*member);
  return info;
}

/// Nothing for what is neither file nor folder, a submodule of git, say: there is nothing to be had
/// of it.
boost::system::result<std::optional<tree_entry>> read_tree_entry(const json::value& item) {
  const auto* object = item.if_object();
  if (object == nullptr) return make_error_code(errc::invalid_response);
  tree_entry entry;
  entry.path = text_or(*object, "path");
  entry.oid = text_or(*object, "oid");
  if (entry.path.empty()) return make_error_code(errc::invalid_response);
  entry.last_commit = read_last_commit(*object);
  entry.security = read_security(*object);
  const auto type = text_or(*object, "type");
  if (type == "directory") {
    entry.type = tree_entry::kind::directory;
    return entry;
  }
  if (type.empty()) return make_error_code(errc::invalid_response);
  if (type != "file") return std::nullopt;
  const auto size = required_size(*object);
  if (!size) return size.error();
  entry.size = *size;
  entry.lfs = read_lfs(*object);
  entry.xet_hash = text_or(*object, "xetHash");
  return entry;
}

repo_sibling read_sibling(const json::object& object) {
  repo_sibling sibling;
  sibling.rfilename = text_or(object, "rfilename");
  if (const auto size = required_size(object)) sibling.size = *size;
  sibling.blob_id = text_or(object, "blobId");
  sibling.lfs = read_lfs(object);
  return sibling;
}

json::object write_lfs(const lfs_info& lfs, std::string_view hash_key) {
  json::object object;
  object[hash_key] = lfs.sha256;
  object["size"] = lfs.size;
  object["pointerSize"] = lfs.pointer_size;
  return object;
}

std::optional<std::uint64_t> optional_number(const json::object& object, std::string_view key) {
  const auto* member = object.if_contains(key);
  if (member == nullptr || !member->is_number()) return {};
  return number_or(object, key);
}

boost::system::result<repo_info> repo_info_of(const json::value& value) {
  const auto* object = value.if_object();
  if (object == nullptr) return make_error_code(errc::invalid_response);
  repo_info info;
  info.id = text_or(*object, "id");
  if (info.id.empty()) return make_error_code(errc::invalid_response);
  info.author = text_or(*object, "author");
  info.sha = text_or(*object, "sha");
  // It becomes a folder's name in the cache.
  if (!info.sha.empty() && !is_commit_id(info.sha)) return make_error_code(errc::invalid_response);
  info.is_private = flag_or(*object, "private");
  info.gated = text_or(*object, "gated");
  info.disabled = flag_or(*object, "disabled");
  info.created_at = text_or(*object, "createdAt");
  info.last_modified = text_or(*object, "lastModified");
  info.tags = read_texts(*object, "tags");
  info.library_name = text_or(*object, "library_name");
  info.pipeline_tag = text_or(*object, "pipeline_tag");
  info.sdk = text_or(*object, "sdk");
  if (const auto* siblings = object->if_contains("siblings");
      siblings != nullptr && siblings->is_array())
    for (const auto& item : siblings->get_array())
      if (item.is_object()) info.siblings.push_back(read_sibling(item.get_object()));
  info.downloads = optional_number(*object, "downloads");
  info.likes = optional_number(*object, "likes");
  info.json = json::serialize(*object);
  return info;
}

}  // namespace

boost::system::result<repo_info> read_repo_info(std::string_view body) {
  const auto value = parse_json(body);
  if (!value) return value.error();
  return repo_info_of(*value);
}

boost::system::result<std::vector<repo_info>> read_repo_infos(std::string_view body) {
  const auto value = parse_json(body);
  if (!value) return value.error();
  if (!value->is_array()) return make_error_code(errc::invalid_response);
  std::vector<repo_info> infos;
  for (const auto& item : value->get_array()) {
    auto info = repo_info_of(item);
    if (!info) return info.error();
    infos.push_back(std::move(*info));
  }
  return infos;
}

boost::system::result<std::vector<tree_entry>> read_tree_page(std::string_view body) {
  const auto value = parse_json(body);
  if (!value) return value.error();
  if (!value->is_array()) return make_error_code(errc::invalid_response);
  std::vector<tree_entry> entries;
  entries.reserve(value->get_array().size());
  for (const auto& item : value->get_array()) {
    auto entry = read_tree_entry(item);
    if (!entry) return entry.error();
    if (*entry) entries.push_back(std::move(**entry));
  }
  return entries;
}

boost::system::result<user_info> read_whoami(std::string_view body) {
  const auto value = parse_json(body);
  if (!value) return value.error();
  const auto* object = value->if_object();
  if (object == nullptr) return make_error_code(errc::invalid_response);
  user_info user;
  user.name = text_or(*object, "name");
  if (user.name.empty()) return make_error_code(errc::invalid_response);
  user.fullname = text_or(*object, "fullname");
  user.type = text_or(*object, "type");
  user.email = text_or(*object, "email");
  if (const auto* orgs = object->if_contains("orgs"); orgs != nullptr && orgs->is_array())
    for (const auto& org : orgs->get_array())
      if (org.is_object()) user.orgs.push_back(text_or(org.get_object(), "name"));
  if (const auto* auth = object->if_contains("auth"); auth != nullptr && auth->is_object()) {
    const auto* token = auth->get_object().if_contains("accessToken");
    if (token != nullptr && token->is_object()) {
      user.token_name = text_or(token->get_object(), "displayName");
      user.token_role = text_or(token->get_object(), "role");
    }
  }
  return user;
}

boost::system::result<std::vector<lfs_file_info>> read_lfs_files(std::string_view body) {
  const auto value = parse_json(body);
  if (!value) return value.error();
  if (!value->is_array()) return make_error_code(errc::invalid_response);
  std::vector<lfs_file_info> files;
  for (const auto& item : value->get_array()) {
    const auto* object = item.if_object();
    if (object == nullptr) return make_error_code(errc::invalid_response);
    lfs_file_info file;
    file.file_oid = text_or(*object, "fileOid");
    if (file.file_oid.empty()) return make_error_code(errc::invalid_response);
    file.filename = text_or(*object, "filename");
    file.oid = text_or(*object, "oid");
    file.pushed_at = text_or(*object, "pushedAt");
    file.ref = text_or(*object, "ref");
    file.size = number_or(*object, "size");
    files.push_back(std::move(file));
  }
  return files;
}

boost::system::result<std::vector<repo_storage_info>> read_user_repos(std::string_view body) {
  const auto value = parse_json(body);
  if (!value) return value.error();
  if (!value->is_array()) return make_error_code(errc::invalid_response);
  std::vector<repo_storage_info> repos;
  for (const auto& item : value->get_array()) {
    const auto* object = item.if_object();
    if (object == nullptr) return make_error_code(errc::invalid_response);
    repo_storage_info repo;
    repo.id = text_or(*object, "id");
    if (repo.id.empty()) return make_error_code(errc::invalid_response);
    repo.type = text_or(*object, "type");
    repo.updated_at = text_or(*object, "updatedAt");
    repo.visibility = text_or(*object, "visibility");
    repo.storage = number_or(*object, "storage");
    const auto* percent = object->if_contains("storagePercent");
    if (percent != nullptr && percent->is_number())
      repo.storage_percent = percent->to_number<double>();
    repos.push_back(std::move(repo));
  }
  return repos;
}

boost::system::result<repo_url> read_repo_url(std::string_view body, repo_type type,
                                              std::string_view asked_id) {
  const auto value = parse_json(body);
  if (!value) return value.error();
  const auto* object = value->if_object();
  if (object == nullptr) return make_error_code(errc::invalid_response);
  repo_url created;
  created.url = text_or(*object, "url");
  created.type = type;
  created.repo_id = asked_id;
  const auto address = core::parse_url(created.url);
  if (!address) return make_error_code(errc::invalid_response);
  // The last two segments are the id, unless they are the type's prefix and a bare name.
  std::string path = core::percent_decode(address->path());
  while (path.ends_with('/')) path.pop_back();
  const auto last = path.rfind('/');
  if (last == path.npos || last == 0) return created;
  const auto before = path.rfind('/', last - 1);
  const auto owner = path.substr(before + 1, last - before - 1);
  const auto id = parse_plural(owner) ? path.substr(last + 1) : path.substr(before + 1);
  const auto slash = asked_id.rfind('/');
  const auto asked_name = slash == asked_id.npos ? asked_id : asked_id.substr(slash + 1);
  if (check_repo_id(id) && id.ends_with(asked_name)) created.repo_id = id;
  return created;
}

json::value write_tree_entry(const tree_entry& entry) {
  json::object object;
  object["type"] = entry.type == tree_entry::kind::file ? "file" : "directory";
  object["oid"] = entry.oid;
  object["size"] = entry.size;
  object["path"] = entry.path;
  if (entry.lfs) object["lfs"] = write_lfs(*entry.lfs, "oid");
  return object;
}

json::value write_repo_info(const repo_info& info, bool files_metadata) {
  json::object object;
  object["id"] = info.id;
  object["author"] = info.author;
  object["sha"] = info.sha;
  object["private"] = info.is_private;
  if (info.gated.empty())
    object["gated"] = false;
  else
    object["gated"] = info.gated;
  object["disabled"] = info.disabled;
  object["createdAt"] = info.created_at;
  object["lastModified"] = info.last_modified;
  json::array tags;
  for (const auto& tag : info.tags) tags.emplace_back(tag);
  object["tags"] = std::move(tags);
  if (!info.library_name.empty()) object["library_name"] = info.library_name;
  if (!info.pipeline_tag.empty()) object["pipeline_tag"] = info.pipeline_tag;
  if (!info.sdk.empty()) object["sdk"] = info.sdk;
  json::array siblings;
  siblings.reserve(info.siblings.size());
  for (const auto& sibling : info.siblings) {
    json::object item;
    item["rfilename"] = sibling.rfilename;
    if (files_metadata) {
      if (sibling.size) item["size"] = *sibling.size;
      item["blobId"] = sibling.blob_id;
      if (sibling.lfs) item["lfs"] = write_lfs(*sibling.lfs, "sha256");
    }
    siblings.emplace_back(std::move(item));
  }
  object["siblings"] = std::move(siblings);
  return object;
}

}  // namespace cohub::hub
