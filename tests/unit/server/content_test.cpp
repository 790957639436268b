#include "commit_text.hpp"
#include "hub_caller.hpp"
#include "server/error_reply.hpp"

#include <doctest/doctest.h>

#include <string>

using namespace cohub::test;
using method = cohub::http::method;

namespace {

std::string sample(std::size_t size) {
  std::string text(size, '\0');
  for (std::size_t i = 0; i < size; ++i) text[i] = static_cast<char>((i * 131 + i / 251) & 0xff);
  return text;
}

struct large_file : hub_caller {
  large_file() {
    make_repo("m");
    sha256 = upload_object("alice/m", content);
    committed = commit("alice/m", lfs_line("d/w.bin", sha256, content.size()));
    location = head("/alice/m/resolve/main/d/w.bin").header("Location");
  }
  std::string content = sample(1'500'001);
  std::string sha256{};
  std::string location{};
  answer committed{};
};

}  // namespace

TEST_CASE_FIXTURE(large_file,
                  "a large file is redirected to the other address, with all it takes") {
  REQUIRE(committed.status == 200);
  const auto found = head("/alice/m/resolve/main/d/w.bin");
  CHECK(found.status == 302);
  CHECK(found.header("X-Repo-Commit") == head_of("alice/m"));
  CHECK(found.header("X-Linked-Size") == "1500001");
  CHECK(found.header("X-Linked-Etag") == '"' + sha256 + '"');
  CHECK(found.header("Accept-Ranges") == "bytes");
  CHECK(found.header("Location").starts_with(hub->content_endpoint() + "/objects/" + sha256));
  CHECK_FALSE(found.headers.has("X-Xet-Hash"));
  CHECK(found.body.empty());
  const auto raw = get("/alice/m/raw/main/d/w.bin");
  CHECK(raw.body ==
        "version https://git-lfs.github.com/spec/v1\noid sha256:" + sha256 + "\nsize 1500001\n");
  const auto entry = get("/api/models/alice/m/tree/main/d").json();
  CHECK(text_at(entry, "/0/lfs/oid") == sha256);
  CHECK(entry.at_pointer("/0/size").as_int64() == 1500001);
}

TEST_CASE_FIXTURE(large_file, "the content needs no token, and comes whole or in ranges") {
  const auto whole = send(method::get, location, {});
  CHECK(whole.status == 200);
  CHECK(whole.body == content);
  CHECK(whole.header("ETag") == '"' + sha256 + '"');
  struct {
    const char* asked;
    int status;
    std::size_t begin, size;
    const char* range;
  } const cases[] = {{"bytes=0-0", 206, 0, 1, "bytes 0-0/1500001"},
                     {"bytes=1000000-", 206, 1000000, 500001, "bytes 1000000-1500000/1500001"},
                     {"bytes=-7", 206, 1499994, 7, "bytes 1499994-1500000/1500001"},
                     {"bytes=10-19", 206, 10, 10, "bytes 10-19/1500001"}};
  for (const auto& each : cases) {
    CAPTURE(each.asked);
    const auto part = send(method::get, location, {}, {}, {{"Range", each.asked}});
    CHECK(part.status == each.status);
    CHECK(part.header("Content-Range") == each.range);
    CHECK(part.body == content.substr(each.begin, each.size));
  }
  const auto beyond = send(method::get, location, {}, {}, {{"Range", "bytes=1500001-"}});
  CHECK(beyond.status == 416);
  CHECK(beyond.header("Content-Range") == "bytes */1500001");
  const auto changed =
      send(method::get, location, {}, {}, {{"Range", "bytes=0-0"}, {"If-Range", "\"x\""}});
  CHECK(changed.status == 200);
  const auto only_head = send(method::head, location, {});
  CHECK(only_head.status == 200);
  CHECK(only_head.header("Content-Length") == "1500001");
  CHECK(only_head.body.empty());
}

TEST_CASE_FIXTURE(large_file, "a url that was tampered with or serves another purpose is refused") {
  CHECK(send(method::get, location + "0", {}).status == 403);
  CHECK(send(method::get, location.substr(0, location.find('?')), {}).status == 403);
  CHECK(send(method::put, location, {}, "x").status == 403);
  CHECK(send(method::get, hub->content_endpoint() + "/../tokens.json", token).status == 403);
}

TEST_CASE("a signed url expires") {
  cohub::local_hub_config settings;
  settings.url_lifetime = std::chrono::seconds(-1);
  hub_caller caller(settings);
  caller.make_repo("m");
  const std::string sha256 = cohub::core::sha256_hex("x");
  const auto batch = caller.post("/alice/m.git/info/lfs/objects/batch", batch_body(sha256, 1));
  const auto href = text_at(batch.json(), "/objects/0/actions/upload/href");
  CHECK(caller.send(method::put, href, {}, "x").status == 403);
}

