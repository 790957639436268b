#include "cohub/error.hpp"

#include "core/digest.hpp"
#include "io/file.hpp"
#include "server/store/hub_store.hpp"
#include "server/wire/peer_places.hpp"

#include <boost/asio/ip/address.hpp>
#include <doctest/doctest.h>

#include <algorithm>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace server = cohub::server;

namespace {

struct store_fixture {
  store_fixture() { reopen(); }
  void reopen() {
    store.reset();
    cohub::local_hub_config config;
    config.root = folder.path() / "root";
    store = std::make_unique<server::hub_store>(config);
  }
  cohub::io::temporary_directory folder{};
  std::unique_ptr<server::hub_store> store{};
};

bool store_object(const server::object_store& objects, const std::string& content,
                  const std::string& sha256) {
  server::incoming_object object(objects);
  object.write(std::as_bytes(std::span(content)));
  return object.store_as(sha256, content.size());
}

}  // namespace

TEST_CASE_FIXTURE(store_fixture,
                  "tokens, organisations, repositories and signatures survive a restart") {
  const auto token = store->tokens.create("alice", "write").token;
  store->tokens.set_organization("team", {"alice"});
  server::repo_record record;
  record.id = "alice/m";
  record.is_private = true;
  CHECK(store->repos.create(record));
  server::content_grant grant;
  grant.method = "GET";
  grant.sha256 = std::string(64, 'a');
  grant.expires = 10;
  const std::string target = store->signer.sign(grant);
  reopen();
  const auto who = store->tokens.find(token);
  REQUIRE(who);
  CHECK(who->name == "alice");
  CHECK(who->may_write());
  CHECK(who->owns("team"));
  CHECK_FALSE(who->owns("bob"));
  CHECK_FALSE(store->tokens.find("hf_other"));
  CHECK_FALSE(store->tokens.find(""));
  const auto found = store->repos.find(cohub::repo_type::model, "alice/m");
  REQUIRE(found);
  CHECK(found->is_private);
  CHECK_FALSE(store->repos.find(cohub::repo_type::dataset, "alice/m"));
  CHECK(store->signer.verify(target, 5));
}

TEST_CASE_FIXTURE(store_fixture, "what cannot be looked at may hold any object") {
  server::repo_record record;
  record.id = "alice/m";
  REQUIRE(store->repos.create(record));
  const std::string held(64, 'a');
  const std::string other(64, 'b');
  REQUIRE(store->repos.add_object(cohub::repo_type::model, "alice/m", held));
  CHECK(store->repos.unheld({held, other}) == std::vector<std::string>{other});
  const auto objects = folder.path() / "root/repositories/models/alice/m.git/cohub-objects";
  std::filesystem::rename(objects, folder.path() / "kept");
  std::filesystem::create_symlink(objects, objects);  // leads to itself
  std::vector<std::string> many(100, other);
  for (std::size_t i = 0; i < many.size(); ++i) many[i][i % 64] = static_cast<char>('0' + i / 64);
  CHECK_THROWS_AS(store->remove_unheld({held}), const cohub::error&);
  CHECK_THROWS_AS(store->remove_unheld(many), const cohub::error&);
  CHECK_THROWS_AS(store->repos.objects_of(cohub::repo_type::model, "alice/m"), const cohub::error&);
}

TEST_CASE_FIXTURE(store_fixture, "a repository that is not there cannot be changed") {
  CHECK_FALSE(store->repos.add_object(cohub::repo_type::model, "alice/none", std::string(64, 'a')));
  CHECK_FALSE(
      store->repos.update(cohub::repo_type::model, "alice/none", [](server::repo_record&) {}));
}

TEST_CASE_FIXTURE(store_fixture, "secrets can be read by their owner alone") {
  store->tokens.create("alice", "read");
  for (const char* name : {"tokens.json", "secret"})
    CHECK((std::filesystem::status(folder.path() / "root" / name).permissions() &
           std::filesystem::perms(077)) == std::filesystem::perms::none);
}

TEST_CASE_FIXTURE(store_fixture, "a root belongs to one Hub at a time") {
  cohub::local_hub_config config;
  config.root = folder.path() / "root";
  CHECK_THROWS_AS(server::hub_store second(config), cohub::error);
}

