#include "core/digest.hpp"
#include "hub/multipart_plan.hpp"
#include "hub_caller.hpp"
#include "io/file.hpp"
#include "server/failure.hpp"
#include "server/store/multipart_store.hpp"
#include "server/store/object_store.hpp"

#include <doctest/doctest.h>

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <limits>
#include <span>
#include <string>
#include <vector>

using namespace cohub;
using http::method;

namespace {

local_hub_config in_parts() {
  local_hub_config config;
  config.part_size = 10;
  return config;
}

struct multipart_fixture : test::hub_caller {
  multipart_fixture() : test::hub_caller(in_parts()) {
    send(method::post, "/api/repos/create", token, R"({"name":"m"})");
  }

  hub::multipart_plan begin() {
    const auto reply =
        send(method::post, "/alice/m.git/info/lfs/objects/batch", token,
             hub::write_lfs_batch_request({{oid, content.size()}}, "main", {"basic", "multipart"}));
    REQUIRE(reply.status == 200);
    const auto batch = hub::read_lfs_batch_reply(reply.body).value();
    CHECK(batch.transfer == "multipart");
    return hub::read_multipart_plan(*batch.objects.at(0).upload, content.size()).value().value();
  }
  test::answer put(const std::string& url, std::string bytes) {
    return send(method::put, url, "", std::move(bytes));
  }
  std::vector<std::string> put_all(const hub::multipart_plan& plan) {
    std::vector<std::string> etags;
    for (std::size_t i = 0; i < plan.part_urls.size(); ++i)
      etags.push_back(put(plan.part_urls[i], content.substr(i * 10, 10)).header("ETag"));
    return etags;
  }
  int complete(const hub::multipart_plan& plan, const std::vector<std::string>& etags) {
    return send(method::post, plan.completion_url, "", hub::write_multipart_completion(oid, etags))
        .status;
  }
  bool is_there() {
    const auto body = "{\"oid\":\"" + oid + "\",\"size\":" + std::to_string(content.size()) + "}";
    return send(method::post, "/alice/m.git/info/lfs/verify", token, body).status == 200;
  }

  std::string content = "0123456789abcdefghijXYZ";
  std::string oid = core::sha256_hex(content);
};

}  // namespace

TEST_CASE_FIXTURE(multipart_fixture, "an object is made of its parts, also after a restart") {
  const auto plan = begin();
  REQUIRE(plan.part_urls.size() == 3);
  const auto etags = put_all(plan);
  CHECK(etags[0] != etags[1]);
  CHECK_FALSE(is_there());
  CHECK(complete(plan, etags) == 200);
  CHECK(is_there());
  CHECK(complete(plan, etags) == 200);  // the answer may have been lost
}

TEST_CASE_FIXTURE(multipart_fixture,
                  "a completion that is wrong makes nothing, and may be repeated") {
  const auto plan = begin();
  const auto etags = put_all(plan);
  CHECK(complete(plan, {etags[0], etags[1]}) == 400);
  CHECK(complete(plan, {etags[1], etags[0], etags[2]}) == 400);
  CHECK(complete(plan, {etags[0], etags[1], "\"x\""}) == 400);
  CHECK(send(method::post, plan.completion_url, "", "{}").status == 400);
  CHECK(send(method::post, plan.completion_url, "", "no json").status == 400);
  CHECK_FALSE(is_there());
  CHECK(complete(plan, etags) == 200);
  CHECK(is_there());
}

TEST_CASE_FIXTURE(multipart_fixture, "parts of other bytes are not that object") {
  const auto plan = begin();
  auto etags = put_all(plan);
  const auto replaced = put(plan.part_urls[1], "ABCDEFGHIJ");
  CHECK(replaced.status == 200);
  CHECK(complete(plan, etags) == 400);  // the old part is gone
  etags[1] = replaced.header("ETag");
  CHECK(complete(plan, etags) == 400);  // and the new one is wrong
  CHECK_FALSE(is_there());
  CHECK(std::filesystem::is_empty(config.root / "uploads"));
  const auto again = begin();
  CHECK(complete(again, put_all(again)) == 200);
  CHECK(is_there());
}

TEST_CASE_FIXTURE(multipart_fixture, "a part has its size, and an upload its end") {
  const auto plan = begin();
  CHECK(put(plan.part_urls[0], "short").status == 400);
  CHECK(put(plan.part_urls[2], "too long for it").status == 400);
  CHECK(put(plan.part_urls[0] + "0", "0123456789").status == 403);
  CHECK(complete(plan, put_all(plan)) == 200);
  const auto late = put(plan.part_urls[0], "0123456789");
  CHECK(late.status == 200);
  CHECK_FALSE(late.header("ETag").empty());
}

