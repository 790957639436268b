#include "transfer/upload/upload_journal.hpp"

#include "support/temporary_folder.hpp"

#include <doctest/doctest.h>

#include <sys/stat.h>

using namespace cohub;
using namespace cohub::transfer;

namespace {

hub::multipart_plan plan_of_two() {
  hub::multipart_plan plan;
  plan.part_size = 10;
  plan.part_urls = {"https://s/1?sig=a", "https://s/2?sig=b"};
  plan.completion_url = "https://s/done";
  return plan;
}

multipart_progress progress_of_two() { return {plan_of_two(), {"", ""}}; }

}  // namespace

TEST_CASE("a journal tells the plan and the parts that are there") {
  const auto text = encode_multipart_plan(plan_of_two()) + encode_uploaded_part(1, "\"e\"");
  const auto read = decode_multipart_progress(text);
  REQUIRE(read);
  CHECK(read->plan.part_urls == plan_of_two().part_urls);
  CHECK(read->plan.completion_url == "https://s/done");
  CHECK(read->plan.part_size == 10);
  CHECK(read->etags == std::vector<std::string>{"", "\"e\""});
}

TEST_CASE("a journal is read up to where a crash cut it") {
  const auto plan = encode_multipart_plan(plan_of_two());
  const auto text = plan + encode_uploaded_part(0, "\"long etag\"");
  for (std::size_t cut = 0; cut < text.size(); ++cut) {
    CAPTURE(cut);
    const auto read = decode_multipart_progress(std::string_view(text).substr(0, cut));
    CHECK(read.has_value() == (cut >= plan.size()));
    if (read) CHECK(read->etags[0].empty());
  }
  for (const char* bad : {"5 x\n", "-1 x\n", "x\n", "0\n"}) {
    const auto read = decode_multipart_progress(plan + bad);
    REQUIRE(read);
    CHECK(read->etags == std::vector<std::string>{"", ""});
  }
  CHECK_FALSE(decode_multipart_progress("cohub upload 1\n{\"parts\":1}\n"));
  CHECK_FALSE(decode_multipart_progress("cohub upload 2\n{}\n"));
}

TEST_CASE("the next process finds what this one left, and nobody else sees it") {
  test::temporary_folder folder;
  const upload_journal journal(folder.path() / "state");
  {
    const auto first = journal.open_parts("key");
    REQUIRE(first);
    CHECK_FALSE(first->found());
    first->begin(progress_of_two());
    first->add(1, "\"e\"");
    CHECK_FALSE(journal.open_parts("key"));  // it is at work
    CHECK(journal.open_parts("another"));
  }
  const auto next = journal.open_parts("key");
  REQUIRE(next);
  REQUIRE(next->found());
  CHECK(next->found()->etags[1] == "\"e\"");
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder.path() / "state")) {
    if (!entry.is_regular_file()) continue;
    struct stat status {};
    REQUIRE(::stat(entry.path().c_str(), &status) == 0);
    CHECK((status.st_mode & 0777) == 0600);
  }
  next->discard();
  CHECK_FALSE(journal.open_parts("key")->found());
}

TEST_CASE("a journal that says the same is left alone, another takes its place at once") {
  test::temporary_folder folder;
  const upload_journal journal(folder.path() / "state");
  {
    const auto first = journal.open_parts("key");
    first->begin(progress_of_two());
    first->add(1, "\"e\"");
    first->add(0, "\"d\"");
  }
  const auto path = std::filesystem::directory_iterator(folder.path() / "state" / "parts")->path();
  // Another name for the file shows what a kill in between would leave.
  const auto old = folder.path() / "old";
  std::filesystem::create_hard_link(path, old);
  const auto before = test::read_all(path);
  const auto next = journal.open_parts("key");
  REQUIRE(next->found());
  auto progress = *next->found();
  SUBCASE("the same") {
    next->begin(progress);
    CHECK(std::filesystem::equivalent(path, old));
    CHECK(test::read_all(path) == before);
  }
  SUBCASE("other addresses") {
    progress.plan.completion_url = "https://s/later";
    next->begin(progress);
    CHECK(test::read_all(old) == before);
    CHECK(decode_multipart_progress(test::read_all(path))->plan.completion_url ==
          "https://s/later");
    CHECK_FALSE(journal.open_parts("key"));  // it is still this process's
    next->add(0, "\"f\"");
    CHECK(decode_multipart_progress(test::read_all(path))->etags[0] == "\"f\"");
  }
  std::size_t files = 0;
  for (const auto& entry : std::filesystem::directory_iterator(folder.path() / "state" / "parts")) {
    (void)entry;
    ++files;
  }
  CHECK(files == 1);
}

