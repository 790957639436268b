#include "cohub/error.hpp"

#include "commit_text.hpp"
#include "hub_caller.hpp"

#include <doctest/doctest.h>

#include <string>

using namespace cohub::test;
using method = cohub::http::method;

namespace {

/// Alice's model with a file, and strangers.
struct shared_repo : hub_caller {
  shared_repo() {
    make_repo("m");
    sha256 = upload_object("alice/m", content);
    commit("alice/m", file_line("a.txt", "content") + lfs_line("w.bin", sha256, content.size()));
  }
  void set(cohub::local_hub_settings settings) { hub->update_repo_settings("alice/m", settings); }
  void gate(const std::string& how) {
    cohub::local_hub_settings settings;
    settings.gated = how;
    set(settings);
  }
  answer as(const std::string& who, const std::string& target) {
    return send(method::get, target, who);
  }
  answer put_settings(const std::string& body, const std::string& who) {
    return send(method::put, "/api/models/alice/m/settings", who, body);
  }
  answer handle(const std::string& word, const std::string& body) {
    return post("/api/models/alice/m/user-access-request/" + word, body);
  }
  answer ask(const std::string& who) { return send(method::post, "/alice/m/ask-access", who); }

  /// All that an error's answer must bear (hub-protocol, section 9.1).
  static void check_error(const answer& got, int status, const std::string& code,
                          const std::string& message) {
    CHECK(got.status == status);
    CHECK(got.header("X-Error-Code") == code);
    CHECK(got.header("X-Error-Message").find(message) != std::string::npos);
    CHECK(text_at(got.json(), "/error") == got.header("X-Error-Message"));
    CHECK_FALSE(got.header("X-Request-Id").empty());
    CHECK(got.header("Content-Length") == std::to_string(got.body.size()));
  }

  const std::string content = noise(1000);
  std::string sha256;
  static constexpr const char* file = "/alice/m/resolve/main/a.txt";
};

}  // namespace

TEST_CASE_FIXTURE(shared_repo, "a gated repository shows what it holds and keeps the contents") {
  gate("manual");
  for (const char* target : {"/alice/m/resolve/main/a.txt", "/alice/m/resolve/main/w.bin",
                             "/alice/m/raw/main/a.txt", "/api/models/alice/m/auth-check"}) {
    CAPTURE(target);
    check_error(as({}, target), 401, "GatedRepo", "Access to model alice/m is restricted");
    check_error(as(other, target), 403, "GatedRepo", "not in the authorized list");
    CHECK(as(reader, target).status < 400);
  }
  CHECK(send(method::head, file, other).header("X-Error-Code") == "GatedRepo");
  for (const char* target : {"/api/models/alice/m", "/api/models/alice/m/tree/main",
                             "/api/models/alice/m/refs", "/api/models/alice/m/commits/main"}) {
    CAPTURE(target);
    CHECK(as({}, target).status == 200);
    CHECK(as(other, target).status == 200);
  }
  CHECK(text_at(as({}, "/api/models/alice/m").json(), "/gated") == "manual");
  const auto batch = send(method::post, "/alice/m.git/info/lfs/objects/batch", other,
                          batch_body(sha256, content.size(), "download"));
  check_error(batch, 403, "GatedRepo", "not in the authorized list");
  CHECK(send(method::post, "/api/models/alice/m/preupload/main", other, "{\"files\":[]}").status ==
        403);
}

TEST_CASE_FIXTURE(shared_repo, "the owner lets users in, and out again") {
  gate("manual");
  CHECK(ask(other).status == 200);
  check_error(as(other, file), 403, "GatedRepo", "awaiting a review");
  const auto pending = get("/api/models/alice/m/user-access-request/pending").json();
  CHECK(text_at(pending, "/0/user/user") == "bob");
  CHECK(text_at(pending, "/0/status") == "pending");
  CHECK_FALSE(text_at(pending, "/0/timestamp").empty());
  CHECK(handle("handle", R"({"user":"bob","status":"rejected"})").status == 200);
  check_error(as(other, file), 403, "GatedRepo", "has been rejected");
  CHECK(text_at(ask(other).json(), "/status") == "rejected");  // asking again changes nothing
  CHECK(handle("grant", R"({"user":"bob"})").status == 200);
  CHECK(as(other, file).body == "content");
  CHECK(handle("grant", R"({"user":"bob"})").status == 400);
  CHECK(handle("handle", R"({"user":"bob","status":"accepted"})").status == 404);
  CHECK(handle("handle", R"({"user":"bob","status":"pending"})").status == 200);
  CHECK(as(other, file).status == 403);
  CHECK(handle("handle", R"({"user":"alice","status":"accepted"})").status == 404);
  CHECK(handle("grant", R"({"user":"nobody"})").status == 404);
  CHECK(handle("handle", R"({"user":"bob","status":"maybe"})").status == 400);
  CHECK(handle("elsewhere", R"({"user":"bob"})").status == 404);
  CHECK(as(other, "/api/models/alice/m/user-access-request/pending").status == 403);
  CHECK(ask({}).status == 401);
  gate("");
  CHECK(get("/api/models/alice/m/user-access-request/pending").status == 400);
}