TEST_CASE_FIXTURE(store_fixture, "what a crash left half-written is gone after a restart") {
  cohub::io::write_file_atomically(store->temporary / "object-0123", "half");
  cohub::io::create_directories(store->temporary / "repository-0123" / "objects");
  reopen();
  CHECK(std::filesystem::is_empty(store->temporary));
}

TEST_CASE_FIXTURE(store_fixture, "so is the pack of a commit that was cut off") {
  server::repo_record record;
  record.id = "alice/m";
  CHECK(store->repos.create(record));
  const auto packs = store->repos.path_of(cohub::repo_type::model, "alice/m") / "objects" / "pack";
  cohub::io::create_directories(packs);
  cohub::io::write_file_atomically(packs / "tmp_pack_0123", "half");
  reopen();
  CHECK(std::filesystem::is_empty(packs));
}

TEST_CASE_FIXTURE(store_fixture, "an object is stored under its own sha256 and no other") {
  const std::string content = "some content";
  const std::string sha256 = cohub::core::sha256_hex(content);
  const std::string other = cohub::core::sha256_hex("other");
  CHECK_FALSE(store_object(store->objects, content, other));
  CHECK_FALSE(store->objects.size_of(other));
  CHECK(std::filesystem::is_empty(store->temporary));
  CHECK(store_object(store->objects, content, sha256));
  CHECK(store->objects.size_of(sha256) == content.size());
  CHECK(cohub::io::read_file(store->objects.path_of(sha256), 100) == content);
  CHECK(store->objects.path_of(sha256).parent_path().filename() == sha256.substr(2, 2));
  CHECK(std::filesystem::is_empty(store->temporary));
}

TEST_CASE_FIXTURE(store_fixture, "a repository is made once and removed with all in it") {
  server::repo_record record;
  record.id = "alice/m";
  CHECK(store->repos.create(record));
  CHECK_FALSE(store->repos.create(record));
  const auto gone = store->repos.take_away(cohub::repo_type::model, "alice/m");
  REQUIRE(gone);
  CHECK(std::filesystem::exists(*gone / "HEAD"));
  CHECK_FALSE(store->repos.take_away(cohub::repo_type::model, "alice/m"));
  CHECK_FALSE(std::filesystem::exists(store->repos.path_of(cohub::repo_type::model, "alice/m")));
  reopen();
  CHECK(std::filesystem::is_empty(store->temporary));
}

TEST_CASE("only plain ids name repositories") {
  using server::repo_store;
  CHECK(repo_store::is_valid_id("alice/m.v1_x-2"));
  for (const char* wrong : {"", "m", "a/b/c", "../m", "a/..", "a/.git", "a/b.git", ".a/b", "a b/c",
                            "a/\xc3\xa9", "/a", "a/", "a--b/c", "a/b\n"})
    CHECK_FALSE(repo_store::is_valid_id(wrong));
}

TEST_CASE_FIXTURE(store_fixture, "owners and roles that cannot be are refused") {
  CHECK_THROWS_AS(store->tokens.create("a/b", "write"), cohub::error);
  CHECK_THROWS_AS(store->tokens.create("", "write"), cohub::error);
  CHECK_THROWS_AS(store->tokens.create("..", "write"), cohub::error);
  CHECK_THROWS_AS(store->tokens.create("alice", "king"), cohub::error);
  CHECK_THROWS_AS(store->tokens.create("models", "write"), cohub::error);
  CHECK_THROWS_AS(store->tokens.set_organization("api", {"alice"}), cohub::error);
  CHECK_THROWS_AS(store->tokens.add_member("spaces", "alice"), cohub::error);
}

TEST_CASE_FIXTURE(store_fixture, "organisations gain members one by one") {
  const auto alice = store->tokens.create("alice", "write").token;
  const auto bob = store->tokens.create("bob", "write").token;
  store->tokens.add_member("team", "alice");
  store->tokens.add_member("team", "bob");
  store->tokens.add_member("team", "bob");
  reopen();
  CHECK(store->tokens.find(alice)->organizations == std::vector<std::string>{"team"});
  CHECK(store->tokens.find(bob)->organizations == std::vector<std::string>{"team"});
}