TEST_CASE("a line that a crash has cut off is not written on") {
  test::temporary_folder folder;
  const upload_journal journal(folder.path() / "state");
  {
    const auto first = journal.open_parts("key");
    first->begin(progress_of_two());
    first->add(0, "\"e\"");
  }
  const auto path = std::filesystem::directory_iterator(folder.path() / "state" / "parts")->path();
  std::filesystem::resize_file(path, std::filesystem::file_size(path) - 2);
  {
    const auto next = journal.open_parts("key");
    REQUIRE(next->found());
    next->begin(*next->found());
    next->add(1, "\"g\"");
  }
  const auto last = journal.open_parts("key");
  REQUIRE(last->found());
  CHECK(last->found()->etags == std::vector<std::string>{"", "\"g\""});
}

TEST_CASE("what is left of an object that is there is removed, unless somebody uses it") {
  test::temporary_folder folder;
  const upload_journal journal(folder.path() / "state");
  journal.discard_parts("key");
  CHECK_FALSE(std::filesystem::exists(folder.path() / "state"));
  {
    const auto first = journal.open_parts("key");
    first->begin(progress_of_two());
    journal.discard_parts("key");
    CHECK_FALSE(std::filesystem::is_empty(folder.path() / "state" / "parts"));
  }
  journal.discard_parts("key");
  CHECK(std::filesystem::is_empty(folder.path() / "state" / "parts"));
}

TEST_CASE("a hash is kept for as long as the file is as it was") {
  test::temporary_folder folder;
  const upload_journal journal(folder.path() / "state");
  const auto path = folder.path() / "file";
  test::write_all(path, "content");
  const auto file = io::identify_file(path);
  CHECK_FALSE(journal.find_hash(file));
  journal.keep_hash(file, std::string(64, 'a'));
  CHECK(journal.find_hash(file) == std::string(64, 'a'));
  CHECK(journal.find_hash(io::identify_file(path)) == std::string(64, 'a'));
  test::write_all(path, "changed");  // the same size
  CHECK_FALSE(journal.find_hash(io::identify_file(path)));
}

TEST_CASE("what nobody came back to for long is removed, unless somebody uses it") {
  test::temporary_folder folder;
  const auto state = folder.path() / "state";
  std::vector<std::filesystem::path> old;
  for (const char* name : {"hashes", "parts", "folders", "spool"}) {
    std::filesystem::create_directories(state / name);
    for (const char* file : {"old", "used", "new"}) test::write_all(state / name / file, "x");
    for (const char* file : {"old", "used"})
      std::filesystem::last_write_time(
          state / name / file,
          std::filesystem::file_time_type::clock::now() - std::chrono::hours(24 * 400));
  }
  io::file used(state / "folders" / "used", io::file::mode::read_write);
  REQUIRE(used.try_lock());
  const upload_journal journal(state);
  const auto spool = journal.make_spool();
  CHECK(spool.is_open());
  for (const char* name : {"hashes", "parts", "folders", "spool"}) {
    CAPTURE(name);
    CHECK_FALSE(std::filesystem::exists(state / name / "old"));
    CHECK(std::filesystem::exists(state / name / "new"));
    CHECK(std::filesystem::exists(state / name / "used") == (std::string(name) == "folders"));
  }
  const auto left = std::distance(std::filesystem::directory_iterator(state / "spool"), {});
  CHECK(left == 1);  // what is spooled has no name
}

TEST_CASE("a folder that cannot be written to is no obstacle") {
  test::temporary_folder folder;
  test::write_all(folder.path() / "file", "");
  const upload_journal journal(folder.path() / "file" / "below");
  CHECK_FALSE(journal.open_parts("key"));
  const auto file = io::identify_file(folder.path() / "file");
  journal.keep_hash(file, std::string(64, 'a'));
  CHECK_FALSE(journal.find_hash(file));
}

TEST_CASE("a folder of the user's own stays as open as it was") {
  test::temporary_folder folder;
  const auto mode_of = [](const std::filesystem::path& path) {
    return std::filesystem::status(path).permissions() & std::filesystem::perms::all;
  };
  const auto open = std::filesystem::perms::owner_all | std::filesystem::perms::group_all;
  std::filesystem::permissions(folder.path(), open);
  const upload_journal journal(folder.path());
  CHECK(journal.open_parts("key"));
  CHECK(mode_of(folder.path()) == open);
  CHECK(mode_of(folder.path() / "parts") == std::filesystem::perms::owner_all);
}
