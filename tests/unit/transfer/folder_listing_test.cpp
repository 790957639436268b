#include "transfer/folder/folder_listing.hpp"

#include "cohub/error.hpp"

#include "io/file.hpp"

#include <doctest/doctest.h>

#include <stop_token>
#include <string>
#include <vector>

using namespace cohub;
namespace fs = std::filesystem;

namespace {

struct fixture {
  io::temporary_directory folder;
  const fs::path root = folder.path() / "f";

  fixture() {
    io::create_directories(root / "sub");
    io::write_file_atomically(root / "a.txt", "a");
    io::write_file_atomically(root / "sub/b.txt", "b");
  }
  std::vector<std::string> listed(std::vector<std::string> ignored = {}) const {
    const core::path_filter filter(std::nullopt, std::move(ignored));
    std::vector<std::string> names;
    for (const auto& file : transfer::list_folder(root, filter, {})) names.push_back(file.relative);
    return names;
  }
  /// A link whose target no system can look at, whoever asks: its name is too long.
  void link_out_of_reach(const char* name) const {
    fs::create_symlink(std::string(300, 'x'), root / name);
  }
};

const std::vector<std::string> both{"a.txt", "sub/b.txt"};

}  // namespace

TEST_CASE_FIXTURE(fixture, "files are listed by their paths below the folder") {
  fs::create_symlink("a.txt", root / "to_file");
  fs::create_directory_symlink("sub", root / "to_folder");
  CHECK(listed() == std::vector<std::string>{"a.txt", "sub/b.txt", "to_file"});
  CHECK(listed({"sub/*", "to_*"}) == std::vector<std::string>{"a.txt"});
}

TEST_CASE_FIXTURE(fixture, "a listing that is told to stop ends") {
  std::stop_source stop;
  stop.request_stop();
  const core::path_filter all;
  CHECK_THROWS_AS(transfer::list_folder(root, all, stop.get_token()), boost::system::system_error);
}

TEST_CASE_FIXTURE(fixture, "links to nothing and in circles are no files") {
  fs::create_symlink("nothing", root / "dangling");
  fs::create_symlink("circle", root / "circle");
  fs::create_symlink("a.txt/below", root / "astray");
  CHECK(listed() == both);
}

TEST_CASE_FIXTURE(fixture, "a file that cannot be looked at is not left out in silence") {
  link_out_of_reach("weights.bin");
  try {
    listed();
    FAIL("listed");
  } catch (const error& e) {
    CHECK(e.code() == boost::system::errc::filename_too_long);
    CHECK(std::string(e.what()).find("weights.bin") != std::string::npos);
  }
  CHECK(listed({"*.bin"}) == both);  // nobody wants it
}