TEST_CASE_FIXTURE(shared_repo, "whoever asks for what is gated automatically has it at once") {
  gate("auto");
  CHECK(as(other, file).status == 403);
  CHECK(text_at(ask(other).json(), "/status") == "accepted");
  CHECK(as(other, file).body == "content");
  gate("");
  CHECK(as({}, file).body == "content");
  CHECK(ask(other).status == 400);
}

TEST_CASE_FIXTURE(shared_repo, "the program that holds the Hub sets access too, and it lasts") {
  gate("manual");
  hub->grant_access("alice/m", "bob");
  CHECK(as(other, file).body == "content");
  restart();
  CHECK(as(other, file).body == "content");
  hub->revoke_access("alice/m", "bob");
  CHECK(as(other, file).status == 403);
  CHECK_THROWS_AS(hub->grant_access("alice/none", "bob"), cohub::error);
  CHECK_THROWS_AS(hub->grant_access("../x", "bob"), cohub::error);
  CHECK_THROWS_AS(gate("sometimes"), cohub::error);
}

TEST_CASE_FIXTURE(shared_repo, "a disabled repository gives nothing to anybody") {
  cohub::local_hub_settings settings;
  settings.disabled = true;
  set(settings);
  for (const char* target : {"/alice/m/resolve/main/a.txt", "/api/models/alice/m",
                             "/api/models/alice/m/tree/main", "/api/models/alice/m/auth-check"}) {
    CAPTURE(target);
    for (const auto& who : {token, other, std::string()})
      check_error(as(who, target), 403, "", "Access to this resource is disabled.");
  }
  settings.disabled = false;
  set(settings);
  CHECK(as({}, file).status == 200);
}

TEST_CASE_FIXTURE(shared_repo, "settings are the owner's, and say what they became") {
  const auto made = put_settings(R"({"visibility":"private","gated":"auto"})", token);
  CHECK(made.status == 200);
  CHECK(made.json().at("private").as_bool());
  CHECK(text_at(made.json(), "/gated") == "auto");
  check_error(as({}, file), 401, "RepoNotFound", "Invalid username or password.");
  check_error(as(other, file), 404, "RepoNotFound", "Repository not found");
  // Private comes first: a gate would tell that there is something behind it.
  CHECK(put_settings(R"({"private":false})", token).status == 200);
  CHECK(as({}, file).header("X-Error-Code") == "GatedRepo");
  CHECK(put_settings(R"({"gated":false})", token).status == 200);
  CHECK(as({}, file).status == 200);

  CHECK(put_settings(R"({})", token).status == 400);
  CHECK(put_settings(R"({"gated":true})", token).status == 400);
  CHECK(put_settings(R"({"gated":"maybe"})", token).status == 400);
  CHECK(put_settings(R"({"visibility":"hidden"})", token).status == 400);
  CHECK(put_settings(R"({"private":"yes"})", token).status == 400);
  CHECK(put_settings(R"([])", token).status == 400);
  CHECK(put_settings(R"({"private":true})", other).status == 403);
  CHECK(put_settings(R"({"private":true})", reader).status == 403);
  CHECK(put_settings(R"({"private":true})", {}).status == 401);
  CHECK(as({}, file).status == 200);
}

