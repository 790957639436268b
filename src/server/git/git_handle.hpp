#pragma once

#include <git2.h>

#include <filesystem>
#include <memory>
#include <stdexcept>
#include <string>

/// Owners of libgit2's objects, and its errors as exceptions.
namespace cohub::server {

template <auto Free>
struct git_free {
  template <class T>
  void operator()(T* object) const noexcept {
    Free(object);
  }
};

template <class T, auto Free>
using git_owner = std::unique_ptr<T, git_free<Free>>;

using git_repository_ptr = git_owner<::git_repository, git_repository_free>;
using git_odb_ptr = git_owner<git_odb, git_odb_free>;
using git_odb_object_ptr = git_owner<git_odb_object, git_odb_object_free>;
using git_commit_ptr = git_owner<git_commit, git_commit_free>;
using git_tree_ptr = git_owner<git_tree, git_tree_free>;
using git_tree_entry_ptr = git_owner<git_tree_entry, git_tree_entry_free>;
using git_diff_ptr = git_owner<git_diff, git_diff_free>;
using git_index_ptr = git_owner<git_index, git_index_free>;
using git_object_ptr = git_owner<git_object, git_object_free>;
using git_reference_ptr = git_owner<git_reference, git_reference_free>;
using git_reference_iterator_ptr = git_owner<git_reference_iterator, git_reference_iterator_free>;
using git_revwalk_ptr = git_owner<git_revwalk, git_revwalk_free>;
using git_signature_ptr = git_owner<git_signature, git_signature_free>;

class git_failure : public std::runtime_error {
 public:
  explicit git_failure(const std::string& doing)
      : std::runtime_error(doing + ": " +
                           (git_error_last() ? git_error_last()->message : "failed")) {}
};

inline void git_check(int code, const char* doing) {
  if (code < 0) throw git_failure(doing);
}

/// Opens a bare repository that is there.
inline git_repository_ptr open_git(const std::filesystem::path& path) {
  ::git_repository* raw = nullptr;
  git_check(git_repository_open_bare(&raw, path.c_str()), "opening a repository");
  return git_repository_ptr(raw);
}

inline std::string to_hex(const git_oid& id) {
  std::string text(GIT_OID_HEXSZ, '\0');
  git_oid_fmt(text.data(), &id);
  return text;
}

inline git_oid to_oid(const std::string& hex) {
  git_oid id{};
  git_check(git_oid_fromstr(&id, hex.c_str()), "reading an object id");
  return id;
}

}  // namespace cohub::server
