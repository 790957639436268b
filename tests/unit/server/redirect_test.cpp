#include "commit_text.hpp"
#include "raw_caller.hpp"
#include "server/handlers/target.hpp"

#include <doctest/doctest.h>

#include <string>

using namespace cohub::test;
using method = cohub::http::method;

namespace {

constexpr const char* etag = "\"6b584e8ece562ebffc15d38808cd6b98fc3d97ea\"";

cohub::local_hub_config with_cache() {
  cohub::local_hub_config settings;
  settings.resolve_cache = true;
  return settings;
}

/// A Hub that redirects for small files too.
struct caching_hub : hub_caller {
  caching_hub() : hub_caller(with_cache()) {
    make_repo("m");
    commit("alice/m", file_line("d e/a.txt", "content"));
  }
};

struct moved_repo : hub_caller {
  moved_repo() {
    make_repo("old");
    commit("alice/old", file_line("a.txt", "content"));
  }
  answer move(const std::string& from, const std::string& to, const std::string& who) {
    return send(method::post, "/api/repos/move", who,
                R"({"fromRepo":")" + from + R"(","toRepo":")" + to + R"(","type":"model"})");
  }
};

}  // namespace

TEST_CASE("segments of a target are replaced, and nothing else of it") {
  using cohub::server::replace_segments;
  CHECK(replace_segments("/api/models/a/b?x=/1", 2, 2, "c/d") == "/api/models/c/d?x=/1");
  CHECK(replace_segments("/api/models/gpt2/tree/main", 2, 1, "o/gpt2") ==
        "/api/models/o/gpt2/tree/main");
  CHECK(replace_segments("/a/b/resolve/x%2Fy/z", 0, 2, "c/d") == "/c/d/resolve/x%2Fy/z");
  CHECK(replace_segments("/datasets/a/b", 1, 2, "c/d") == "/datasets/c/d");
  CHECK(replace_segments("/a%2Fb", 0, 1, "c/d") == "/c/d");
}

TEST_CASE_FIXTURE(caching_hub, "a small file is a relative redirect to its commit") {
  const auto first = head("/alice/m/resolve/main/d%20e/a.txt?download=true");
  CHECK(first.status == 307);
  CHECK(first.header("X-Repo-Commit") == head_of("alice/m"));
  const auto location = first.header("Location");
  CHECK(location == "/api/resolve-cache/models/alice/m/" + head_of("alice/m") +
                        "/d%20e/a.txt?%2Falice%2Fm%2Fresolve%2Fmain%2Fd%2520e%2Fa.txt=&etag=%22"
                        "6b584e8ece562ebffc15d38808cd6b98fc3d97ea%22");
  const auto described = head(location);
  CHECK(described.status == 200);
  CHECK(described.header("ETag") == etag);
  CHECK(described.header("Content-Length") == "7");
  CHECK(described.header("X-Repo-Commit") == head_of("alice/m"));
  CHECK(get(location).body == "content");
  CHECK(get(location, {{"Range", "bytes=0-0"}}).header("Content-Range") == "bytes 0-0/7");
  CHECK(get(location, {{"If-None-Match", etag}}).status == 304);
  CHECK(get("/alice/m/resolve/main/d%20e/a.txt", {{"If-None-Match", etag}}).status == 304);
  // The link keeps its meaning when the branch moves on.
  commit("alice/m", file_line("d e/a.txt", "other"));
  CHECK(get(location).body == "content");
}

TEST_CASE_FIXTURE(caching_hub, "what a redirect leads to is as private as the repository") {
  const auto location = get("/alice/m/resolve/main/d%20e/a.txt").header("Location");
  cohub::local_hub_settings settings;
  settings.is_private = true;
  hub->update_repo_settings("alice/m", settings);
  CHECK(send(method::get, location, {}).status == 401);
  CHECK(send(method::get, location, other).status == 404);
  CHECK(get("/api/resolve-cache/models/alice/m/main/d%20e/a.txt").status == 404);
  CHECK(get("/api/resolve-cache/models/alice/m/" + std::string(40, 'a') + "/x").status == 404);
  CHECK(get("/api/resolve-cache").status == 404);
  CHECK(get("/api/resolve-cache/models/alice").status == 404);
  CHECK(send(method::post, location, token, "x").status == 404);
}

TEST_CASE_FIXTURE(hub_caller, "a large file is a redirect to the other listener, either way") {
  make_repo("m");
  const std::string content = noise(1000);
  const auto sha256 = upload_object("alice/m", content);
  commit("alice/m", lfs_line("w.bin", sha256, content.size()));
  const auto cached = get("/api/resolve-cache/models/alice/m/" + head_of("alice/m") + "/w.bin");
  CHECK(cached.status == 302);
  CHECK(cached.header("X-Linked-Size") == "1000");
}

