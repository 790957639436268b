#include "core/byte_range.hpp"
#include "core/url.hpp"
#include "hub/repo_id.hpp"
#include "hub/repo_path.hpp"
#include "server/error_reply.hpp"
#include "server/failure.hpp"
#include "server/file_reply.hpp"
#include "server/git/git_repository.hpp"
#include "server/handlers/handlers.hpp"
#include "server/handlers/permissions.hpp"

#include <chrono>
#include <string>

namespace cohub::server {

namespace {

std::int64_t unix_now() {
  return std::chrono::duration_cast<std::chrono::seconds>(
             std::chrono::system_clock::now().time_since_epoch())
      .count();
}

struct found_file {
  std::string commit{};
  tree_entry entry{};
};

failure no_entry(const std::string& commit) {
  http::fields headers;
  headers.set("X-Repo-Commit", commit);
  return {404, "EntryNotFound", "Entry not found", std::move(headers)};
}

found_file find_file(const git_repository& repository, const call& what) {
  found_file found;
  found.commit = require_commit(repository, what);
  const auto entry = repository.find(found.commit, what.path);
  if (!entry || entry->type != tree_entry::kind::file) throw no_entry(found.commit);
  found.entry = *entry;
  return found;
}

std::string base_name(const std::string& path) { return path.substr(path.rfind('/') + 1); }

/// Where a large file's bytes are (hub-protocol, section 3.2).
reply redirect_to_content(hub_store& store, const call& what, const found_file& file,
                          std::uint64_t size) {
  content_grant grant;
  grant.method = "GET";
  grant.sha256 = file.entry.lfs->sha256;
  grant.size = size;
  grant.file_name = base_name(what.path);
  grant.expires = unix_now() + store.config.url_lifetime.count();
  const std::string location = what.content_endpoint + store.signer.sign(grant);
  reply answer = text_reply("Found. Redirecting to " + location, 302);
  const std::string etag = '"' + file.entry.lfs->sha256 + '"';
  answer.headers.set("Location", location);
  answer.headers.set("X-Linked-Size", std::to_string(size));
  answer.headers.set("X-Linked-Etag", etag);
  answer.headers.set("ETag", etag);
  answer.headers.set("Accept-Ranges", "bytes");
  answer.headers.set("Cache-Control", "no-store");
  return answer;
}

/// Where a small file is, by its commit (hub-protocol, section 3.2).
reply redirect_to_cache(const call& what, const found_file& file, const std::string& etag) {
  const auto path = std::string_view(what.target).substr(0, what.target.find('?'));
  const std::string location = "/api/resolve-cache/" + std::string(hub::plural(what.type)) + '/' +
                               what.id + '/' + file.commit + '/' +
                               core::percent_encode(what.path, "/") + '?' +
                               core::percent_encode(path) + "=&etag=" + core::percent_encode(etag);
  reply answer = text_reply("Temporary Redirect. Redirecting to " + location, 307);
  answer.headers.set("Location", location);
  return answer;
}

reply answer_file(hub_store& store, const call& what, bool redirects) {
  require_content(store, what);
  const git_repository repository(store.repos.path_of(what.type, what.id));
  const auto file = find_file(repository, what);
  std::optional<std::uint64_t> large;
  if (file.entry.lfs) {
    large = store.object_size(what.type, what.id, file.entry.lfs->sha256);
    // Deleted for good: what git has of it is not the file.
    if (!large) throw no_entry(file.commit);
  }
  const std::string etag = '"' + (large ? file.entry.lfs->sha256 : file.entry.oid) + '"';
  reply answer;
  if (matches_etag(what.headers.get("If-None-Match"), etag)) {
    answer.status = 304;
    answer.headers.set("ETag", etag);
  } else if (large) {
    answer = redirect_to_content(store, what, file, *large);
  } else if (redirects) {
    answer = redirect_to_cache(what, file, etag);
  } else {
    answer = bytes_reply(repository.read_blob(file.entry.oid), etag, what.headers);
    describe_file(answer, base_name(what.path));
  }
  answer.headers.set("X-Repo-Commit", file.commit);
  return answer;
}

}  // namespace

reply resolve_file(hub_store& store, const call& what) {
  return answer_file(store, what, store.config.resolve_cache);
}

reply resolve_cached_file(hub_store& store, const call& what) {
  return answer_file(store, what, false);
}

reply raw_file(hub_store& store, const call& what) {
  require_content(store, what);
  const git_repository repository(store.repos.path_of(what.type, what.id));
  const auto file = find_file(repository, what);
  reply answer =
      bytes_reply(repository.read_blob(file.entry.oid), '"' + file.entry.oid + '"', what.headers);
  describe_file(answer, base_name(what.path));
  answer.headers.set("X-Repo-Commit", file.commit);
  return answer;
}

}  // namespace cohub::server
