#include "cohub/hub_card.hpp"

#include "cohub/detail/operation.hpp"
#include "cohub/error.hpp"
#include "cohub/eval_result.hpp"

#include "hub/card_comparison.hpp"
#include "hub/repo_id.hpp"
#include "io/on_pool.hpp"
#include "model/card/eval_results.hpp"

#include <algorithm>
#include <utility>
#include <vector>

namespace cohub {

namespace {

constexpr const char* index_key = "model-index";
constexpr std::uint64_t largest_card = 64u << 20;
/// How often an update begins anew because the branch has moved meanwhile.
constexpr int most_updates = 10;

[[noreturn]] void refuse_change(const std::string& what) {
  throw error(errc::invalid_card, "updating metadata: " + what +
                                      " has another value already; overwrite it on purpose, or "
                                      "leave it out");
}

/// A number that another program wrote as 1.0 is no other value.
bool is_same_value(const card_value& a, const card_value& b) {
  return hub::are_same(a, b, hub::comparison::measured);
}

/// The index that comes in, its name filled in where it has none.
std::vector<model_index> read_incoming(const card_value& value, const std::string& repo_id) {
  card_value named = value;
  if (named.is_list() && !named.as_list().empty() && named.as_list().front().is_map()) {
    auto& first = named.as_list().front().as_map();
    if (first.text_or("name").empty()) first["name"] = repo_id;
  }
  return read_model_index(named);
}

void merge_result(model_index& into, const eval_result& incoming, bool overwrite) {
  const auto same =
      std::find_if(into.results.begin(), into.results.end(),
                   [&](const eval_result& each) { return is_same_metric(each, incoming); });
  if (same == into.results.end()) {
    model::check_result(incoming);
    into.results.push_back(incoming);
    return;
  }
  if (same->verify_token == incoming.verify_token &&
      is_same_value(same->metric_value, incoming.metric_value))
    return;
  if (!overwrite)
    refuse_change("the metric name \"" + incoming.metric_name + "\", type \"" +
                  incoming.metric_type + '"');
  same->metric_value = incoming.metric_value;
  if (same->verified.value_or(false)) same->verify_token = incoming.verify_token;
}

void merge_index(card_map& data, const card_value& value, bool overwrite,
                 const std::string& repo_id) {
  auto incoming = read_incoming(value, repo_id);
  const auto* there = data.find(index_key);
  if (there == nullptr || there->is_null()) {
    data[index_key] = write_model_index(incoming);
    return;
  }
  auto indexes = read_model_index(*there);
  for (auto& from : incoming) {
    if (indexes.empty()) {
      for (const auto& result : from.results) model::check_result(result);
      indexes.push_back(std::move(from));
      continue;
    }
    const auto same = std::find_if(indexes.begin(), indexes.end(),
                                   [&](const model_index& each) { return each.name == from.name; });
    auto& into = same == indexes.end() ? indexes.front() : *same;
    for (const auto& result : from.results) merge_result(into, result, overwrite);
  }
  data[index_key] = model::write_read_results(indexes);
}

/// The commit that a branch points to.
awaitable<std::string> head_of(client hub, std::string repo_id, push_card_options push) {
  repo_info_options asked;
  asked.type = push.type;
  asked.revision = push.revision;
  asked.expand.emplace_back("sha");
  asked.token = push.token;
  const auto info = co_await hub.repo_info(std::move(repo_id), asked);
  co_return info.sha;
}

awaitable<model_card> card_to_update(client hub, std::string repo_id, push_card_options push,
                                     std::string revision) {
  load_card_options from;
  from.type = push.type;
  from.revision = std::move(revision);
  from.token = push.token;
  from.reading.keep_comments = true;
  bool missing = false;
  model_card card;
  try {
    card = co_await load_card(hub, repo_id, from);
  } catch (const error& e) {
    if (e.code() != errc::entry_not_found) throw;
    missing = true;
  }
  if (missing && push.type == repo_type::space)
    throw error(errc::invalid_card,
                "updating the metadata of " + repo_id + " (a space needs a README.md first)");
  if (missing) card = model_card::from_template({}, default_card_template(push.type));
  co_return card;
}

awaitable<commit_info> commit_card(client hub, model_card card, std::string repo_id,
                                   push_card_options options, std::string message) {
  auto work = [card = std::move(card)] { return card.content(); };
  auto writing = io::on_pool(hub.blocking_executor(), std::move(work));
  commit_operation_add::bytes content;
  content.data = co_await std::move(writing);
  commit_operation_add add;
  add.path_in_repo = "README.md";
  add.content = std::move(content);
  std::vector<commit_operation> operations;
  operations.emplace_back(std::move(add));
  create_commit_options commit;
  commit.type = options.type;
  commit.revision = std::move(options.revision);
  commit.commit_description = std::move(options.commit_description);
  commit.create_pr = options.create_pr;
  commit.parent_commit = std::move(options.parent_commit);
  commit.token = std::move(options.token);
  if (!options.commit_message.empty()) message = std::move(options.commit_message);
  co_return co_await hub.create_commit(std::move(repo_id), std::move(operations),
                                       std::move(message), commit);
}

awaitable<model_card> load(client hub, std::string repo_id, load_card_options options) {
  read_file_options from;
  from.type = options.type;
  from.revision = std::move(options.revision);
  from.token = std::move(options.token);
  from.max_bytes = largest_card;
  auto reading = hub.read_file(repo_id, "README.md", from);
  auto text = co_await std::move(reading);
  auto work = [text = std::move(text), repo_id, how = options.reading] {
    return model_card::parse(text, repo_id + "/README.md", how);
  };
  auto card = co_await io::on_pool(hub.blocking_executor(), std::move(work));
  for (const auto& warning : card.warnings()) detail::tell_warning(hub, "README.md", warning);
  co_return card;
}

awaitable<std::vector<std::string>> validate(client hub, model_card card,
                                             validate_card_options options) {
  auto work = [card = std::move(card)] { return card.content(); };
  auto content = co_await io::on_pool(hub.blocking_executor(), std::move(work));
  co_return co_await hub.validate_card(std::move(content), options);
}

awaitable<commit_info> update(client hub, std::string repo_id, card_map metadata,
                              metadata_update_options options) {
  if (options.push.type != repo_type::model && metadata.contains(index_key))
    throw error(errc::invalid_card,
                "updating the metadata of " + repo_id + ": only models have evaluation results");
  const bool follows_others = options.push.parent_commit.empty();
  for (int left = most_updates;; --left) {
    auto push = options.push;
    // What others commit between the reading and the writing would be undone without a word.
    if (follows_others) push.parent_commit = co_await head_of(hub, repo_id, push);
    auto revision = hub::is_commit_id(push.parent_commit) ? push.parent_commit : push.revision;
    auto card = co_await card_to_update(hub, repo_id, push, std::move(revision));
    auto work = [card = std::move(card), metadata, overwrite = options.overwrite,
                 repo_id]() mutable {
      update_metadata(card, metadata, overwrite, repo_id);
      return std::move(card);
    };
    auto updated = co_await io::on_pool(hub.blocking_executor(), std::move(work));
    try {
      co_return co_await commit_card(hub, std::move(updated), repo_id, std::move(push),
                                     "Update metadata with cohub");
    } catch (const error& e) {
      if (e.code() != errc::commit_conflict || !follows_others || left == 0) throw;
    }
  }
}

}  // namespace

awaitable<model_card> load_card(client hub, std::string repo_id, named<load_card_options> options) {
  return detail::operation(load(std::move(hub), std::move(repo_id), *std::move(options)));
}

awaitable<std::vector<std::string>> validate_card(client hub, model_card card,
                                                  named<validate_card_options> options) {
  return detail::operation(validate(std::move(hub), std::move(card), *std::move(options)));
}

awaitable<commit_info> push_card(client hub, model_card card, std::string repo_id,
                                 named<push_card_options> options) {
  return detail::operation(commit_card(std::move(hub), std::move(card), std::move(repo_id),
                                       *std::move(options), "Upload README.md with cohub"));
}

awaitable<commit_info> metadata_update(client hub, std::string repo_id, card_map metadata,
                                       named<metadata_update_options> options) {
  return detail::operation(
      update(std::move(hub), std::move(repo_id), std::move(metadata), *std::move(options)));
}

void update_metadata(model_card& card, const card_map& metadata, bool overwrite,
                     const std::string& repo_id) {
  auto data = card.data();  // all or nothing
  for (const auto& [key, value] : metadata) {
    if (key == index_key && !value.is_null()) {
      merge_index(data, value, overwrite, repo_id);
      continue;
    }
    const auto* there = data.find(key);
    const bool differs = there != nullptr && !there->is_null() && !is_same_value(*there, value);
    if (differs && !overwrite) refuse_change('"' + key + '"');
    if (value.is_null())
      data.erase(key);
    else if (there == nullptr || differs || there->is_null())
      data[key] = value;
  }
  card.data() = std::move(data);
}

}  // namespace cohub
