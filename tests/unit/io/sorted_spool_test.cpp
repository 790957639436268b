#include "io/sorted_spool.hpp"

#include "cohub/error.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

using namespace cohub;

namespace {

using pairs = std::vector<std::pair<std::string, std::string>>;

pairs content_of(io::sorted_spool& spool) {
  pairs seen;
  spool.for_each([&](std::string_view key, std::string_view value) {
    seen.emplace_back(std::string(key), std::string(value));
  });
  return seen;
}

std::size_t entries_in(const std::filesystem::path& folder) {
  const std::filesystem::directory_iterator all(folder);
  return static_cast<std::size_t>(std::distance(begin(all), end(all)));
}

}  // namespace

TEST_CASE("pairs come back by key, whether they fit into memory or not") {
  const io::temporary_directory folder;
  pairs all;
  for (int i = 0; i < 1000; ++i) {
    const auto number = static_cast<std::size_t>(i);
    all.emplace_back("key " + std::to_string(i * 7919 % 1000), std::string(number % 300, 'v'));
  }
  all.emplace_back("", "");
  all.emplace_back(std::string("nul\0in it", 9), "\xff");
  all.emplace_back("large", std::string(100'000, 'x'));
  auto sorted = all;
  std::stable_sort(sorted.begin(), sorted.end(),
                   [](const auto& a, const auto& b) { return a.first < b.first; });
  for (const std::size_t memory : {std::size_t{1}, std::size_t{3000}, std::size_t{1} << 30}) {
    CAPTURE(memory);
    io::sorted_spool spool(folder.path(), memory);
    CHECK(spool.empty());
    for (const auto& [key, value] : all) spool.add(key, value);
    CHECK_FALSE(spool.empty());
    CHECK(content_of(spool) == sorted);
    CHECK(content_of(spool) == sorted);
    CHECK(entries_in(folder.path()) == 0);
  }
}

TEST_CASE("pairs of one key keep their order, across runs too") {
  const io::temporary_directory folder;
  for (const std::size_t memory : {std::size_t{100}, std::size_t{1} << 20}) {
    io::sorted_spool spool(folder.path(), memory);
    pairs expected;
    for (int i = 0; i < 50; ++i) {
      spool.add("same", std::to_string(i));
      expected.emplace_back("same", std::to_string(i));
    }
    CHECK(content_of(spool) == expected);
  }
}

TEST_CASE("where no file can be made, what is too much is an error") {
  const io::temporary_directory folder;
  io::sorted_spool spool(folder.path() / "missing", 1000);
  spool.add("a", "b");
  CHECK(content_of(spool).size() == 1);
  CHECK_THROWS_AS(spool.add("c", std::string(2000, 'd')), const error&);
}
