#include "support/client_fixture.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cstring>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

using namespace cohub;

// What a Hub answers to the question which large files it has.

namespace {

class text_source final : public upload_source {
 public:
  explicit text_source(std::string text) : text_(std::move(text)) {}
  awaitable<std::size_t> read(std::span<std::byte> buffer) override {
    const std::size_t count = std::min(buffer.size(), text_.size() - given_);
    std::memcpy(buffer.data(), text_.data() + given_, count);
    given_ += count;
    co_return count;
  }

 private:
  std::string text_;
  std::size_t given_ = 0;
};

/// Two large files, and what the Hub calls them.
struct pair_fixture : test::client_fixture {
  pair_fixture() {
    run(api->create_repo("alice/m"));
    for (int i = 0; i < 2; ++i) {
      contents[i] = std::string(1, static_cast<char>('a' + i)) + test::noise(30'000);
      put_file("alice/other", std::to_string(i) + ".bin", contents[i]);
      const auto entries = run(api->get_paths_info("alice/other", {std::to_string(i) + ".bin"}));
      oids[i] = entries.at(0).lfs->sha256;
    }
    hub->clear_requests();
  }
  /// From sources, whose hashes are known when they have been read: the Hub is asked for both in
  /// one request.
  awaitable<commit_info> commit() {
    std::vector<commit_operation> operations;
    for (int i = 0; i < 2; ++i) {
      commit_operation_add add;
      add.path_in_repo = std::to_string(i) + ".bin";
      add.content = std::make_shared<text_source>(contents[i]);
      operations.emplace_back(std::move(add));
    }
    return api->create_commit("alice/m", std::move(operations), "two");
  }
  std::string object(int i, const std::string& more) const {
    return R"({"oid":")" + oids[i] + R"(","size":30001)" + more + "}";
  }
  error answered(const std::string& objects) {
    hub_fault said;
    said.path_part = "/objects/batch";
    said.body = R"({"transfer":"basic","objects":[)" + objects + "]}";
    hub->inject(said);
    return failure_of(commit());
  }
  std::string contents[2];
  std::string oids[2];
};

std::string refusal(int code, const std::string& why) {
  return R"(,"error":{"code":)" + std::to_string(code) + R"(,"message":")" + why + R"("})";
}

}  // namespace

TEST_CASE_FIXTURE(pair_fixture, "an object that the Hub refuses is the error that its code is") {
  for (const auto& [code, meaning] :
       std::vector<std::pair<int, errc>>{{401, errc::unauthorized},
                                         {403, errc::forbidden},
                                         {404, errc::unexpected_status},
                                         {422, errc::bad_request},
                                         {429, errc::rate_limited},
                                         {500, errc::server_failure},
                                         {507, errc::server_failure}}) {
    CAPTURE(code);
    hub->clear_faults();
    const auto failure =
        answered(object(0, refusal(code, "not this")) + "," + object(1, refusal(code, "nor that")));
    CHECK(failure.code() == meaning);
    CHECK(failure.http().status == code);
    CHECK(failure.http().server_message == "not this\nnor that");
  }
  CHECK(hub->count_requests("/commit/") == 0);
}

TEST_CASE_FIXTURE(pair_fixture, "a Hub that forgets objects in its answer is told so") {
  CHECK(answered({}).code() == errc::invalid_response);
  const auto failure = answered(object(0, {}));
  CHECK(failure.code() == errc::invalid_response);
  CHECK(std::string(failure.what()).find("1.bin") != std::string::npos);
  CHECK(hub->count_requests("", "PUT") == 0);
  run(commit());
  CHECK(test::read_all(run(api->download_file("alice/m", "1.bin"))) == contents[1]);
}

TEST_CASE_FIXTURE(pair_fixture,
                  "an answer that is too long for all objects is asked for by halves") {
  hub_fault endless;
  endless.path_part = "/objects/batch";
  SUBCASE("once") {
    endless.body = std::string((64u << 20) + 1, ' ');
    hub->inject(endless);
    run(commit());
    for (int i = 0; i < 2; ++i) {
      const auto name = std::to_string(i) + ".bin";
      CHECK(test::read_all(run(api->download_file("alice/m", name))) == contents[i]);
    }
    CHECK(hub->count_requests("/objects/batch") == 3);
  }
  SUBCASE("for each one, too") {
    endless.body = "not JSON";
    endless.times = 0;
    hub->inject(endless);
    CHECK(failure_of(commit()).code() == errc::invalid_response);
    CHECK(hub->count_requests("/objects/batch") == 2);
  }
}
