#include "cohub/auth.hpp"
#include "cohub/detail/operation.hpp"
#include "cohub/error.hpp"

#include "cache/file_lock.hpp"
#include "core/environment.hpp"
#include "core/throw_system.hpp"
#include "core/trim.hpp"
#include "io/file.hpp"
#include "io/on_pool.hpp"

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <optional>
#include <system_error>
#include <thread>
#include <utility>

namespace cohub {

namespace {

constexpr std::uint64_t file_limit = 1u << 20;

/// A section of the INI file: lines that are not known stay as they are.
struct section {
  std::string name{};
  std::string token{};
  std::vector<std::string> other_lines{};
};

std::filesystem::path stored_path() { return core::token_path().parent_path() / "stored_tokens"; }

std::vector<section> read_sections() {
  std::vector<section> sections;
  std::error_code failure;
  if (!std::filesystem::exists(stored_path(), failure)) return sections;
  auto text = io::read_file(stored_path(), file_limit);
  std::erase(text, '\r');
  for (std::size_t begin = 0; begin < text.size();) {
    const auto end = std::min(text.find('\n', begin), text.size());
    const auto line = core::trim(std::string_view(text).substr(begin, end - begin));
    begin = end + 1;
    if (line.empty()) continue;
    if (line.front() == '[' && line.back() == ']') {
      sections.push_back({std::string(line.substr(1, line.size() - 2)), {}, {}});
      continue;
    }
    if (sections.empty()) continue;
    const auto equals = line.find_first_of("=:");
    if (equals != line.npos && core::trim(line.substr(0, equals)) == "hf_token")
      sections.back().token = core::trim(line.substr(equals + 1));
    else
      sections.back().other_lines.emplace_back(line);
  }
  return sections;
}

/// A folder that is made for secrets is its owner's alone; one that is there stays as it is.
void make_folder_of(const std::filesystem::path& path) {
  const auto folder = path.parent_path();
  if (folder.empty()) return;
  if (const auto above = folder.parent_path(); !above.empty()) io::create_directories(above);
  io::create_private_directory(folder);
}

/// Made with its final mode: nobody else can read it, not even for a moment.
void write_secret(const std::filesystem::path& path, std::string_view content) {
  make_folder_of(path);
  io::write_file_atomically(path, content, io::durability::machine, {},
                            io::file::mode::write_new_private);
}

void remove_secret(const std::filesystem::path& path) {
  std::error_code failure;
  std::filesystem::remove(path, failure);  // one that is missing is no failure
  if (failure) core::throw_system(failure.value(), "removing", path);
}

/// Whoever changes the stored tokens has read them first: one at a time, so that none is lost.
/// Somebody who holds the lock for long has come to grief, and holds up nobody else.
cache::file_lock lock_sections() {
  auto path = stored_path();
  path += ".lock";
  make_folder_of(path);
  for (int tries = 0; tries < 500; ++tries) {
    if (auto lock = cache::try_lock_file(path)) return std::move(*lock);
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
  return {};
}

void write_sections(std::vector<section> sections) {
  std::sort(sections.begin(), sections.end(),
            [](const section& a, const section& b) { return a.name < b.name; });
  std::string text;
  for (const auto& each : sections) {
    text += '[' + each.name + "]\nhf_token = " + each.token + '\n';
    for (const auto& line : each.other_lines) text += line + '\n';
    text += '\n';
  }
  write_secret(stored_path(), text);
}

std::optional<std::string> token_in_file() {
  std::error_code failure;
  if (!std::filesystem::exists(core::token_path(), failure)) return {};
  return core::clean_token(io::read_file(core::token_path(), file_limit));
}

section* find(std::vector<section>& sections, const std::string& name) {
  const auto found = std::find_if(sections.begin(), sections.end(),
                                  [&](const section& each) { return each.name == name; });
  if (found == sections.end())
    throw error(errc::invalid_argument, "no token is kept under the name \"" + name + '"');
  return &*found;
}

/// Keeps it, as the one in use.
void keep(const stored_token& kept) {
  const auto alone = lock_sections();
  auto sections = read_sections();
  std::erase_if(sections, [&](const section& each) { return each.name == kept.name; });
  sections.push_back({kept.name, kept.token, {}});
  write_sections(std::move(sections));
  write_secret(core::token_path(), kept.token);
}

awaitable<stored_token> check_and_keep(client hub, std::string token) {
  const auto cleaned = core::clean_token(std::move(token));
  if (!cleaned) throw error(errc::invalid_argument, "this is no token");
  whoami_options options;
  options.token = *cleaned;
  const auto user = co_await hub.whoami(options);
  stored_token kept;
  kept.name = user.token_name.empty() ? user.name : user.token_name;
  // It becomes a line of the file.
  std::replace_if(
      kept.name.begin(), kept.name.end(),
      [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == '[' || c == ']'; }, '_');
  kept.token = *cleaned;
  kept.is_active = true;
  auto work = [kept] { keep(kept); };
  co_await io::on_pool(hub.blocking_executor(), std::move(work));
  co_return kept;
}

}  // namespace

std::string stored_token::masked() const {
  if (token.size() < 12) return "****";
  return token.substr(0, 3) + "****" + token.substr(token.size() - 4);
}

awaitable<stored_token> login(client hub, std::string token) {
  return detail::operation(check_and_keep(std::move(hub), std::move(token)));
}

void logout() {
  const auto alone = lock_sections();
  remove_secret(stored_path());
  remove_secret(core::token_path());
}

void logout(const std::string& token_name) {
  const auto alone = lock_sections();
  auto sections = read_sections();
  const auto token = find(sections, token_name)->token;
  std::erase_if(sections, [&](const section& each) { return each.name == token_name; });
  write_sections(std::move(sections));
  if (token_in_file() == token) remove_secret(core::token_path());
}

void auth_switch(const std::string& token_name) {
  const auto alone = lock_sections();
  auto sections = read_sections();
  write_secret(core::token_path(), find(sections, token_name)->token);
}

std::filesystem::path token_path() { return core::token_path(); }

std::optional<std::string> get_token() { return core::discover_token(); }

std::vector<stored_token> auth_list() {
  const auto in_use = core::discover_token();
  std::vector<stored_token> tokens;
  for (auto& each : read_sections()) {
    stored_token kept;
    kept.is_active = in_use == each.token;
    kept.name = std::move(each.name);
    kept.token = std::move(each.token);
    tokens.push_back(std::move(kept));
  }
  return tokens;
}

}  // namespace cohub
