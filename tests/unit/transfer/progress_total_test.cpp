#include "transfer/progress_total.hpp"

#include "transfer/shared_observer.hpp"

#include <doctest/doctest.h>

#include <vector>

using namespace cohub;
using transfer::observer_totals;

namespace {

struct listener final : observer {
  void on_total(const transfer_total& total) override { totals.push_back(total); }
  void on_progress(const transfer_progress& progress) override { last = progress; }
  std::vector<transfer_total> totals;
  transfer_progress last;
};

struct fixture {
  std::shared_ptr<listener> heard = std::make_shared<listener>();
  observer_totals totals;

  transfer::transfer_listener as(const std::string& file) {
    transfer::transfer_listener who;
    who.observer = heard;
    who.total = totals.of(heard);
    who.file = file;
    return who;
  }
  static void move(transfer::shared_observer& file, std::uint64_t done, std::uint64_t size) {
    transfer_progress progress;
    progress.bytes_done = done;
    progress.bytes_total = size;
    file.on_progress(progress);
  }
  static void finish(transfer::shared_observer& file) {
    transfer_event event;
    event.what = transfer_event::kind::finished;
    file.on_event(event);
  }
};

}  // namespace

TEST_CASE_FIXTURE(fixture, "the total counts the files of one observer together") {
  transfer::shared_observer a;
  transfer::shared_observer b;
  a.add(as("a"));
  b.add(as("b"));
  const auto total = totals.of(heard);
  move(a, 10, 100);
  move(b, 20, 50);
  CHECK(total->now().files_total == 2);
  CHECK(total->now().bytes_total == 150);
  CHECK(total->now().bytes_done == 30);
  move(b, 5, 50);  // a range has to move again
  CHECK(total->now().bytes_done == 15);
  move(a, 100, 100);
  finish(a);
  finish(a);
  CHECK(total->now().files_done == 1);
  CHECK(total->now().bytes_done == 105);
  b.remove(as("b"));  // cancelled
  CHECK(total->now().files_total == 1);
  CHECK(total->now().bytes_total == 100);
  CHECK(total->now().bytes_done == 100);
}

TEST_CASE_FIXTURE(fixture, "a file that several wait for counts once for each observer") {
  const auto other = std::make_shared<listener>();
  transfer::transfer_listener second;
  second.observer = other;
  second.total = totals.of(other);
  second.file = "b";
  transfer::shared_observer file;
  file.add(as("a"));
  file.add(as("a"));
  file.add(second);
  move(file, 10, 10);
  CHECK(heard->last.file == "a");
  CHECK(other->last.file == "b");
  CHECK(totals.of(heard)->now().bytes_done == 10);
  CHECK(totals.of(other)->now().bytes_done == 10);
  CHECK(totals.of(heard)->now().files_total == 1);
}

TEST_CASE_FIXTURE(fixture, "announced files are counted before they begin, and not twice") {
  const auto total = totals.of(heard);
  total->announce(3, 300);
  total->skip(1, 100);
  transfer::shared_observer file;
  file.add(as("a"));
  move(file, 60, 100);
  CHECK(total->now().files_total == 3);
  CHECK(total->now().bytes_total == 300);
  CHECK(total->now().files_done == 1);
  CHECK(total->now().bytes_done == 160);
}

TEST_CASE_FIXTURE(fixture, "it is told at a bounded rate, and at the end") {
  {
    const auto total = totals.of(heard);
    transfer::shared_observer file;
    file.add(as("a"));
    for (std::uint64_t i = 1; i <= 10'000; ++i) move(file, i, 10'000);
    finish(file);
    CHECK(heard->totals.size() < 100);  // ten a second: this takes no ten seconds
  }
  REQUIRE_FALSE(heard->totals.empty());
  CHECK(heard->totals.back().files_done == 1);
  CHECK(heard->totals.back().files_total == 1);
  CHECK(heard->totals.back().bytes_done == 10'000);
}

TEST_CASE_FIXTURE(fixture, "when nothing is left of it, a total begins anew") {
  totals.of(heard)->announce(5, 5);
  CHECK(totals.of(heard)->now().files_total == 0);
  CHECK(totals.of(nullptr) == nullptr);
}

TEST_CASE_FIXTURE(fixture, "an empty file counts though nothing moves") {
  const auto total = totals.of(heard);
  transfer::shared_observer file;
  file.add(as("a"));
  finish(file);
  CHECK(total->now().files_total == 1);
  CHECK(total->now().files_done == 1);
}