TEST_CASE_FIXTURE(raw_caller, "contents are found by the name that the caller knows the Hub by") {
  make_repo("m");
  const auto sha256 = upload_object("alice/m", "large content");
  CHECK(commit("alice/m", lfs_line("w.bin", sha256, 13)).status == 200);
  const auto port = hub->content_endpoint().substr(hub->content_endpoint().rfind(':'));
  const auto location = [&](const std::string& host) {
    const auto answer = raw("GET /alice/m/resolve/main/w.bin HTTP/1.1\r\nHost: " + host +
                            "\r\nAuthorization: Bearer " + token + "\r\n\r\n");
    const std::string name = "\r\nLocation: ";
    const auto at = answer.find(name);
    return at == answer.npos ? answer : answer.substr(at + name.size());
  };
  CHECK(location("hub.example:8080").starts_with("http://hub.example" + port + "/objects/"));
  CHECK(location("[fd00::1]:8080").starts_with("http://[fd00::1]" + port + "/objects/"));
  CHECK(location("hub.example").starts_with("http://hub.example" + port + "/objects/"));
  for (const char* wrong : {"a b", "[::1", "::::", "[]", "a:b", "a:1:2", "[x]", "a]"}) {
    CAPTURE(wrong);
    CHECK(location(wrong).starts_with(hub->content_endpoint() + "/objects/"));
  }
}

TEST_CASE("where contents are found may be configured") {
  cohub::local_hub_config config;
  config.public_content_endpoint = "https://cdn.example/";
  hub_caller caller(config);
  caller.make_repo("m");
  const auto batch =
      caller.post("/alice/m.git/info/lfs/objects/batch", batch_body(std::string(64, 'a'), 5));
  CHECK(text_at(batch.json(), "/objects/0/actions/upload/href")
            .starts_with("https://cdn.example/objects/"));
}

TEST_CASE_FIXTURE(moved_repo, "a moved repository is found from its old name") {
  CHECK(move("alice/old", "alice/new", token).status == 200);
  CHECK(text_at(get("/api/models/alice/new").json(), "/id") == "alice/new");
  struct {
    const char* asked;
    const char* location;
  } const cases[] = {
      {"/api/models/alice/old", "/api/models/alice/new"},
      {"/api/models/alice/old/revision/main?blobs=true",
       "/api/models/alice/new/revision/main?blobs=true"},
      {"/alice/old/resolve/main/a.txt?download=true",
       "/alice/new/resolve/main/a.txt?download=true"},
      {"/alice/old/resolve/refs%2Fpr%2F1/a%20b", "/alice/new/resolve/refs%2Fpr%2F1/a%20b"}};
  for (const auto& each : cases) {
    CAPTURE(each.asked);
    const auto got = send(method::get, each.asked, {});
    CHECK(got.status == 307);
    CHECK(got.header("Location") == each.location);
    CHECK(got.header("Content-Type") == "text/plain; charset=utf-8");
    CHECK(got.body == "Temporary Redirect. Redirecting to " + std::string(each.location));
  }
  CHECK(post("/alice/old.git/info/lfs/objects/batch", "{}").status == 307);
  CHECK(post("/alice/old.git/info/lfs/objects/batch", batch_body(std::string(64, 'a'), 1))
            .header("Location") == "/alice/new.git/info/lfs/objects/batch");

  CHECK(move("alice/new", "alice/newer", token).status == 200);
  restart();
  CHECK(get("/api/models/alice/old").header("Location") == "/api/models/alice/newer");
  CHECK(get("/alice/newer/resolve/main/a.txt").body == "content");
  // A new repository of the old name is what that name means from now on.
  make_repo("old");
  CHECK(get("/api/models/alice/old").status == 200);
  CHECK(get("/api/models/alice/new").header("Location") == "/api/models/alice/newer");
}

TEST_CASE_FIXTURE(moved_repo, "repositories move back, and in circles") {
  CHECK(move("alice/old", "alice/new", token).status == 200);
  CHECK(move("alice/new", "alice/old", token).status == 200);
  CHECK(get("/api/models/alice/old").status == 200);
  CHECK(get("/api/models/alice/new").header("Location") == "/api/models/alice/old");
  CHECK(send(method::delete_, "/api/repos/delete", token, R"({"name":"old"})").status == 200);
  CHECK(get("/api/models/alice/old").status == 404);
  CHECK(get("/api/models/alice/new").status == 404);
}

TEST_CASE_FIXTURE(moved_repo, "moving takes write access on either side") {
  make_repo("taken");
  CHECK(move("alice/old", "alice/taken", token).status == 409);
  CHECK(move("alice/old", "alice/old", token).status == 409);
  CHECK(move("alice/old", "bob/new", token).status == 403);
  CHECK(move("alice/old", "alice/new", other).status == 403);
  CHECK(move("alice/old", "alice/new", reader).status == 403);
  CHECK(move("alice/old", "alice/new", {}).status == 401);
  CHECK(move("alice/none", "alice/new", token).status == 404);
  CHECK(move("alice/old", "../new", token).status == 400);
  CHECK(move("alice/old", "new", token).status == 400);
  CHECK(get("/alice/old/resolve/main/a.txt").body == "content");
  hub->set_organization("team", {"alice"});
  CHECK(move("alice/old", "team/new", token).status == 200);
  CHECK(get("/team/new/resolve/main/a.txt").body == "content");
}

