#pragma once

#include "server/store/hub_store.hpp"

#include <boost/json/object.hpp>

#include <cstdint>
#include <string>
#include <vector>

namespace cohub::server {

class git_repository;

/// Adds to a description what takes looking at large objects: the weights of a model, and the bytes
/// of all objects where they are asked for. @param expand  what is asked for by name
void add_measures(boost::json::object& description, hub_store& store, const repo_record& record,
                  const git_repository& repository, const std::string& commit,
                  const std::vector<std::string>& expand);

/// Bytes of all large objects of a repository.
std::uint64_t storage_of(const hub_store& store, repo_type type, const std::string& id);

}  // namespace cohub::server
