#include "io/file.hpp"
#include "server/git/file_system.hpp"
#include "server/git/git_repository.hpp"

#include <set>
#include <system_error>

/// Making repositories, and getting what was written onto the disk.
namespace cohub::server {

namespace {

/// Beyond so many objects, one sync of the whole file system is cheaper than one for each.
constexpr std::size_t single_syncs = 128;

/// What the public Hub puts into a new repository: the formats whose files are large objects.
constexpr const char* large_patterns[] = {"*.7z",      "*.arrow",       "*.bin",
                                          "*.bz2",     "*.ckpt",        "*.ftz",
                                          "*.gguf",    "*.gz",          "*.h5",
                                          "*.joblib",  "*.lfs.*",       "*.mlmodel",
                                          "*.model",   "*.msgpack",     "*.npy",
                                          "*.npz",     "*.onnx",        "*.ot",
                                          "*.parquet", "*.pb",          "*.pickle",
                                          "*.pkl",     "*.pt",          "*.pth",
                                          "*.rar",     "*.safetensors", "saved_model/**/*",
                                          "*.tar.*",   "*.tar",         "*.tflite",
                                          "*.tgz",     "*.wasm",        "*.xz",
                                          "*.zip",     "*.zst",         "*tfevents*"};

std::string initial_attributes() {
  std::string text;
  for (const char* pattern : large_patterns)
    text += std::string(pattern) + " filter=lfs diff=lfs merge=lfs -text\n";
  return text;
}

}  // namespace

void create_git_repository(const std::filesystem::path& path, const std::string& author) {
  git_repository_init_options options{};
  git_check(git_repository_init_options_init(&options, GIT_REPOSITORY_INIT_OPTIONS_VERSION),
            "creating a repository");
  options.flags =
      GIT_REPOSITORY_INIT_BARE | GIT_REPOSITORY_INIT_MKPATH | GIT_REPOSITORY_INIT_NO_REINIT;
  options.initial_head = "main";
  ::git_repository* raw = nullptr;
  git_check(git_repository_init_ext(&raw, path.c_str(), &options), "making a repository");
  const git_repository_ptr repository(raw);

  git_odb* odb = nullptr;
  git_check(git_repository_odb(&odb, raw), "opening a repository's objects");
  const git_odb_ptr objects(odb);
  const std::string attributes = initial_attributes();
  git_oid blob{};
  git_check(git_odb_write(&blob, odb, attributes.data(), attributes.size(), GIT_OBJECT_BLOB),
            "writing a file");
  git_treebuilder* builder = nullptr;
  git_check(git_treebuilder_new(&builder, raw, nullptr), "writing a tree");
  const git_owner<git_treebuilder, git_treebuilder_free> builder_owner(builder);
  git_check(git_treebuilder_insert(nullptr, builder, ".gitattributes", &blob, GIT_FILEMODE_BLOB),
            "writing a tree");
  git_oid tree_id{};
  git_check(git_treebuilder_write(&tree_id, builder), "writing a tree");
  git_tree* tree = nullptr;
  git_check(git_tree_lookup(&tree, raw, &tree_id), "writing a tree");
  const git_tree_ptr tree_owner(tree);
  git_signature* signature = nullptr;
  const std::string mail = author + "@localhost";
  git_check(git_signature_now(&signature, author.c_str(), mail.c_str()), "signing a commit");
  const git_signature_ptr signature_owner(signature);
  git_oid commit{};
  git_check(git_commit_create(&commit, raw, "refs/heads/main", signature, signature, nullptr,
                              "initial commit", tree, 0, nullptr),
            "writing the first commit");
  io::create_directories(path / "refs" / "pr");
  sync_file_system_of(path);
}

void git_repository::sync_written() {
  const auto objects = path_ / "objects";
  if (sync_all_ || written_.size() > single_syncs) {
    sync_file_system_of(objects);
  } else {
    std::set<std::filesystem::path> folders{objects};
    for (const git_oid& id : written_) {
      const std::string hex = to_hex(id);
      const auto file = objects / hex.substr(0, 2) / hex.substr(2);
      std::error_code code;
      if (!std::filesystem::exists(file, code)) continue;  // in a pack since long ago
      io::file(file, io::file::mode::read).sync();
      folders.insert(file.parent_path());
    }
    for (const auto& folder : folders) io::file(folder, io::file::mode::read).sync();
  }
  written_.clear();
  sync_all_ = false;
}

}  // namespace cohub::server
