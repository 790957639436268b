#include "transfer/create_commit.hpp"

#include "cohub/error.hpp"

#include "hub/commit_lines.hpp"
#include "hub/json_reader.hpp"
#include "hub/preupload.hpp"
#include "hub/repo_id.hpp"
#include "hub/repo_replies.hpp"
#include "hub/routes.hpp"
#include "io/for_each_bounded.hpp"
#include "io/on_pool.hpp"
#include "transfer/api_call.hpp"
#include "transfer/commit_body.hpp"
#include "transfer/lfs_upload.hpp"
#include "transfer/progress_reporter.hpp"
#include "transfer/upload_plan.hpp"

#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include <algorithm>
#include <memory>
#include <utility>

namespace cohub::transfer {

namespace {

constexpr std::size_t files_a_preupload = 256;
constexpr std::size_t sample_size = 512;
constexpr std::size_t files_hashed_at_once = 2;
constexpr std::uint64_t card_limit = 4u << 20;  // a README.md that is checked before the commit

/// One commit on its way; shared by the coroutines that work on it.
struct commit_in_progress {
  std::string repo_id;
  std::string message;
  create_commit_options options;
  std::string token;
  std::shared_ptr<cohub::observer> observer;
  std::shared_ptr<commit_plan> plan;
};
using commit_ptr = std::shared_ptr<commit_in_progress>;

void check_arguments(const commit_in_progress& commit) {
  const auto& options = commit.options;
  if (const auto valid = hub::check_repo_id(commit.repo_id); !valid)
    throw error(valid.error(), "committing to \"" + commit.repo_id + "\"");
  if (commit.message.empty()) throw error(errc::invalid_argument, "a commit needs a message");
  if (options.create_pr && options.revision != "main")
    throw error(
        errc::invalid_argument,
        "a pull request is opened against main: create_pr and a revision exclude each other");
  if (!options.parent_commit.empty() && !hub::is_commit_prefix(options.parent_commit))
    throw error(errc::invalid_argument, "parent_commit is 5 to 40 hex digits");
}

/// Opens all contents; what is missing or unreadable is found before the first request.
awaitable<void> open_contents(context_ptr shared, commit_ptr commit,
                              std::vector<commit_operation> operations) {
  auto work = [plan = commit->plan, operations = std::move(operations)] {
    for (auto& add : plan->adds) {
      add.content = open_content(std::get<commit_operation_add>(operations[add.operation]));
      add.size = add.content->size();
    }
  };
  auto opening = io::on_pool(shared->pool, std::move(work));
  co_await std::move(opening);
}

awaitable<std::string> read_content(context_ptr shared, upload_content_ptr content,
                                    std::uint64_t limit) {
  auto work = [content, limit] {
    std::string text(static_cast<std::size_t>(std::min(content->size(), limit)), '\0');
    text.resize(content->read_at(0, std::as_writable_bytes(std::span(text))));
    return text;
  };
  auto reading = io::on_pool(shared->pool, std::move(work));
  auto text = co_await std::move(reading);
  co_return text;
}

/// A model card is checked by the Hub before anything is uploaded (hub-protocol, sections 6.5
/// and 7.1).
awaitable<void> validate_card(context_ptr shared, commit_ptr commit) {
  const auto& adds = commit->plan->adds;
  const auto card = std::find_if(adds.begin(), adds.end(),
                                 [](const planned_add& add) { return add.path == "README.md"; });
  if (card == adds.end() || card->size > card_limit) co_return;
  boost::json::object body;
  auto reading = read_content(shared, card->content, card_limit);
  const auto text = co_await std::move(reading);
  body["content"] = text;
  body["repoType"] = std::string(hub::singular(commit->options.type));
  auto what = hub_request(*shared, http::method::post, hub::routes::validate_yaml(shared->endpoint),
                          commit->token, boost::json::serialize(body));
  what.idempotent = true;
  auto answer = co_await shared->transport->send(std::move(what));
  if (answer.status() == 400) {
    auto refusal = failure_of(std::move(answer), "checking the metadata of README.md");
    const auto failure = co_await std::move(refusal);
    std::rethrow_exception(failure);
  }
  co_await answer.finish();  // a Hub without this service does not stop a commit
}

/// Asks for a batch of files which of them are large.
awaitable<void> preupload(context_ptr shared, commit_ptr commit, std::size_t begin) {
  auto& plan = *commit->plan;
  const std::size_t end = std::min(begin + files_a_preupload, plan.adds.size());
  auto work = [kept = commit->plan, begin, end] {
    std::vector<hub::preupload_file> files;
    for (std::size_t i = begin; i < end; ++i) {
      const auto& add = kept->adds[i];
      hub::preupload_file file;
      file.path = add.path;
      file.size = add.size;
      file.sample.resize(static_cast<std::size_t>(std::min<std::uint64_t>(add.size, sample_size)));
      add.content->read_at(0, std::as_writable_bytes(std::span(file.sample)));
      files.push_back(std::move(file));
    }
    return hub::write_preupload_request(files);
  };
  auto sampling = io::on_pool(shared->pool, std::move(work));
  auto body = co_await std::move(sampling);
  const auto& options = commit->options;
  const auto url = hub::routes::preupload(shared->endpoint, options.type, commit->repo_id,
                                          options.revision, options.create_pr);
  auto what = hub_request(*shared, http::method::post, url, commit->token, std::move(body));
  what.idempotent = true;
  const std::string doing = "preparing a commit to " + commit->repo_id;
  const auto text = co_await call_for_text(shared, std::move(what), doing);
  const auto answers = hub::read_preupload_reply(text);
  if (!answers) throw error(answers.error(), doing);
  apply_preupload(plan, begin, end, *answers);
}

/// Computes what identifies a file's content, where it is needed, and drops the file if the Hub has
/// it under that path.
awaitable<void> identify(context_ptr shared, commit_ptr commit, std::size_t index) {
  auto& add = commit->plan->adds[index];
  if (add.dropped) co_return;
  if (add.mode == hub::upload_mode::lfs) {
    auto progress = std::make_shared<progress_reporter>(
        commit->observer, add.path, transfer_progress::direction::hash, add.size);
    auto hashing = sha256_of(add.content, shared->pool, std::move(progress));
    add.oid = co_await std::move(hashing);
  } else if (!add.oid_there.empty()) {
    auto hashing = git_blob_id_of(add.content, shared->pool);
    add.oid = co_await std::move(hashing);
  }
  add.dropped = !add.oid.empty() && add.oid == add.oid_there;
}

awaitable<commit_info> head_as_it_is(context_ptr shared, commit_ptr commit) {
  const auto& options = commit->options;
  const auto url = hub::routes::repo_info(shared->endpoint, options.type, commit->repo_id,
                                          options.revision, false);
  auto what = hub_request(*shared, http::method::get, url, commit->token);
  const std::string doing = "reading the head of " + commit->repo_id;
  const auto text = co_await call_for_text(shared, std::move(what), doing);
  auto repo = hub::read_repo_info(text);
  if (!repo) throw error(repo.error(), doing);
  commit_info info;
  info.unchanged = true;
  info.oid = repo->sha;
  info.commit_url = hub::routes::repo_page(shared->endpoint, options.type, commit->repo_id) +
                    "/commit/" + repo->sha;
  co_return info;
}

awaitable<commit_info> post_commit(context_ptr shared, commit_ptr commit) {
  const auto& options = commit->options;
  auto header =
      hub::commit_header_line(commit->message, options.commit_description, options.parent_commit);
  const auto url = hub::routes::commit(shared->endpoint, options.type, commit->repo_id,
                                       options.revision, options.create_pr);
  auto what = hub_request(*shared, http::method::post, url, commit->token);
  what.headers.set("Content-Type", "application/x-ndjson");
  what.body = commit_body(commit->plan, std::move(header), shared->pool);
  const std::string doing = "committing to " + commit->repo_id;
  const auto text = co_await call_for_text(shared, std::move(what), doing);
  auto info = hub::read_commit_reply(text);
  if (!info) throw error(info.error(), doing);
  co_return std::move(*info);
}

awaitable<commit_info> run(context_ptr shared, commit_ptr commit,
                           std::vector<commit_operation> operations) {
  check_arguments(*commit);
  commit->plan = std::make_shared<commit_plan>(plan_commit(operations));
  auto opening = open_contents(shared, commit, std::move(operations));
  co_await std::move(opening);
  co_await validate_card(shared, commit);

  auto& adds = commit->plan->adds;
  for (std::size_t begin = 0; begin < adds.size(); begin += files_a_preupload)
    co_await preupload(shared, commit, begin);
  auto identify_one = [shared, commit](std::size_t index) {
    return identify(shared, commit, index);
  };
  co_await io::for_each_bounded(adds.size(), files_hashed_at_once, identify_one);

  commit_info info;
  if (commit->plan->empty()) {
    info = co_await head_as_it_is(shared, commit);
  } else {
    std::vector<std::size_t> large;
    for (std::size_t i = 0; i < adds.size(); ++i)
      if (!adds[i].dropped && adds[i].mode == hub::upload_mode::lfs) large.push_back(i);
    lfs_target target;
    target.repo_id = commit->repo_id;
    target.type = commit->options.type;
    if (!commit->options.create_pr) target.revision = commit->options.revision;
    target.token = commit->token;
    target.observer = commit->observer;
    auto uploading = upload_large_files(shared, commit->plan, std::move(large), std::move(target));
    co_await std::move(uploading);
    info = co_await post_commit(shared, commit);
  }
  info.commit_message = commit->message;
  info.commit_description = commit->options.commit_description;
  co_return info;
}

}  // namespace

awaitable<commit_info> create_commit(context_ptr shared, std::string repo_id,
                                     std::vector<commit_operation> operations, std::string message,
                                     create_commit_options options) {
  auto commit = std::make_shared<commit_in_progress>();
  commit->repo_id = std::move(repo_id);
  commit->message = std::move(message);
  commit->token = shared->token_for(options.token);
  commit->observer = shared->observer_for(options.observer);
  commit->options = std::move(options);
  auto running = run(std::move(shared), std::move(commit), std::move(operations));
  auto info = co_await std::move(running);
  co_return info;
}

}  // namespace cohub::transfer