TEST_CASE_FIXTURE(large_file, "the batch asks for what is missing alone, and verify confirms") {
  const std::string target = "/alice/m.git/info/lfs/objects/batch";
  const auto known = post(target, batch_body(sha256, content.size())).json();
  CHECK(text_at(known, "/transfer") == "basic");
  CHECK_FALSE(known.at_pointer("/objects/0").as_object().contains("actions"));
  const auto wrong_size = post(target, batch_body(sha256, 5)).json();
  CHECK(wrong_size.at_pointer("/objects/0/error/code").as_int64() == 422);

  const std::string other_content = "other content";
  const std::string other_id = cohub::core::sha256_hex(other_content);
  const auto missing = post(target, batch_body(other_id, other_content.size())).json();
  const std::string href = text_at(missing, "/objects/0/actions/upload/href");
  const std::string verify = text_at(missing, "/objects/0/actions/verify/href");
  const std::string asked = "{\"oid\":\"" + other_id + "\",\"size\":13}";
  CHECK(href.starts_with(hub->content_endpoint()));
  CHECK(post(verify, asked).status == 404);
  CHECK(send(method::put, href, {}, "other c0ntent").status == 400);
  CHECK(send(method::put, href, {}, "short").status == 400);
  CHECK(post(verify, asked).status == 404);
  CHECK(send(method::put, href, {}, other_content).status == 200);
  CHECK(post(verify, asked).status == 200);
  CHECK(post(verify, "{\"oid\":\"" + other_id + "\",\"size\":14}").status == 422);
  CHECK(send(method::post, target, reader, batch_body(other_id, 13)).status == 403);
  CHECK(send(method::post, target, {}, batch_body(other_id, 13)).status == 401);
  const auto download = post(target, batch_body(other_id, 13, "download")).json();
  CHECK(get(text_at(download, "/objects/0/actions/download/href")).body == other_content);
}

TEST_CASE_FIXTURE(hub_caller, "a regular file is served by the API, with its git id as etag") {
  make_repo("m");
  commit("alice/m", file_line("a.txt", "content"));
  const auto file = get("/alice/m/resolve/main/a.txt");
  CHECK(file.status == 200);
  CHECK(file.body == "content");
  CHECK(file.header("ETag") == "\"6b584e8ece562ebffc15d38808cd6b98fc3d97ea\"");
  CHECK(file.header("X-Repo-Commit") == head_of("alice/m"));
  const auto only_head = head("/alice/m/resolve/main/a.txt");
  CHECK(only_head.header("Content-Length") == "7");
  CHECK(only_head.body.empty());
  const auto part = get("/alice/m/resolve/main/a.txt", {{"Range", "bytes=2-3"}});
  CHECK(part.status == 206);
  CHECK(part.body == "nt");
  const auto same = get("/alice/m/resolve/main/a.txt",
                        {{"If-None-Match", "\"6b584e8ece562ebffc15d38808cd6b98fc3d97ea\""}});
  CHECK(same.status == 304);
  CHECK(same.header("X-Repo-Commit") == head_of("alice/m"));
  const auto missing = head("/alice/m/resolve/main/nope");
  CHECK(missing.status == 404);
  CHECK(missing.header("X-Error-Code") == "EntryNotFound");
  CHECK(missing.header("X-Repo-Commit") == head_of("alice/m"));
  CHECK(missing.body.empty());
}

TEST_CASE_FIXTURE(hub_caller, "a request id is echoed, and made up where there is none") {
  CHECK(get("/api/whoami-v2", {{"X-Amzn-Trace-Id", "abc"}}).header("X-Request-Id") == "abc");
  CHECK_FALSE(get("/api/nothing").header("X-Request-Id").empty());
}

TEST_CASE("an error's message is short in the header and whole in the body") {
  const auto refused = cohub::server::error_reply(400, {}, "short");
  CHECK(refused.headers.get("X-Error-Message") == "short");
  std::string message = "x";
  for (int i = 0; i < 100'000; ++i) message += "\xc3\xa9";
  const auto longer = cohub::server::error_reply(400, {}, message);
  CHECK(longer.headers.get("X-Error-Message") == message.substr(0, 499));
  CHECK(std::get<std::string>(longer.body).find(message) != std::string::npos);
  const auto strange = cohub::server::error_reply(400, {}, "a\tb\x1b");
  CHECK(strange.headers.get("X-Error-Message") == "a b ");
}

TEST_CASE_FIXTURE(large_file, "nobody learns from an upload what another repository has") {
  make_repo("secret", true);
  const auto hidden = upload_object("alice/secret", "hidden content");
  send(method::post, "/api/repos/create", other, R"({"name":"m"})");
  const auto asked = [&](const std::string& sha256_of) {
    return send(method::post, "/bob/m.git/info/lfs/objects/batch", other, batch_body(sha256_of, 5))
        .json();
  };
  for (const auto& each : {hidden, std::string(64, 'a')}) {
    const auto found = asked(each);
    CHECK_FALSE(found.at_pointer("/objects/0").as_object().contains("error"));
    CHECK_FALSE(text_at(found, "/objects/0/actions/upload/href").empty());
  }
}

TEST_CASE_FIXTURE(large_file, "pages of other origins may ask, both for facts and for contents") {
  const cohub::http::fields from_page{{"Origin", "http://page.example"}};
  const auto facts = get("/api/models/alice/m", from_page);
  CHECK(facts.header("Access-Control-Allow-Origin") == "*");
  CHECK(facts.header("Access-Control-Expose-Headers").find("X-Repo-Commit") != std::string::npos);
  CHECK(send(method::get, location, {}, {}, from_page).header("Access-Control-Allow-Origin") ==
        "*");
  CHECK(get("/api/nothing", from_page).header("Access-Control-Allow-Origin") == "*");
  CHECK_FALSE(get("/api/models/alice/m").headers.has("Access-Control-Allow-Origin"));
  CHECK_FALSE(facts.headers.has("Access-Control-Allow-Credentials"));
}
