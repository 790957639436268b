#include "transfer/upload_total.hpp"

#include <doctest/doctest.h>

#include <vector>

using namespace cohub;
using namespace cohub::transfer;

namespace {

struct listener final : observer {
  void on_total(const transfer_total& total) override { totals.push_back(total); }
  std::vector<transfer_total> totals;
};

}  // namespace

TEST_CASE("uploads and downloads of one observer have totals of their own") {
  const auto heard = std::make_shared<listener>();
  observer_totals totals;
  const auto up = totals.of(heard, transfer_progress::direction::upload);
  const auto down = totals.of(heard);
  CHECK(up != down);
  CHECK(up == totals.of(heard, transfer_progress::direction::upload));
  CHECK(up->now().way == transfer_progress::direction::upload);
  CHECK(down->now().way == transfer_progress::direction::download);
}

TEST_CASE("what an upload did not do is taken back when it ends") {
  const auto heard = std::make_shared<listener>();
  const auto all = std::make_shared<progress_total>(heard, transfer_progress::direction::upload);
  upload_total other(all);
  other.announce(1, 10);
  {
    upload_total one(all);
    one.announce(3, 300);
    one.move(60);
    one.move(-10);
    one.finish(100, 40);
    one.move(5);
    const auto now = all->now();
    CHECK(now.files_total == 4);
    CHECK(now.bytes_total == 310);
    CHECK(now.files_done == 1);
    CHECK(now.bytes_done == 115);
  }
  const auto now = all->now();
  CHECK(now.files_total == 2);
  CHECK(now.files_done == 1);
  CHECK(now.bytes_total == 110);
  CHECK(now.bytes_done == 100);
  upload_total nobody(nullptr);
  nobody.announce(1, 1);
  nobody.finish(1, 1);
}