TEST_CASE_FIXTURE(multipart_fixture, "clients that know no parts send objects whole") {
  const auto reply = send(method::post, "/alice/m.git/info/lfs/objects/batch", token,
                          hub::write_lfs_batch_request({{oid, content.size()}}, "main", {"basic"}));
  const auto batch = hub::read_lfs_batch_reply(reply.body).value();
  CHECK(batch.transfer == "basic");
  CHECK(batch.objects.at(0).upload->header.empty());
}

TEST_CASE_FIXTURE(multipart_fixture, "objects are given to another repository by who may") {
  CHECK(complete(begin(), {}) == 400);
  const auto plan = begin();
  CHECK(complete(plan, put_all(plan)) == 200);
  send(method::post, "/api/repos/create", token, R"({"name":"to"})");
  const std::string body = R"({"target":{"type":"model","name":"alice/to"},"files":[{"sha256":")" +
                           oid + R"(","filename":"a"},{"sha256":")" + std::string(64, 'f') +
                           R"(","filename":"b"}]})";
  const std::string target = "/api/models/alice/m/lfs-files/duplicate";
  CHECK(send(method::post, target, other, body).status == 403);
  const auto done = send(method::post, target, token, body);
  CHECK(done.status == 200);
  const auto failed = done.json().at("failed").as_array();
  REQUIRE(failed.size() == 1);
  CHECK(test::text_at(failed[0], "/filename") == "b");
  CHECK_FALSE(test::text_at(failed[0], "/error").empty());
  const auto verify = "{\"oid\":\"" + oid + "\",\"size\":" + std::to_string(content.size()) + "}";
  CHECK(send(method::post, "/alice/to.git/info/lfs/verify", token, verify).status == 200);
}

TEST_CASE_FIXTURE(multipart_fixture, "who asks again goes on with the same upload") {
  const auto plan = begin();
  const auto first = put(plan.part_urls[0], content.substr(0, 10));
  hub->expire_urls();
  CHECK(put(plan.part_urls[1], content.substr(10, 10)).status == 403);
  const auto renewed = begin();
  CHECK(hub::upload_key(renewed) == hub::upload_key(plan));
  CHECK(renewed.part_urls[0] != plan.part_urls[0]);
  std::vector<std::string> etags{first.header("ETag")};
  for (std::size_t i = 1; i < 3; ++i)
    etags.push_back(put(renewed.part_urls[i], content.substr(i * 10, 10)).header("ETag"));
  const auto open = config.root / "uploads";
  CHECK(std::distance(std::filesystem::directory_iterator(open), {}) == 1);
  CHECK(complete(renewed, etags) == 200);
  CHECK(is_there());
  CHECK(std::filesystem::is_empty(open));
}