TEST_CASE_FIXTURE(store_fixture,
                  "a repository has the large objects that came in through it, and no others") {
  auto& repos = store->repos;
  server::repo_record record;
  record.id = "alice/m";
  REQUIRE(repos.create(record));
  const std::string sha256(64, 'a');
  const auto model = cohub::repo_type::model;
  CHECK_FALSE(repos.has_object(model, "alice/m", sha256));
  CHECK(repos.add_object(model, "alice/m", sha256));
  CHECK(repos.add_object(model, "alice/m", sha256));
  CHECK(repos.has_object(model, "alice/m", sha256));
  CHECK_FALSE(repos.add_object(model, "alice/none", sha256));
  CHECK_FALSE(repos.add_object(model, "../m", sha256));
  CHECK(repos.move(model, "alice/m", "alice/n"));
  CHECK(repos.has_object(model, "alice/n", sha256));
  CHECK_FALSE(repos.has_object(model, "alice/n", std::string(64, 'b')));
  // One that has moved away meanwhile has nothing: else its owner could have what others hold.
  CHECK_FALSE(repos.has_object(model, "alice/m", sha256));
  CHECK_FALSE(repos.has_object(model, "alice/m", std::string(64, 'b')));
}

TEST_CASE_FIXTURE(store_fixture, "objects go when no repository has them") {
  auto& repos = store->repos;
  const auto model = cohub::repo_type::model;
  for (const char* id : {"alice/a", "alice/b"}) {
    server::repo_record record;
    record.id = id;
    REQUIRE(repos.create(record));
  }
  // Few are asked for one by one, many are not.
  for (const std::size_t count : {4u, 100u}) {
    CAPTURE(count);
    std::vector<std::string> sha256s;
    for (std::size_t i = 0; i < count; ++i)
      sha256s.push_back(cohub::core::sha256_hex(std::to_string(count + i)));
    CHECK(repos.unheld(sha256s).size() == count);
    CHECK(repos.add_object(model, "alice/a", sha256s[0]));
    CHECK(repos.add_object(model, "alice/b", sha256s[1]));
    const auto left = repos.unheld(sha256s);
    CHECK(left.size() == count - 2);
    for (const auto& held : {sha256s[0], sha256s[1]})
      CHECK(std::find(left.begin(), left.end(), held) == left.end());
  }
}

TEST_CASE_FIXTURE(store_fixture, "no two repositories differ in the case of letters alone") {
  auto& repos = store->repos;
  const auto model = cohub::repo_type::model;
  server::repo_record record;
  record.id = "alice/m";
  REQUIRE(repos.create(record));
  record.id = "Alice/M";
  CHECK_FALSE(repos.create(record));
  CHECK_FALSE(repos.copy(model, "alice/m", record));
  CHECK(repos.spelling_of(model, "ALICE/M") == "alice/m");
  CHECK_FALSE(repos.spelling_of(model, "alice/mm"));
  CHECK(repos.moved_to(model, "Alice/m") == std::vector<std::string>{"alice/m"});
  record.id = "alice/other";
  REQUIRE(repos.create(record));
  CHECK_FALSE(repos.move(model, "alice/other", "alice/M"));
  CHECK(repos.move(model, "alice/m", "alice/M"));
  CHECK(repos.moved_to(model, "alice/m") == std::vector<std::string>{"alice/M"});
}

TEST_CASE("one address does not take the places of all") {
  server::peer_places places(2);
  const auto far = boost::asio::ip::make_address("192.0.2.1");
  CHECK(places.enter(far));
  CHECK(places.enter(far));
  CHECK_FALSE(places.enter(far));
  CHECK(places.enter(boost::asio::ip::make_address("2001:db8::1")));
  places.leave(far);
  CHECK(places.enter(far));
  // A proxy on this machine speaks for everybody.
  for (const char* here : {"127.0.0.1", "::1", "::ffff:127.0.0.1"})
    for (int i = 0; i < 5; ++i) CHECK(places.enter(boost::asio::ip::make_address(here)));
}
