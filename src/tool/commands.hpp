#pragma once

#include "cohub/repository.hpp"

#include <CLI/CLI.hpp>

/// The commands of the tool. Each adds its words and flags, those of the `hf` command, to the
/// parser; its callback stores the exit status in `status`, which outlives the parser.
namespace cohub::tool {

void add_download_command(CLI::App& app, int& status);
void add_upload_command(CLI::App& app, int& status);
void add_upload_large_folder_command(CLI::App& app, int& status);
void add_repo_command(CLI::App& app, int& status);
void add_repo_create_commands(CLI::App& repo, int& status);
void add_repo_access_commands(CLI::App& repo, int& status);
void add_repo_ref_commands(CLI::App& repo, int& status);
void add_repo_list_commands(CLI::App& app, int& status);
void add_card_command(CLI::App& group, int& status, repo_type type);
void add_discussions_command(CLI::App& app, int& status);
void add_auth_command(CLI::App& app, int& status);
void add_whoami_command(CLI::App& app, int& status);
void add_cache_command(CLI::App& app, int& status);
void add_cache_list_command(CLI::App& cache, int& status);
void add_cache_delete_commands(CLI::App& cache, int& status);
void add_cache_verify_command(CLI::App& cache, int& status);
void add_env_command(CLI::App& app, int& status);
void add_version_command(CLI::App& app, int& status);
void add_serve_command(CLI::App& app, int& status);

}  // namespace cohub::tool