TEST_CASE_FIXTURE(shared_repo, "the sha256 of a large object is no way to its content") {
  gate("manual");
  // Bob reads the sha256 in the listing, and names it in a repository of his own.
  const auto listing = as(other, "/api/models/alice/m/tree/main").json();
  CHECK(text_at(listing, "/2/lfs/oid") == sha256);
  send(method::post, "/api/repos/create", other, R"({"name":"mine"})");
  const std::string head = "{\"key\":\"header\",\"value\":{\"summary\":\"x\"}}\n";
  const auto by_bob = [&](const std::string& lines) {
    return send(method::post, "/api/models/bob/mine/commit/main", other, head + lines).status;
  };
  CHECK(by_bob(lfs_line("w.bin", sha256, content.size())) == 400);
  const std::string pointer = "version https://git-lfs.github.com/spec/v1\noid sha256:" + sha256 +
                              "\nsize " + std::to_string(content.size()) + "\n";
  CHECK(by_bob(file_line("w.bin", pointer)) == 400);
  const std::string batch = "/bob/mine.git/info/lfs/objects/batch";
  const auto ask = [&](const char* operation) {
    return send(method::post, batch, other, batch_body(sha256, content.size(), operation)).json();
  };
  CHECK(ask("download").at_pointer("/objects/0").as_object().contains("error"));
  CHECK(send(method::post, "/bob/mine.git/info/lfs/verify", other,
             "{\"oid\":\"" + sha256 + "\",\"size\":1000}")
            .status == 404);

  // Whoever has the content may bring it, also while the repository gets another name.
  const auto href = text_at(ask("upload"), "/objects/0/actions/upload/href");
  CHECK(send(method::put, href, {}, noise(1000, 2)).status == 400);
  CHECK(by_bob(lfs_line("w.bin", sha256, content.size())) == 400);
  hub->move_repo("bob/mine", "bob/ours");
  CHECK(send(method::put, href, {}, content).status == 200);
  CHECK(send(method::post, "/api/models/bob/ours/commit/main", other,
             head + file_line("w.bin", pointer))
            .status == 200);
  CHECK(get(as(other, "/bob/ours/resolve/main/w.bin").header("Location")).body == content);
  hub->move_repo("bob/ours", "bob/mine");
  CHECK_FALSE(ask("upload").at_pointer("/objects/0").as_object().contains("actions"));
  send(method::delete_, "/api/repos/delete", other, R"({"name":"mine"})");
  CHECK(send(method::put, href, {}, content).status == 404);
}

TEST_CASE_FIXTURE(shared_repo, "the checks of access answer as the operations would") {
  CHECK(as({}, "/api/models/alice/m/auth-check").status == 200);
  CHECK(as(token, "/api/models/alice/m/auth-check/write").status == 200);
  CHECK(as(other, "/api/models/alice/m/auth-check/write").status == 403);
  CHECK(as(reader, "/api/models/alice/m/auth-check/write").status == 403);
  CHECK(as({}, "/api/models/alice/m/auth-check/write").status == 401);
  check_error(as({}, "/api/models/alice/none/auth-check"), 401, "RepoNotFound", "Invalid username");
  check_error(as("hf_unknown", "/api/models/alice/m/auth-check"), 401, "",
              "Invalid credentials in Authorization header");
}

TEST_CASE_FIXTURE(hub_caller, "clients may ask for people, and for what nobody counts here") {
  make_repo("like");
  make_repo("m");
  hub->set_organization("team", {"alice", "bob"});
  const auto user = get("/api/users/alice/overview").json();
  CHECK(text_at(user, "/user") == "alice");
  CHECK(text_at(user, "/orgs/0/name") == "team");
  const auto team = get("/api/organizations/team/overview").json();
  CHECK(text_at(team, "/name") == "team");
  CHECK(team.at("numUsers").as_int64() == 2);
  const auto members = get("/api/organizations/team/members").json();
  REQUIRE(members.as_array().size() == 2);
  CHECK(text_at(members, "/1/user") == "bob");
  CHECK(get("/api/users/nobody/overview").status == 404);
  CHECK(get("/api/organizations/none/members").status == 404);
  for (const char* target : {"/api/models/alice/m/likers", "/api/models/alice/like/likers",
                             "/api/users/alice/likes", "/api/collections"}) {
    CAPTURE(target);
    CHECK(get(target).json().as_array().empty());
  }
  CHECK(send(method::delete_, "/api/models/alice/m/like", token).status == 200);
  CHECK(send(method::delete_, "/api/models/alice/m/like", {}).status == 401);
  CHECK(get("/api/models/alice/none/likers").status == 404);
  CHECK(head_of("alice/like").size() == 40);
}
