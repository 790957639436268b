#pragma once

#include "cohub/repository.hpp"

#include <boost/json/value.hpp>
#include <boost/system/result.hpp>

#include <string_view>
#include <vector>

/// Answers of the repository API, read into the public structs and, for a server, written from them
/// (hub-protocol, sections 6.1 to 6.4). A body of another shape is errc::invalid_response.
namespace cohub::hub {

boost::system::result<repo_info> read_repo_info(std::string_view body);
boost::system::result<std::vector<repo_info>> read_repo_infos(std::string_view body);
boost::system::result<std::vector<tree_entry>> read_tree_page(std::string_view body);
boost::system::result<user_info> read_whoami(std::string_view body);
boost::system::result<std::vector<lfs_file_info>> read_lfs_files(std::string_view body);
boost::system::result<std::vector<repo_storage_info>> read_user_repos(std::string_view body);
/// The answer of create_repo, a 409 included; type and id are taken from its url, with `asked_id`
/// as the name if the url is of another form. errc::invalid_response where it has none.
boost::system::result<repo_url> read_repo_url(std::string_view body, repo_type type,
                                              std::string_view asked_id);

boost::json::value write_tree_entry(const tree_entry& entry);
boost::json::value write_repo_info(const repo_info& info, bool files_metadata);

}  // namespace cohub::hub
