#include "cohub/auth.hpp"

#include "support/client_fixture.hpp"

#include <doctest/doctest.h>

#include <sys/stat.h>

#include <cstdlib>
#include <string>
#include <thread>
#include <vector>

using namespace cohub;

namespace {

struct tokens_fixture : test::client_fixture {
  tokens_fixture() {
    ::setenv("HF_TOKEN_PATH", (home / "token").c_str(), 1);
    bob = hub->create_token("bob", "read").token;
  }
  ~tokens_fixture() { ::unsetenv("HF_TOKEN_PATH"); }
  std::string stored() { return test::read_all(home / "stored_tokens"); }
  std::string in_use() { return test::read_all(home / "token"); }

  std::filesystem::path home = folder.path() / "home";
  std::string bob;
};

unsigned mode_of(const std::filesystem::path& path) {
  struct stat status {};
  REQUIRE(::stat(path.c_str(), &status) == 0);
  return status.st_mode & 0777u;
}

}  // namespace

TEST_CASE_FIXTURE(tokens_fixture, "who logs in has a token that is kept and in use") {
  const auto kept = run(login(*api, "  " + token + "\n"));
  CHECK(kept.name == "alice-write");
  CHECK(in_use() == token);
  CHECK(stored() == "[alice-write]\nhf_token = " + token + "\n\n");
  CHECK(mode_of(home / "token") == 0600);
  CHECK(mode_of(home / "stored_tokens") == 0600);
  CHECK(mode_of(home) == 0700);
  run(login(*api, bob));
  CHECK(in_use() == bob);
  const auto all = auth_list();
  REQUIRE(all.size() == 2);
  CHECK(all[0].name == "alice-write");
  CHECK_FALSE(all[0].is_active);
  CHECK(all[1].is_active);
  CHECK(all[1].masked().find(bob.substr(4, 10)) == std::string::npos);
}

TEST_CASE_FIXTURE(tokens_fixture, "the token that the environment names is the one in use") {
  run(login(*api, token));
  run(login(*api, bob));
  ::setenv("HF_TOKEN", (token + "\r\n").c_str(), 1);
  auto all = auth_list();
  ::setenv("HF_TOKEN", "hf_of_nobody", 1);
  const auto none = auth_list();
  ::unsetenv("HF_TOKEN");
  REQUIRE(all.size() == 2);
  CHECK(all[0].is_active);
  CHECK_FALSE(all[1].is_active);
  for (const auto& each : none) CHECK_FALSE(each.is_active);
}

TEST_CASE_FIXTURE(tokens_fixture, "a folder that others may enter stays so when somebody logs in") {
  std::filesystem::create_directory(home);
  REQUIRE(::chmod(home.c_str(), 0755) == 0);
  run(login(*api, token));
  CHECK(mode_of(home) == 0755);
}

TEST_CASE_FIXTURE(tokens_fixture, "folders above that of the tokens are made as any other") {
  const auto deep = home / "above" / "below" / "token";
  ::setenv("HF_TOKEN_PATH", deep.c_str(), 1);
  const auto usual = ::umask(022);
  run(login(*api, token));
  ::umask(usual);
  CHECK(mode_of(home / "above") == 0755);
  CHECK(mode_of(home / "above" / "below") == 0700);
}

TEST_CASE_FIXTURE(tokens_fixture, "a token that the Hub does not know is not kept") {
  CHECK(failure_of(login(*api, "hf_unknown")).code() == errc::unauthorized);
  CHECK(failure_of(login(*api, " \n")).code() == errc::invalid_argument);
  CHECK_FALSE(std::filesystem::exists(home / "token"));
  CHECK(auth_list().empty());
}

TEST_CASE_FIXTURE(tokens_fixture, "tokens are switched and forgotten") {
  run(login(*api, token));
  run(login(*api, bob));
  auth_switch("alice-write");
  CHECK(in_use() == token);
  CHECK_THROWS_AS(auth_switch("nobody"), error);
  CHECK_THROWS_AS(logout("nobody"), error);
  CHECK_THROWS_AS(logout(""), error);  // one name that was forgotten to be filled in
  logout("bob-read");
  CHECK(in_use() == token);
  logout("alice-write");
  CHECK_FALSE(std::filesystem::exists(home / "token"));
  run(login(*api, token));
  logout();
  CHECK_FALSE(std::filesystem::exists(home / "token"));
  CHECK_FALSE(std::filesystem::exists(home / "stored_tokens"));
  logout();
}

TEST_CASE_FIXTURE(tokens_fixture, "what another client wrote beside a token stays") {
  test::write_all(
      home / "stored_tokens",
      "[oauth]\nhf_token = hf_oauth_token_value\nrefresh_token = r%1\nexpires_at = 5\n\n");
  run(login(*api, token));
  CHECK(stored() == "[alice-write]\nhf_token = " + token +
                        "\n\n[oauth]\nhf_token = hf_oauth_token_value\nrefresh_token = r%1\n"
                        "expires_at = 5\n\n");
}

TEST_CASE_FIXTURE(tokens_fixture, "a token file that an editor of another system wrote is known") {
  run(login(*api, bob));
  test::write_all(home / "token", " " + bob + "\r\n");
  const auto all = auth_list();
  REQUIRE(all.size() == 1);
  CHECK(all[0].is_active);
  logout("bob-read");
  CHECK_FALSE(std::filesystem::exists(home / "token"));
}

TEST_CASE_FIXTURE(tokens_fixture, "who logs out learns of a secret that stays") {
  run(login(*api, token));
  SUBCASE("of all tokens") {
    std::filesystem::remove(home / "stored_tokens");
    std::filesystem::create_directories(home / "stored_tokens" / "in the way");
    CHECK_THROWS_AS(logout(), error);
  }
  SUBCASE("of the one in use") {
    std::filesystem::remove(home / "token");
    std::filesystem::create_directories(home / "token" / "in the way");
    CHECK_THROWS_AS(logout(), error);
  }
}

TEST_CASE_FIXTURE(tokens_fixture, "a token file may be named without a folder") {
  const auto before = std::filesystem::current_path();
  std::filesystem::create_directories(home);
  std::filesystem::current_path(home);
  ::setenv("HF_TOKEN_PATH", "token", 1);
  CHECK_NOTHROW(run(login(*api, token)));
  std::filesystem::current_path(before);
  CHECK(in_use() == token);
  CHECK(mode_of(home / "stored_tokens") == 0600);
}

TEST_CASE_FIXTURE(tokens_fixture, "tokens that are forgotten at once are all forgotten") {
  constexpr int count = 6;
  std::string text;
  for (int i = 0; i < count; ++i)
    text += "[t" + std::to_string(i) + "]\nhf_token = hf_" + std::to_string(i) + "\n\n";
  test::write_all(home / "stored_tokens", text);
  std::vector<std::thread> threads;
  for (int i = 0; i < count; ++i) threads.emplace_back([i] { logout("t" + std::to_string(i)); });
  for (auto& each : threads) each.join();
  CHECK(auth_list().empty());
}
