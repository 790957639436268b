#include "transfer/remote_file/remote_file.hpp"

#include "cohub/error.hpp"

#include "core/throw_system.hpp"
#include "hub/repo_id.hpp"
#include "io/on_pool.hpp"
#include "transfer/download/download_content.hpp"
#include "transfer/download/file_question.hpp"
#include "transfer/not_cached.hpp"
#include "transfer/remote_file/remote_file_state.hpp"

#include <boost/asio/this_coro.hpp>

#include <cerrno>
#include <span>
#include <system_error>
#include <utility>

namespace cohub::transfer {

namespace {

namespace fs = std::filesystem;

/// A file that is complete in the cache, and what is known of it.
struct cached_content {
  std::shared_ptr<const io::file> content{};
  file_facts facts{};
};

/// The etag that the name of the blob tells; empty where the file is no link to one.
std::string etag_of(const fs::path& pointer) {
  std::error_code failure;
  const auto blob = fs::read_symlink(pointer, failure);
  return failure ? std::string() : blob.filename().string();
}

cached_content open_cached(const fs::path& path, std::string commit, std::string etag) {
  cached_content found;
  found.content = std::make_shared<const io::file>(path, io::file::mode::read);
  found.facts.commit = std::move(commit);
  found.facts.etag = std::move(etag);
  found.facts.size = found.content->size();
  return found;
}

/// The file as the cache has it at a revision, without the Hub's word.
cached_content find_at_revision(const file_request& file) {
  auto commit = file.cache.resolve(file.options.revision);
  if (!commit) return {};
  const auto pointer = file.cache.find_file(*commit, file.path);
  if (!pointer) return {};
  return open_cached(*pointer, std::move(*commit), etag_of(*pointer));
}

/// The file as the cache has it, now that the Hub has told what it is.
cached_content find_with_facts(const file_request& file, const file_facts& facts) {
  if (const auto pointer = file.cache.find_file(facts.commit, file.path, facts.size))
    return open_cached(*pointer, facts.commit, facts.etag);
  if (!file.cache.has_blob(facts.etag, facts.size)) return {};
  return open_cached(file.cache.layout().blob(facts.etag), facts.commit, facts.etag);
}

awaitable<cached_content> look_up_revision(file_request_ptr file) {
  auto work = [file] { return find_at_revision(*file); };
  co_return co_await io::on_pool(file->shared->pool, std::move(work));
}

awaitable<cached_content> look_up_facts(file_request_ptr file, file_facts facts) {
  auto work = [file, facts = std::move(facts)] { return find_with_facts(*file, facts); };
  co_return co_await io::on_pool(file->shared->pool, std::move(work));
}

/// Where the file is: in the cache, or on the Hub, where `content` is null.
awaitable<cached_content> locate(file_request_ptr file) {
  if (hub::is_commit_id(file->options.revision)) {  // needs no question
    auto found = co_await look_up_revision(file);
    if (found.content) co_return found;
  }
  auto head = co_await ask_hub(file);
  if (head.failure && may_fall_back(head.failure)) {
    auto found = co_await look_up_revision(file);
    if (found.content) co_return found;
    head = co_await ask_hub_again(file, std::move(head));
  }
  if (head.failure) throw_unavailable(*file, head.failure);
  auto found = co_await look_up_facts(file, head.facts);
  if (!found.content) found.facts = std::move(head.facts);
  co_return found;
}

file_request_ptr make_request(context_ptr shared, std::string repo_id, std::string path,
                              const open_file_options& options) {
  if (options.connections == 0)
    throw error(errc::invalid_argument, "open_file_options::connections must not be 0");
  download_options request;
  request.type = options.type;
  request.revision = options.revision;
  request.subfolder = options.subfolder;
  request.cache_dir = options.cache_dir;
  request.local_files_only = options.local_files_only;
  request.token = options.token;
  request.observer = options.observer;
  return make_file_request(std::move(shared), std::move(repo_id), std::move(path),
                           std::move(request));
}

}  // namespace

awaitable<remote_file> open_file(context_ptr shared, std::string repo_id, std::string path,
                                 open_file_options options) {
  const auto file = make_request(std::move(shared), std::move(repo_id), std::move(path), options);
  auto found = co_await locate(file);
  auto state = std::make_shared<detail::remote_file_state>();
  state->path = file->path;
  state->facts = std::move(found.facts);
  state->pool = file->shared->pool;
  state->connections = options.connections;
  state->max_read_through = options.max_read_through;
  state->local = std::move(found.content);
  if (!state->local) {
    const auto executor = co_await asio::this_coro::executor;
    state->fetch = make_content_reading(executor, file->shared,
                                        describe_content(*file, state->facts), file->observer);
    if (options.read_ahead > 0)
      state->ahead = std::make_shared<read_ahead>(executor, state->fetch, options.read_ahead,
                                                  options.connections);
  }
  co_return remote_file(std::move(state));
}

awaitable<std::string> read_file(context_ptr shared, std::string repo_id, std::string path,
                                 read_file_options options) {
  open_file_options how;
  how.type = options.type;
  how.revision = std::move(options.revision);
  how.subfolder = std::move(options.subfolder);
  how.cache_dir = std::move(options.cache_dir);
  how.local_files_only = options.local_files_only;
  how.token = std::move(options.token);
  how.observer = std::move(options.observer);
  how.read_ahead = 0;
  const auto pool = shared->pool;
  const auto file =
      co_await open_file(std::move(shared), std::move(repo_id), std::move(path), std::move(how));
  if (file.size() > options.max_bytes)
    core::throw_system(EFBIG, "reading " + file.path() + ": it has " + std::to_string(file.size()) +
                                  " bytes, at most " + std::to_string(options.max_bytes) +
                                  " are wanted (max_bytes)");
  std::string content(static_cast<std::size_t>(file.size()), '\0');
  co_await file.read_at(0, std::as_writable_bytes(std::span(content)));
  if (!file.is_local()) {
    auto work = [path = file.path(), etag = file.etag(), &content] {
      check_small(path, etag, std::as_bytes(std::span(content)));
    };
    co_await io::on_pool(pool, std::move(work));
  }
  co_return content;
}

}  // namespace cohub::transfer
