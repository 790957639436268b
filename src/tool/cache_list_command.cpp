#include "cache_listing.hpp"
#include "cache_scan.hpp"
#include "commands.hpp"
#include "common_flags.hpp"
#include "output.hpp"
#include "run_operation.hpp"

#include <algorithm>
#include <iostream>
#include <limits>
#include <memory>
#include <set>
#include <stdexcept>
#include <string>
#include <vector>

namespace cohub::tool {

namespace {

namespace json = boost::json;

struct arguments {
  output out;
  std::string cache_dir;
  bool revisions = false;
  std::vector<std::string> filters;
  std::string sort;
  std::size_t limit = std::numeric_limits<std::size_t>::max();
  bool show_warnings = false;
};

json::object row_of(const cache_row& row, std::chrono::system_clock::time_point now) {
  const auto id = row.repo->cache_id();
  json::object item;
  item["id"] = id;
  item["repo_id"] = row.repo->repo_id;
  item["repo_type"] = id.substr(0, id.find('/'));
  if (row.revision != nullptr) {
    item["revision"] = row.revision->commit_hash;
    item["snapshot_path"] = row.revision->snapshot_path.string();
  }
  item["size"] = format_size(row.size());
  item["size_on_disk"] = row.size();
  if (row.revision == nullptr) item["last_accessed"] = time_since(row.repo->last_accessed, now);
  item["last_modified"] = time_since(row.last_modified(), now);
  item["refs"] = to_json(row.refs());
  return item;
}

std::string total_of(const std::vector<cache_row>& rows) {
  std::set<const cached_repo_info*> repos;
  std::size_t revisions = 0;
  std::uint64_t size = 0;
  for (const auto& row : rows) {
    repos.insert(row.repo);
    revisions += row.revision != nullptr ? 1 : row.repo->revisions.size();
    size += row.size();
  }
  return "\nFound " + std::to_string(repos.size()) + " repo(s) for a total of " +
         std::to_string(revisions) + " revision(s) and " + format_size(size) + " on disk.";
}

void tell_oddities(const arguments& args, const cache_info& info) {
  if (args.show_warnings)
    for (const auto& warning : info.warnings)
      print_warning(warning.path.string() + ' ' + warning.message +
                    (warning.repo_ignored ? ": left out" : ""));
  else if (!info.warnings.empty())
    print_warning(std::to_string(info.warnings.size()) +
                  " things in the cache are not as they should be (--show-warnings tells them)");
  const auto leftovers = info.incomplete_files.size() + info.unlinked_blobs.size();
  if (leftovers == 0 || args.out.mode() == output::format::quiet) return;
  auto size = info.incomplete_size_on_disk();
  for (const auto& blob : info.unlinked_blobs) size += blob.size_on_disk;
  std::cerr << "Found " << leftovers << " incomplete or unused file(s) of " << format_size(size)
            << "; \"cohub cache prune\" removes them." << std::endl;
}

int list(const arguments& args) {
  const auto info = std::make_shared<cache_info>();
  if (const int status = scan_cache(args.cache_dir, info); status != success) return status;
  const auto now = std::chrono::system_clock::now();
  auto rows = list_cache(*info, args.revisions);
  try {
    for (const auto& filter : args.filters) filter_cache(rows, filter, now);
    if (!args.sort.empty()) sort_cache(rows, args.sort);
  } catch (const std::invalid_argument& e) {
    print_error(e.what());
    return usage;
  }
  rows.resize(std::min(rows.size(), args.limit));
  json::array items;
  for (const auto& row : rows) items.push_back(row_of(row, now));
  if (args.revisions)
    args.out.table(items, {{"id"}, {"revision"}, {"size", true}, {"last_modified"}, {"refs"}},
                   "revision");
  else
    args.out.table(items, {{"id"}, {"size", true}, {"last_accessed"}, {"last_modified"}, {"refs"}},
                   "id");
  if (!rows.empty()) args.out.text(total_of(rows));
  tell_oddities(args, *info);
  return success;
}

}  // namespace

void add_cache_list_command(CLI::App& cache, int& status) {
  auto args = std::make_shared<arguments>();
  auto& listing = *cache.add_subcommand("ls", "List repositories or revisions")->alias("list");
  listing.add_option("--cache-dir", args->cache_dir, "Cache instead of HF_HUB_CACHE")
      ->option_text("DIR");
  listing.add_flag("--revisions", args->revisions, "Revisions instead of repositories");
  add_repeated_flag(listing, "-f,--filter", args->filters,
                    "size>1GB, accessed>7d, modified<2w, type=model, refs=main", "FILTER");
  listing.add_option("--sort", args->sort, "accessed, modified, name or size, with :asc or :desc")
      ->option_text("KEY");
  add_count(listing, "--limit", args->limit, "So many at most")->option_text("N");
  listing.add_flag("--show-warnings", args->show_warnings, "Tell what is broken in the cache");
  args->out.add_flags(listing);
  listing.footer(
      "Examples:\n"
      "  cohub cache ls\n"
      "  cohub cache ls --revisions --filter 'size>1GB' --sort size --limit 20\n"
      "  cohub cache ls --json");
  listing.callback([args, &status] { status = list(*args); });
}

}  // namespace cohub::tool
