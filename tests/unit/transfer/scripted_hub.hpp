#pragma once

#include "cohub/observer.hpp"

#include "core/byte_range.hpp"
#include "core/digest.hpp"
#include "io/file.hpp"
#include "support/git_blob_id.hpp"
#include "support/run.hpp"
#include "support/scripted_server.hpp"
#include "transfer/context.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/thread_pool.hpp>

#include <algorithm>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

namespace cohub::test {

inline const std::string scripted_commit(40, 'a');

/// Notes what it is told.
class noting_observer : public cohub::observer {
 public:
  void on_progress(const transfer_progress& progress) override {
    const std::scoped_lock guard(mutex_);
    last_ = progress;
  }
  void on_event(const transfer_event& event) override {
    const std::scoped_lock guard(mutex_);
    events_.push_back(event.what);
  }
  std::size_t count(transfer_event::kind what) const {
    const std::scoped_lock guard(mutex_);
    return static_cast<std::size_t>(std::count(events_.begin(), events_.end(), what));
  }
  transfer_progress last() const {
    const std::scoped_lock guard(mutex_);
    return last_;
  }

 private:
  mutable std::mutex mutex_;
  std::vector<transfer_event::kind> events_;
  transfer_progress last_;
};

/// A Hub in two scripted servers, with one repository "o/m" at one commit, and a client's shared
/// state in front of it. What a server does wrong, a test says.
class scripted_hub {
 public:
  using fault = std::function<std::optional<scripted_reply>(const seen_request&)>;

  struct hosted_file {
    std::string content;
    bool large = false;  ///< redirected to the second server, with a sha256 for an etag
  };

  scripted_hub()
      : pool(2),
        contents(context, [this](const seen_request& request) { return answer_content(request); }),
        api(context, [this](const seen_request& request) { return answer_api(request); }) {
    shared = std::make_shared<transfer::context>();
    shared->endpoint = api.origin();
    shared->token = "hf_secret";
    shared->cache_dir = folder.path() / "cache";
    shared->retries.base_delay = std::chrono::milliseconds(1);
    shared->retries.max_delay = std::chrono::milliseconds(2);
    shared->observer = observer;
    shared->pool = pool.get_executor();
    http::transport_config settings;
    settings.retries = shared->retries;
    shared->transport = std::make_unique<http::transport>(context.get_executor(), settings);
    shared->buffer_bytes = std::make_shared<io::fair_semaphore>(32u << 20);
  }

  std::filesystem::path repo_folder() const { return shared->cache_dir / "models--o--m"; }

  template <class T>
  T run(awaitable<T> operation) {
    return test::run(context, std::move(operation));
  }

  std::string etag_of(const std::string& path) const {
    const auto& file = files.at(path);
    return file.large ? core::sha256_hex(file.content) : test::git_blob_id(file.content);
  }

  /// How many requests have begun with `text`, on both servers.
  std::size_t requests(const std::string& text) const {
    std::size_t found = 0;
    for (const auto* server : {&api, &contents})
      for (const auto& request : server->seen()) found += request.line.starts_with(text);
    return found;
  }
  std::size_t requests() const { return api.seen().size() + contents.seen().size(); }

  /// The tree of all files, one page.
  std::string listing() const {
    std::string text = "[";
    for (const auto& [name, file] : files) {
      if (text.size() > 1) text += ',';
      const auto size = std::to_string(file.content.size());
      text += R"({"type":"file","path":")" + name + R"(","size":)" + size + R"(,"oid":")" +
              test::git_blob_id(file.content) + '"';
      if (file.large)
        text +=
            R"(,"lfs":{"oid":")" + etag_of(name) + R"(","size":)" + size + R"(,"pointerSize":134})";
      text += '}';
    }
    return text + "]";
  }

  io::temporary_directory folder;
  std::map<std::string, hosted_file> files;
  fault api_fault;
  fault content_fault;
  std::shared_ptr<noting_observer> observer = std::make_shared<noting_observer>();
  asio::io_context context;
  asio::thread_pool pool;
  scripted_server contents;
  scripted_server api;
  std::shared_ptr<transfer::context> shared;

  /// The content with a Content-Length, or the part of it that is asked for.
  static scripted_reply send(const seen_request& request, const std::string& content,
                             const std::string& headers) {
    const auto asked = core::parse_range_header(request.header("range"), content.size());
    if (asked.what != core::requested_range::outcome::part)
      return scripted_reply::text(200, content, headers);
    return scripted_reply::text(
        206, content.substr(asked.range.begin, asked.range.size()),
        headers + "Content-Range: bytes " + std::to_string(asked.range.begin) + "-" +
            std::to_string(asked.range.end - 1) + "/" + std::to_string(content.size()) + "\r\n");
  }

 private:
  static scripted_reply head_only(scripted_reply reply) {
    reply.bytes.resize(reply.bytes.find("\r\n\r\n") + 4);
    return reply;
  }

  scripted_reply answer_content(const seen_request& request) {
    if (content_fault)
      if (auto reply = content_fault(request)) return *reply;
    const auto path = target_of(request).substr(1);
    const auto name = path.substr(0, path.find('?'));
    return send(request, files.at(name).content, "ETag: \"content-of-" + name + "\"\r\n");
  }

  static std::string target_of(const seen_request& request) {
    const auto begin = request.line.find(' ') + 1;
    return request.line.substr(begin, request.line.find(' ', begin) - begin);
  }

  scripted_reply answer_api(const seen_request& request) {
    if (api_fault)
      if (auto reply = api_fault(request)) return *reply;
    const auto target = target_of(request);
    if (target.starts_with("/api/models/o/m/revision/"))
      return scripted_reply::text(200, R"({"id":"o/m","sha":")" + scripted_commit + "\"}");
    if (target.starts_with("/api/models/o/m/tree/" + scripted_commit))
      return scripted_reply::text(200, listing());
    const std::string resolve = "/o/m/resolve/";
    if (!target.starts_with(resolve))
      return scripted_reply::text(404, "", "X-Error-Code: RepoNotFound\r\n");
    const auto name = target.substr(target.find('/', resolve.size()) + 1);
    auto reply = answer_resolve(request, name);
    return request.line.starts_with("HEAD ") ? head_only(reply) : reply;
  }

  scripted_reply answer_resolve(const seen_request& request, const std::string& name) {
    const std::string commit = "X-Repo-Commit: " + scripted_commit + "\r\n";
    const auto file = files.find(name);
    if (file == files.end())
      return scripted_reply::text(404, "", commit + "X-Error-Code: EntryNotFound\r\n");
    const auto& content = file->second.content;
    if (!file->second.large)
      return send(request, content, commit + "ETag: \"" + etag_of(name) + "\"\r\n");
    return scripted_reply::text(302, "elsewhere",
                                commit + "X-Linked-Etag: \"" + etag_of(name) +
                                    "\"\r\nX-Linked-Size: " + std::to_string(content.size()) +
                                    "\r\nLocation: " + contents.origin() + "/" + name +
                                    "?signature=" + std::to_string(++signatures_) + "\r\n");
  }

  int signatures_ = 0;
};

/// Bytes that differ from place to place.
inline std::string patterned(std::size_t size) {
  std::string text(size, '\0');
  std::uint32_t state = 12345;
  for (auto& c : text) {
    state = state * 1664525u + 1013904223u;
    c = static_cast<char>(state >> 24);
  }
  return text;
}

}  // namespace cohub::test
