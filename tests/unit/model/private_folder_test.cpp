#include "model/private_folder.hpp"

#include "support/temporary_folder.hpp"

#include <doctest/doctest.h>

#include <atomic>
#include <exception>
#include <optional>
#include <string>
#include <thread>
#include <vector>

namespace fs = std::filesystem;
using cohub::model::private_folder;

TEST_CASE("what a kill left goes with the next save, and what is in use stays") {
  const cohub::test::temporary_folder folder;
  const auto part = folder.path() / ".cache" / "huggingface";
  cohub::test::write_all(part / "cohub-killed" / "model.safetensors", "half of it");
  cohub::test::write_all(part / "download" / "other.metadata", "other");
  std::optional<private_folder> first(folder.path());
  CHECK_FALSE(fs::exists(part / "cohub-killed"));
  cohub::test::write_all(first->path() / "model.safetensors", "in use");
  std::optional<private_folder> second(folder.path());
  CHECK(fs::exists(first->path() / "model.safetensors"));
  first.reset();
  second.reset();
  CHECK(fs::exists(part / "download" / "other.metadata"));
  CHECK(std::distance(fs::directory_iterator(part), fs::directory_iterator()) == 1);
}

TEST_CASE("nothing stays of a folder that was never there before") {
  const cohub::test::temporary_folder folder;
  std::optional<private_folder> only(folder.path() / "new");
  only.reset();
  CHECK(fs::is_empty(folder.path() / "new"));
}

TEST_CASE("savers that come and go leave each other alone") {
  const cohub::test::temporary_folder folder;
  std::atomic<int> disturbed = 0;
  std::vector<std::string> reasons(4);
  std::vector<std::thread> savers;
  for (auto& reason : reasons)
    savers.emplace_back([&] {
      try {
        for (int round = 0; round < 400; ++round) {
          const private_folder own(folder.path());
          cohub::test::write_all(own.path() / "w", "w");
          if (!fs::exists(own.path() / "w")) ++disturbed;
        }
      } catch (const std::exception& failure) {
        reason = failure.what();
      }
    });
  for (auto& saver : savers) saver.join();
  CHECK(reasons == std::vector<std::string>(4));
  CHECK(disturbed == 0);
  CHECK(fs::is_empty(folder.path()));
}
