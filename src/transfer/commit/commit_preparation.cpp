#include "transfer/commit/commit_preparation.hpp"

#include "cohub/error.hpp"

#include "hub/preupload.hpp"
#include "hub/routes.hpp"
#include "hub/utf8.hpp"
#include "io/for_each_bounded.hpp"
#include "io/on_pool.hpp"
#include "transfer/api_call.hpp"
#include "transfer/commit/commit_copies.hpp"
#include "transfer/commit/validate_card.hpp"
#include "transfer/report_event.hpp"
#include "transfer/upload/kept_source.hpp"
#include "transfer/upload/lfs_upload.hpp"
#include "transfer/upload/upload_spool.hpp"

#include <algorithm>
#include <memory>
#include <set>
#include <string>
#include <utility>

namespace cohub::transfer {

namespace {

constexpr std::size_t files_a_preupload = 256;
constexpr std::size_t preuploads_at_once = 4;
constexpr std::size_t most_looks = 3;     // at a branch that moves meanwhile
constexpr std::size_t files_a_job = 512;  // that one job of the pool opens
constexpr std::size_t jobs_at_once = 4;   // as many as a pool is likely to have threads for
constexpr const char* card_path = "README.md";
constexpr std::uint64_t card_limit = 4u << 20;   // a README.md that is checked before the commit
constexpr std::uint64_t rules_limit = 1u << 20;  // of a .gitignore or .gitattributes

/// The rules that this very commit brings: they hold for its own files.
struct new_rules {
  std::string ignore{};
  std::string attributes{};
};
using rules_ptr = std::shared_ptr<const new_rules>;

const planned_add* find_add(const commit_plan& plan, std::string_view path) {
  const auto found = std::find_if(plan.adds.begin(), plan.adds.end(),
                                  [&](const planned_add& add) { return add.path == path; });
  return found == plan.adds.end() ? nullptr : &*found;
}

/// Blocking: for the pool.
std::string read_front(const upload_content& content, std::uint64_t limit) {
  std::string text(static_cast<std::size_t>(std::min(content.size(), limit)), '\0');
  if (!text.empty())
    text.resize(content.open()->read_at(0, std::as_writable_bytes(std::span(text))));
  return text;
}

awaitable<std::string> read_content(context_ptr shared, upload_content_ptr content,
                                    std::uint64_t limit) {
  auto work = [content, limit] { return read_front(*content->now(), limit); };
  co_return co_await io::on_pool(shared->pool, std::move(work));
}

/// No request can carry other bytes, and no pattern matches them; comments have them.
void make_utf8(std::string& text) {
  for (std::size_t at = 0; at < text.size();) {
    const auto character = hub::decode_utf8(text, at);
    if (!character) text[at] = '?';
    at += character ? character->length : 1;
  }
}

/// The content of a file of this commit; empty if it brings none of that name, or a huge one.
awaitable<std::string> text_of(context_ptr shared, commit_ptr commit, std::string path,
                               std::uint64_t limit) {
  std::string text;
  const auto* add = find_add(*commit->plan, path);
  if (add != nullptr && add->content && add->size <= limit) {
    text = co_await read_content(shared, add->content, limit);
    make_utf8(text);
  }
  co_return text;
}

void tell_warning(const commit_in_progress& commit, const std::string& what) {
  report_event(commit.observer, transfer_event::kind::warning, card_path, what);
}

/// A model card is checked by the Hub before anything is uploaded (hub-protocol, sections 6.5
/// and 7.1).
awaitable<void> check_card(context_ptr shared, commit_ptr commit, upload_content_ptr card) {
  if (card->size() > card_limit) {
    tell_warning(*commit, "the card is too large to have its metadata checked");
    co_return;
  }
  auto text = co_await read_content(shared, card, card_limit);
  if (hub::find_invalid_utf8(text))
    throw error(errc::invalid_card, std::string(card_path) + " is not UTF-8 text");
  std::vector<std::string> warnings;
  try {
    warnings = co_await validate_card(shared, std::move(text), commit->options.type, commit->token);
  } catch (const error& failure) {
    // A Hub without this service does not stop a commit.
    if (failure.http().status == 0 || failure.http().status == 400) throw;
  }
  for (const auto& warning : warnings) tell_warning(*commit, warning);
}

/// The card of a commit, as far as its content is known; null if it brings none.
upload_content_ptr card_of(const commit_plan& plan) {
  const auto* add = find_add(plan, card_path);
  return add != nullptr ? add->content : nullptr;
}

/// The heads of the branch that the answers of one look at all files are of.
using heads_ptr = std::shared_ptr<std::set<std::string>>;

/// Asks for a batch of files which of them are large.
awaitable<void> preupload(context_ptr shared, commit_ptr commit, rules_ptr rules, heads_ptr heads,
                          std::size_t begin) {
  auto& plan = *commit->plan;
  const std::size_t end = std::min(begin + files_a_preupload, plan.adds.size());
  auto work = [kept = commit->plan, rules, begin, end] {
    std::vector<hub::preupload_file> files;
    for (std::size_t i = begin; i < end; ++i) {
      auto& add = kept->adds[i];
      if (!add.content) continue;  // a copy
      hub::preupload_file file;
      file.path = add.path;
      const auto there = add.content->now();
      file.size = add.told_size = there->size();
      file.sample = read_front(*there, hub::sample_size);
      files.push_back(std::move(file));
    }
    if (files.empty()) return std::string();
    return hub::write_preupload_request(files, rules->ignore, rules->attributes);
  };
  auto body = co_await io::on_pool(shared->pool, std::move(work));
  if (body.empty()) co_return;
  const auto& options = commit->options;
  const auto url = hub::routes::preupload(shared->endpoint, options.type, commit->repo_id,
                                          options.revision, options.create_pr);
  auto what = hub_request(*shared, http::method::post, url, commit->token, std::move(body));
  what.idempotent = true;
  const std::string doing = "preparing a commit to " + commit->repo_id;
  const auto reply = co_await call_for(shared, std::move(what), doing, hub::read_preupload_reply);
  apply_preupload(plan, begin, end, reply.files);
  if (!reply.commit_oid.empty()) heads->insert(reply.commit_oid);
}

/// Asks for all files, several batches at once.
awaitable<heads_ptr> preupload_all(context_ptr shared, commit_ptr commit, rules_ptr rules) {
  const auto heads = std::make_shared<std::set<std::string>>();
  const std::size_t count = commit->plan->adds.size();
  auto ask = [shared, commit, rules, heads](std::size_t index) {
    return preupload(shared, commit, rules, heads, index * files_a_preupload);
  };
  co_await io::for_each_bounded((count + files_a_preupload - 1) / files_a_preupload,
                                preuploads_at_once, ask);
  co_return heads;
}

/// Whether a pull request starts from another commit than the one that the Hub tells of.
bool starts_elsewhere(const commit_in_progress& commit) {
  const auto& options = commit.options;
  return options.create_pr && !commit.head.starts_with(options.parent_commit);
}

/// Learns what the Hub has, as of one head of the branch: what one answer calls unchanged may be
/// gone at the head of another. Where the branch does not rest, nothing is left out as unchanged.
awaitable<void> ask_for_modes(context_ptr shared, commit_ptr commit, rules_ptr rules) {
  const bool is_given = !commit->head.empty();
  for (std::size_t tries = 1;; ++tries) {
    const auto heads = co_await preupload_all(shared, commit, rules);
    if (is_given) heads->insert(commit->head);
    const bool moved = heads->size() > 1;
    if (moved && !is_given && tries < most_looks) continue;
    if (!is_given && !heads->empty()) commit->head = *heads->begin();
    if (moved || starts_elsewhere(*commit))
      for (auto& add : commit->plan->adds) add.oid_there.clear();
    co_return;
  }
}

using operations_ptr = std::shared_ptr<std::vector<commit_operation>>;

bool is_source(const commit_operation& operation) {
  const auto* add = std::get_if<commit_operation_add>(&operation);
  return add != nullptr && std::holds_alternative<std::shared_ptr<upload_source>>(add->content);
}

/// Takes bytes out of the operations: they are held once.
/// @param before_sources  whether to look now if files can be read, which their samples tell later
void open_some(commit_plan& plan, std::vector<commit_operation>& operations, std::size_t begin,
               bool before_sources) {
  const auto end = std::min(begin + files_a_job, plan.adds.size());
  for (std::size_t i = begin; i < end; ++i) {
    auto& add = plan.adds[i];
    auto& operation = std::get<commit_operation_add>(operations[add.operation]);
    if (is_source(operations[add.operation])) continue;
    add.content = open_content(std::move(operation));
    add.size = add.told_size = add.content->size();
    const auto* file = add.content->identity();
    const bool has_sample = add.size > 0;
    if (file != nullptr && (before_sources || !has_sample)) io::check_readable(file->path);
  }
}

awaitable<void> open_contents(context_ptr shared, commit_ptr commit, operations_ptr operations) {
  // Sources, which come before the samples, may take hours.
  const bool before_sources = std::any_of(operations->begin(), operations->end(), is_source);
  auto open = [shared, commit, operations, before_sources](std::size_t index) -> awaitable<void> {
    auto work = [plan = commit->plan, operations, index, before_sources] {
      open_some(*plan, *operations, index * files_a_job, before_sources);
    };
    auto opening = io::on_pool(shared->pool, std::move(work));
    co_await std::move(opening);
  };
  const auto count = commit->plan->adds.size();
  co_await io::for_each_bounded((count + files_a_job - 1) / files_a_job, jobs_at_once, open);
}

awaitable<void> spool_sources(context_ptr shared, commit_ptr commit, operations_ptr operations) {
  for (auto& add : commit->plan->adds) {
    const auto& operation = std::get<commit_operation_add>((*operations)[add.operation]);
    const auto* source = std::get_if<std::shared_ptr<upload_source>>(&operation.content);
    if (source == nullptr) continue;
    auto kept = std::dynamic_pointer_cast<kept_source>(*source);
    auto opening_source = kept ? kept->open(shared) : spool(shared, *source);
    add.content = co_await std::move(opening_source);
    add.size = add.told_size = add.content->size();
    add.sha256 = add.content->known_sha256();
  }
}

/// The files that the commit brings, in the total of all uploads.
void announce(commit_in_progress& commit) {
  std::uint64_t files = 0;
  std::uint64_t bytes = 0;
  for (auto& add : commit.plan->adds) {
    if (add.announced || !add.content) continue;
    add.announced = true;
    ++files;
    bytes += add.size;
  }
  commit.total->announce(files, bytes);
}

}  // namespace

awaitable<void> open_commit(context_ptr shared, commit_ptr commit,
                            std::vector<commit_operation> operations) {
  commit->plan = std::make_shared<commit_plan>(plan_commit(operations));
  const auto all = std::make_shared<std::vector<commit_operation>>(std::move(operations));
  co_await open_contents(shared, commit, all);
  // A bad card is refused before sources are read, which may take hours; unless it is one of them.
  const auto early_card = card_of(*commit->plan);
  if (early_card) {
    co_await check_card(shared, commit, early_card);
  }
  co_await spool_sources(shared, commit, all);
  const auto card = card_of(*commit->plan);
  if (card && !early_card) {
    co_await check_card(shared, commit, card);
  }
  co_await resolve_copies(shared, commit, all);
}

awaitable<void> prepare_commit(context_ptr shared, commit_ptr commit) {
  announce(*commit);
  auto rules = std::make_shared<new_rules>();
  rules->ignore = co_await text_of(shared, commit, ".gitignore", rules_limit);
  rules->attributes = co_await text_of(shared, commit, ".gitattributes", rules_limit);
  co_await ask_for_modes(shared, commit, std::move(rules));
  co_await drop_unchanged_copies(shared, commit);
  co_await upload_large_files(shared, commit);
}

}  // namespace cohub::transfer