TEST_CASE_FIXTURE(moved_repo, "an old name does not tell of a repository that is private now") {
  move("alice/old", "alice/new", token);
  cohub::local_hub_settings settings;
  settings.is_private = true;
  hub->update_repo_settings("alice/new", settings);
  for (const char* target :
       {"/api/models/alice/old", "/api/models/new", "/new/resolve/main/a.txt"}) {
    CAPTURE(target);
    const auto nobody = send(method::get, target, {});
    CHECK(nobody.status == 401);
    CHECK(nobody.header("Location").empty());
    CHECK(send(method::get, target, other).status == 404);
    CHECK(get(target).status == 307);
  }
}

TEST_CASE_FIXTURE(moved_repo, "a lone name leads to its only owner") {
  CHECK(send(method::get, "/api/models/old", {}).header("Location") == "/api/models/alice/old");
  CHECK(get("/api/models/old/tree/main?recursive=true").header("Location") ==
        "/api/models/alice/old/tree/main?recursive=true");
  CHECK(get("/old/resolve/main/a.txt").header("Location") == "/alice/old/resolve/main/a.txt");
  CHECK(get("/api/models/none").header("X-Error-Code") == "RepoNotFound");
  CHECK(get("/api/datasets/old").status == 404);
  send(method::post, "/api/repos/create", other, R"({"name":"old"})");
  CHECK(get("/api/models/old").status == 404);  // whose?
}

TEST_CASE_FIXTURE(hub_caller, "ranges of a small file, and of an empty one") {
  make_repo("m");
  commit("alice/m", file_line("a.txt", "content") + file_line("empty", ""));
  struct {
    const char* range;
    int status;
    const char* content_range;
    const char* body;
  } const cases[] = {
      {"bytes=0-0", 206, "bytes 0-0/7", "c"},  {"bytes=4-99", 206, "bytes 4-6/7", "ent"},
      {"bytes=-3", 206, "bytes 4-6/7", "ent"}, {"bytes=-99", 206, "bytes 0-6/7", "content"},
      {"bytes=6-", 206, "bytes 6-6/7", "t"},   {"bytes=5-2", 200, "", "content"},
      {"bytes=0-1,3-4", 200, "", "content"},   {"lines=0-1", 200, "", "content"},
      {"bytes=x", 200, "", "content"}};
  for (const auto& each : cases) {
    CAPTURE(each.range);
    const auto got = get("/alice/m/resolve/main/a.txt", {{"Range", each.range}});
    CHECK(got.status == each.status);
    CHECK(got.header("Content-Range") == each.content_range);
    CHECK(got.body == each.body);
  }
  for (const char* range : {"bytes=7-", "bytes=100-200", "bytes=-0"}) {
    CAPTURE(range);
    const auto beyond = get("/alice/m/resolve/main/a.txt", {{"Range", range}});
    CHECK(beyond.status == 416);
    CHECK(beyond.header("Content-Range") == "bytes */7");
  }
  CHECK(get("/alice/m/resolve/main/empty").status == 200);
  const auto nothing = get("/alice/m/resolve/main/empty", {{"Range", "bytes=0-0"}});
  CHECK(nothing.status == 200);
  CHECK(nothing.body.empty());
  CHECK(nothing.header("Content-Range") == "bytes */0");  // how a client learns its size
  const auto same =
      get("/alice/m/resolve/main/a.txt", {{"Range", "bytes=0-0"}, {"If-Range", etag}});
  CHECK(same.status == 206);
  for (const char* validator : {"\"other\"", "W/\"6b584e8ece562ebffc15d38808cd6b98fc3d97ea\"",
                                "Tue, 24 Nov 2026 00:00:00 GMT"}) {
    CAPTURE(validator);
    CHECK(get("/alice/m/resolve/main/a.txt", {{"Range", "bytes=0-0"}, {"If-Range", validator}})
              .status == 200);
  }
  // HEAD knows no ranges; a known etag comes before a range.
  const auto whole =
      send(method::head, "/alice/m/resolve/main/a.txt", token, {}, {{"Range", "bytes=0-0"}});
  CHECK(whole.status == 200);
  CHECK(whole.header("Content-Length") == "7");
  for (const auto verb : {method::get, method::head}) {
    const auto known =
        send(verb, "/alice/m/resolve/main/a.txt", token, {},
             {{"If-None-Match", std::string("\"x\", W/") + etag}, {"Range", "bytes=0-0"}});
    CHECK(known.status == 304);
    CHECK(known.header("ETag") == etag);
    CHECK(known.header("X-Repo-Commit") == head_of("alice/m"));
  }
}