TEST_CASE_FIXTURE(multipart_fixture, "sizes that no object has are refused, and leave nothing") {
  const auto asked = [&](const std::vector<hub::lfs_object>& objects) {
    return send(method::post, "/alice/m.git/info/lfs/objects/batch", token,
                hub::write_lfs_batch_request(objects, "main", {"basic", "multipart"}));
  };
  const auto open = config.root / "uploads";
  const auto endless = asked({{oid, std::numeric_limits<std::uint64_t>::max()}});
  CHECK(endless.status == 200);
  CHECK(endless.json().at("objects").at(0).at("error").at("code").as_int64() == 422);
  CHECK(std::filesystem::is_empty(open));
  // Whether the file system takes it or not: no more than the limit of parts, and no half upload.
  const auto large = asked({{oid, 1ull << 53}});
  if (large.status == 200)
    CHECK(hub::read_lfs_batch_reply(large.body).value().objects.at(0).upload->header.size() <=
          10'001);
  else
    CHECK(std::filesystem::is_empty(open));
}

TEST_CASE_FIXTURE(multipart_fixture, "one request has a bounded number of parts") {
  std::vector<hub::lfs_object> objects;
  for (const char digit : {'a', 'b', 'c'}) objects.push_back({std::string(64, digit), 10 * 10'000});
  const auto asked = [&](std::ptrdiff_t count) {
    const std::vector<hub::lfs_object> some(objects.begin(), objects.begin() + count);
    return send(method::post, "/alice/m.git/info/lfs/objects/batch", token,
                hub::write_lfs_batch_request(some, "main", {"basic", "multipart"}))
        .status;
  };
  CHECK(asked(3) == 413);
  CHECK(asked(2) == 200);
}

TEST_CASE_FIXTURE(multipart_fixture, "uploads that nobody touched for a week are forgotten") {
  begin();
  const auto open = config.root / "uploads";
  const auto long_ago = std::filesystem::file_time_type::clock::now() - std::chrono::hours(24 * 8);
  for (const auto& entry : std::filesystem::directory_iterator(open))
    std::filesystem::last_write_time(entry.path(), long_ago);
  restart();
  content += "another";
  oid = core::sha256_hex(content);
  begin();
  CHECK(std::distance(std::filesystem::directory_iterator(open), {}) == 1);
}

TEST_CASE_FIXTURE(multipart_fixture, "objects are not given by way of a name that has moved") {
  const auto plan = begin();
  CHECK(complete(plan, put_all(plan)) == 200);
  send(method::post, "/api/repos/create", token, R"({"name":"to"})");
  send(method::post, "/api/repos/move", token,
       R"({"fromRepo":"alice/to","toRepo":"alice/there","type":"model"})");
  const auto refused = send(method::post, "/api/models/alice/m/lfs-files/duplicate", token,
                            R"({"target":{"type":"model","name":"alice/to"},"files":[]})");
  CHECK(refused.status == 404);
}

TEST_CASE_FIXTURE(multipart_fixture, "two clients of one user may bring the same object at once") {
  const auto one = begin();
  const auto two = begin();
  const auto etags = put_all(one);
  auto others = put_all(two);
  CHECK(others == etags);
  others.pop_back();
  CHECK(complete(one, etags) == 200);
  others.push_back(put(two.part_urls[2], content.substr(20)).header("ETag"));
  CHECK(complete(two, others) == 200);
  CHECK(is_there());
  CHECK(std::filesystem::is_empty(config.root / "uploads"));
}

TEST_CASE_FIXTURE(multipart_fixture, "nobody writes into the upload of another user") {
  const auto mine = begin();
  const auto reply =
      send(method::post, "/alice/m.git/info/lfs/objects/batch", other,
           hub::write_lfs_batch_request({{oid, content.size()}}, "", {"basic", "multipart"}));
  const auto batch = hub::read_lfs_batch_reply(reply.body).value();
  const auto theirs =
      hub::read_multipart_plan(*batch.objects.at(0).upload, content.size()).value().value();
  CHECK(hub::upload_key(theirs) != hub::upload_key(mine));
  const auto etags = put_all(mine);
  CHECK(put(theirs.part_urls[1], "ABCDEFGHIJ").status == 200);
  CHECK(complete(mine, etags) == 200);
  CHECK(is_there());
}

TEST_CASE("what comes while an upload is completed is taken, and changes nothing") {
  test::temporary_folder folder;
  const server::object_store objects(folder.path() / "objects", folder.path() / "tmp");
  server::multipart_store uploads(folder.path() / "uploads");
  const std::string text = "0123456789";
  const auto sha256 = core::sha256_hex(text);
  const auto bytes = std::as_bytes(std::span(text));
  const auto id = uploads.open("key", text.size());
  const auto part = uploads.receive(id, 1, 0);
  part->write(bytes);
  const auto etag = part->finish(text.size());
  const auto slow = uploads.receive(id, 1, 0);
  slow->write(bytes.first(4));
  using completion = server::multipart_store::completion;
  auto alone = completion::begin(uploads, id);
  REQUIRE(alone);
  CHECK(uploads.receive(id, 1, 0) == nullptr);
  CHECK(completion::begin(uploads, id) == nullptr);
  CHECK(uploads.open("key", text.size()) == id);
  alone->check({{1, etag}}, 1, sha256, text.size());
  alone->place(sha256, objects);
  const std::string others = "abcdef";
  slow->write(std::as_bytes(std::span(others)));
  CHECK_FALSE(slow->finish(text.size()).empty());
  alone.reset();
  CHECK(completion::begin(uploads, id) != nullptr);
  CHECK(io::read_file(objects.path_of(sha256), 100) == text);
  CHECK_THROWS_AS(uploads.receive(id, 1, 0), server::failure);
}

TEST_CASE_FIXTURE(multipart_fixture, "parts for a repository that has gone do not stay") {
  const auto plan = begin();
  const auto etags = put_all(plan);
  CHECK(send(method::delete_, "/api/repos/delete", token, R"({"name":"m"})").status == 200);
  CHECK(complete(plan, etags) == 404);
  for (const char* place : {"objects", "uploads"})
    for (const auto& each : std::filesystem::recursive_directory_iterator(config.root / place)) {
      CAPTURE(each.path());
      CHECK_FALSE(each.is_regular_file());
    }
}
