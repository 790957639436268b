#include "commit_text.hpp"
#include "git_output.hpp"
#include "hub_caller.hpp"

#include <doctest/doctest.h>

#include <string>
#include <vector>

using namespace cohub::test;
using method = cohub::http::method;

namespace {

struct storage_fixture : hub_caller {
  storage_fixture() { make_repo("m"); }

  /// Commits a large file with that content; its sha256.
  std::string put_large(const std::string& path, const std::string& content) {
    const auto sha256 = upload_object("alice/m", content);
    REQUIRE(commit("alice/m", lfs_line(path, sha256, content.size())).status == 200);
    return sha256;
  }
  std::vector<std::string> listed(const std::string& id) {
    std::vector<std::string> found;
    const auto page = get("/api/models/" + id + "/lfs-files").json();
    for (const auto& each : page.as_array()) found.push_back(text_at(each, "/fileOid"));
    return found;
  }
  answer remove(const std::string& sha256, bool rewrite) {
    return post("/api/models/alice/m/lfs-files/batch",
                "{\"deletions\":{\"sha\":[\"" + sha256 +
                    "\"],\"rewriteHistory\":" + (rewrite ? "true" : "false") + "}}");
  }
  bool is_stored(const std::string& sha256) const {
    for (const auto& entry : std::filesystem::recursive_directory_iterator(config.root / "objects"))
      if (entry.is_regular_file() &&
          entry.path().string().find(sha256.substr(4)) != std::string::npos)
        return true;
    return false;
  }
};

}  // namespace

TEST_CASE_FIXTURE(storage_fixture, "large objects are listed with where they are, or were") {
  const auto old = put_large("sub/old.bin", "old content");
  commit("alice/m", delete_line("sub/old.bin"));
  const auto now = put_large("now.bin", "new content");
  const auto page = get("/api/models/alice/m/lfs-files").json();
  REQUIRE(page.as_array().size() == 2);
  for (const auto& each : page.as_array()) {
    const bool is_old = text_at(each, "/oid") == old;
    CHECK(text_at(each, "/filename") == (is_old ? "sub/old.bin" : "now.bin"));
    CHECK(text_at(each, "/ref") == (is_old ? "" : "refs/heads/main"));
    CHECK(each.at("size").as_int64() == 11);
    CHECK(text_at(each, "/pushedAt").starts_with("20"));
  }
  CHECK(send(method::get, "/api/models/alice/m/lfs-files", other).status == 403);
  CHECK(send(method::get, "/api/models/alice/m/lfs-files", {}).status == 401);
}

TEST_CASE_FIXTURE(storage_fixture, "deleted for good, an object is in no commit, branch or tag") {
  const auto gone = put_large("dir/gone.bin", "to be deleted");
  const auto kept = put_large("kept.bin", "to be kept");
  commit("alice/m", file_line("a.txt", "a"));
  post("/api/models/alice/m/tag/main", "{\"tag\":\"v1\",\"message\":\"first\"}");
  const auto before = head_of("alice/m");
  CHECK(remove(gone, true).status == 200);
  CHECK(listed("alice/m") == std::vector<std::string>{kept});
  CHECK_FALSE(is_stored(gone));
  CHECK(is_stored(kept));
  CHECK(head_of("alice/m") != before);
  CHECK(head_of("alice/m", "v1") == head_of("alice/m"));
  CHECK(get("/alice/m/resolve/main/dir/gone.bin").status == 404);
  CHECK(get("/alice/m/resolve/v1/kept.bin").status == 302);
  CHECK(get("/alice/m/resolve/main/a.txt").body == "a");
  const auto bare = git_dir("alice/m");
  CHECK(git(bare, "log --all --format=%H -- dir").text.empty());
  CHECK(git(bare, "rev-list --count main").text == "4");
  CHECK(git(bare, "cat-file tag v1").text.find("first") != std::string::npos);
  CHECK(git(bare, "fsck --strict").status == 0);
  CHECK(remove(gone, true).status == 200);  // again, it changes nothing
}

TEST_CASE_FIXTURE(storage_fixture, "with a repository go the large objects that no other has") {
  const auto shared = put_large("shared.bin", "shared content");
  CHECK(post("/api/models/alice/m/duplicate", R"({"repository":"alice/copy"})").status == 200);
  const auto own = put_large("own.bin", "own content");
  const auto remove_repo = [&](const std::string& name) {
    return send(method::delete_, "/api/repos/delete", token, R"({"name":")" + name + R"("})")
        .status;
  };
  CHECK(remove_repo("m") == 200);
  CHECK_FALSE(is_stored(own));
  CHECK(is_stored(shared));
  CHECK(remove_repo("copy") == 200);
  CHECK_FALSE(is_stored(shared));
}

TEST_CASE_FIXTURE(storage_fixture, "without rewriting, commits stay as they are") {
  const auto gone = put_large("gone.bin", "to be deleted");
  const auto before = head_of("alice/m");
  CHECK(remove(gone, false).status == 200);
  CHECK(head_of("alice/m") == before);
  CHECK(listed("alice/m").empty());
  CHECK_FALSE(is_stored(gone));
  // What git has of it is not the file.
  const auto missing = get("/alice/m/resolve/main/gone.bin");
  CHECK(missing.status == 404);
  CHECK(missing.header("X-Error-Code") == "EntryNotFound");
  CHECK(missing.header("X-Repo-Commit") == before);
  CHECK(get("/alice/m/raw/main/gone.bin").body.starts_with("version https://git-lfs"));
  CHECK(remove("../../x", true).status == 400);
  CHECK(post("/api/models/alice/m/lfs-files/batch", "{}").status == 400);
}

TEST_CASE_FIXTURE(storage_fixture, "a copy has the history, and keeps what its original loses") {
  const auto shared = put_large("w.bin", "weights");
  commit("alice/m", file_line("b.txt", "b"), "?create_pr=1");
  post("/api/models/alice/m/tag/main", "{\"tag\":\"v1\"}");
  const auto copy = post("/api/models/alice/m/duplicate", "{\"repository\":\"alice/n\"}");
  CHECK(copy.status == 200);
  CHECK(text_at(copy.json(), "/url") == hub->endpoint() + "/alice/n");
  CHECK(head_of("alice/n") == head_of("alice/m"));
  CHECK(head_of("alice/n", "v1") == head_of("alice/m"));
  CHECK(get("/api/models/alice/n/revision/refs%2Fpr%2F1").status == 404);
  CHECK(get("/api/models/alice/n/discussions").json().at("count").as_int64() == 0);
  const auto again = post("/api/models/alice/m/duplicate", "{\"repository\":\"alice/n\"}");
  CHECK(again.status == 409);
  CHECK(text_at(again.json(), "/url") == hub->endpoint() + "/alice/n");

  CHECK(remove(shared, true).status == 200);
  CHECK(listed("alice/m").empty());
  CHECK(listed("alice/n") == std::vector<std::string>{shared});
  CHECK(is_stored(shared));
  CHECK(get("/alice/n/resolve/main/w.bin").status == 302);
  commit("alice/n", file_line("only-here.txt", "x"));
  CHECK(get("/alice/m/resolve/main/only-here.txt").status == 404);
  CHECK(git(git_dir("alice/n"), "fsck --strict").status == 0);
}

TEST_CASE_FIXTURE(storage_fixture, "who may copy a repository, and what the copy is") {
  const std::string body = "{\"repository\":\"bob/m\",\"visibility\":\"private\"}";
  CHECK(post("/api/models/alice/m/duplicate", body).status == 403);
  CHECK(send(method::post, "/api/models/alice/m/duplicate", {}, body).status == 401);
  CHECK(send(method::post, "/api/models/alice/m/duplicate", reader, body).status == 403);
  CHECK(post("/api/models/alice/none/duplicate", body).status == 404);
  CHECK(post("/api/models/alice/m/duplicate", "{\"repository\":\"../x\"}").status == 400);
  CHECK(send(method::post, "/api/models/alice/m/duplicate", other, body).status == 200);
  CHECK(get("/api/models/bob/m").status == 404);
  CHECK(send(method::get, "/api/models/bob/m", other).status == 200);
}

TEST_CASE_FIXTURE(storage_fixture, "one's own repositories are listed with their storage") {
  put_large("w.bin", "weights");
  post("/api/repos/create", "{\"name\":\"d\",\"type\":\"dataset\",\"private\":true}");
  const auto own = get("/api/settings/repositories").json();
  REQUIRE(own.as_array().size() == 2);
  CHECK(text_at(own, "/0/id") == "alice/m");
  CHECK(own.at(0).at("storage").as_int64() == 7);
  CHECK(own.at(0).at("storagePercent").as_double() == 100);
  CHECK(text_at(own, "/1/type") == "dataset");
  CHECK(text_at(own, "/1/visibility") == "private");
  CHECK(send(method::get, "/api/settings/repositories", {}).status == 401);
  CHECK(get("/api/organizations/team/settings/repositories").status == 403);
  hub->set_organization("team", {"alice"});
  CHECK(get("/api/organizations/team/settings/repositories").json().as_array().empty());
}

TEST_CASE_FIXTURE(storage_fixture, "commits are compared as git compares them") {
  commit("alice/m", file_line("a.txt", "one\ntwo\n"));
  const auto from = head_of("alice/m");
  post("/api/models/alice/m/branch/dev", "{}");
  commit("alice/m", file_line("a.txt", "one\nthree\n"));
  commit("alice/m", file_line("b.txt", "b\n"), {}, "dev");
  const auto compare = [&](const std::string& what) {
    return get("/api/models/alice/m/compare/" + what);
  };
  const auto bare = git_dir("alice/m");
  const auto diff = compare(from + "..main");
  CHECK(diff.status == 200);
  CHECK(diff.header("Content-Type").starts_with("text/plain"));
  CHECK(diff.body == git(bare, "diff " + from + "..main").text + "\n");
  CHECK(compare("main..dev").body == git(bare, "diff main..dev").text + "\n");
  CHECK(compare("main...dev").body == git(bare, "diff main...dev").text + "\n");
  CHECK(compare("main..main").body.empty());
  CHECK(compare(from + "..main?raw=true").body.starts_with(":100644 100644 "));
  CHECK(compare("main..none").status == 404);
  CHECK(compare("main").status == 400);
}

TEST_CASE_FIXTURE(storage_fixture, "a pull request tells what it changes and what conflicts") {
  commit("alice/m", file_line("a.txt", "one\n") + file_line("c.txt", "c\n"));
  commit("alice/m", file_line("a.txt", "theirs\n") + file_line("b.txt", "b\n"), "?create_pr=1");
  auto details = get("/api/models/alice/m/discussions/1?diff=1").json();
  const auto diff = text_at(details, "/diff");
  CHECK(diff.find("-one\n+theirs\n") != diff.npos);
  CHECK(diff.find("+++ b/b.txt") != diff.npos);
  CHECK(details.at("filesWithConflicts").as_array().empty());
  CHECK_FALSE(get("/api/models/alice/m/discussions/1").json().as_object().contains("diff"));
  commit("alice/m", file_line("a.txt", "ours\n") + file_line("c.txt", "d\n"));
  details = get("/api/models/alice/m/discussions/1?diff=1").json();
  REQUIRE(details.at("filesWithConflicts").as_array().size() == 1);
  CHECK(text_at(details, "/filesWithConflicts/0") == "a.txt");
  CHECK(text_at(details, "/diff") == diff);  // of what it changes, not of what others did
  CHECK(post("/api/models/alice/m/discussions/1/merge", "{}").status == 409);

  commit("alice/m", file_line("x.txt", "x\n"), "?create_pr=1");
  CHECK(post("/api/models/alice/m/discussions/2/merge", "{}").status == 200);
  details = get("/api/models/alice/m/discussions/2?diff=1").json();
  CHECK(text_at(details, "/diff").find("+x\n") != std::string::npos);
  CHECK(text_at(details, "/diff").find("ours") == std::string::npos);
}

TEST_CASE_FIXTURE(storage_fixture, "a diff is text, for those who may read the files") {
  commit("alice/m", file_line("a.txt", "caf\xe9 \xc3\xa9\n"), "?create_pr=1");
  const std::string target = "/api/models/alice/m/discussions/1?diff=1";
  CHECK(text_at(get(target).json(), "/diff").find("+caf\xef\xbf\xbd \xc3\xa9\n") !=
        std::string::npos);
  CHECK(send(method::get, target, other).json().as_object().contains("diff"));
  send(method::put, "/api/models/alice/m/settings", token, "{\"gated\":\"manual\"}");
  const auto outside = send(method::get, target, other);
  CHECK(outside.status == 200);
  CHECK_FALSE(outside.json().as_object().contains("diff"));
  CHECK(send(method::get, "/api/models/alice/m/compare/main..refs%2Fpr%2F1", other).status == 403);
}

TEST_CASE_FIXTURE(storage_fixture, "a renamed file is no longer where it was") {
  commit("alice/m", file_line("old.txt", "content"));
  const auto sha256 = put_large("old.bin", "large");
  const std::string lines =
      "{\"key\":\"file\",\"value\":{\"content\":\"new\",\"encoding\":\"utf-8\","
      "\"path\":\"dir/new.txt\",\"oldPath\":\"old.txt\"}}\n"
      "{\"key\":\"lfsFile\",\"value\":{\"path\":\"new.bin\",\"oldPath\":\"old.bin\","
      "\"algo\":\"sha256\",\"oid\":\"" +
      sha256 + "\",\"size\":5}}\n";
  CHECK(commit("alice/m", lines).status == 200);
  CHECK(get("/alice/m/resolve/main/dir/new.txt").body == "new");
  CHECK(get("/alice/m/resolve/main/old.txt").status == 404);
  CHECK(get("/alice/m/resolve/main/new.bin").status == 302);
  CHECK(get("/alice/m/resolve/main/old.bin").status == 404);
  CHECK(commit("alice/m", lines).status == 404);  // there is nothing to rename any more
}

TEST_CASE_FIXTURE(storage_fixture, "a tag that says something is an annotated one") {
  CHECK(post("/api/models/alice/m/tag/main", "{\"tag\":\"v1\",\"message\":\"The first\"}").status ==
        200);
  CHECK(post("/api/models/alice/m/tag/main", "{\"tag\":\"plain\"}").status == 200);
  const auto bare = git_dir("alice/m");
  CHECK(git(bare, "cat-file -t v1").text == "tag");
  CHECK(git(bare, "tag -l --format='%(contents)%(taggername)' v1").text == "The firstalice");
  CHECK(git(bare, "cat-file -t plain").text == "commit");
  const auto refs = get("/api/models/alice/m/refs").json();
  CHECK(text_at(refs, "/tags/0/targetCommit") == head_of("alice/m"));
  CHECK(text_at(refs, "/tags/1/targetCommit") == head_of("alice/m"));
}

TEST_CASE_FIXTURE(storage_fixture, "commits are formatted as HTML where asked for") {
  post("/api/models/alice/m/commit/main",
       "{\"key\":\"header\",\"value\":{\"summary\":\"a < b & c\",\"description\":\"<i>\"}}\n" +
           file_line("a.txt", "a"));
  const auto commits = get("/api/models/alice/m/commits/main?expand%5B%5D=formatted&limit=1");
  CHECK(text_at(commits.json(), "/0/formatted/title") == "a &lt; b &amp; c");
  CHECK(text_at(commits.json(), "/0/formatted/message") == "&lt;i&gt;");
  CHECK(commits.header("Link").find("expand%5B%5D=formatted") != std::string::npos);
  const auto plain = get("/api/models/alice/m/commits/main").json();
  CHECK_FALSE(plain.at(0).as_object().contains("formatted"));
}

TEST_CASE_FIXTURE(storage_fixture, "only spaces are protected, which hides their files") {
  CHECK(post("/api/repos/create", "{\"name\":\"p\",\"visibility\":\"protected\"}").status == 400);
  CHECK(post("/api/repos/create",
             "{\"name\":\"p\",\"type\":\"space\",\"sdk\":\"static\","
             "\"visibility\":\"protected\"}")
            .status == 200);
  CHECK(text_at(get("/api/spaces/alice/p").json(), "/visibility") == "protected");
  CHECK(send(method::get, "/api/spaces/alice/p", other).status == 404);
  restart();
  CHECK(text_at(get("/api/spaces/alice/p").json(), "/visibility") == "protected");
  const auto changed =
      send(method::put, "/api/spaces/alice/p/settings", token, "{\"visibility\":\"public\"}");
  CHECK(text_at(changed.json(), "/visibility") == "public");
  CHECK(send(method::get, "/api/spaces/alice/p", other).status == 200);
}

TEST_CASE_FIXTURE(storage_fixture, "spaces are found by what they use; nothing runs here") {
  post("/api/repos/create", "{\"name\":\"s\",\"type\":\"space\",\"sdk\":\"static\"}");
  post("/api/spaces/alice/s/commit/main",
       "{\"key\":\"header\",\"value\":{\"summary\":\"card\"}}\n" +
           file_line("README.md", "---\nmodels: [a/b]\ndatasets: [c/d]\n---\n"));
  const auto count = [&](const std::string& target) {
    return get(target).json().as_array().size();
  };
  CHECK(count("/api/spaces?models=a/b&datasets=c/d&linked=true") == 1);
  CHECK(count("/api/spaces?models=x/y") == 0);
  const auto told = get("/api/spaces/alice/s?expand=models&expand=datasets").json();
  CHECK(text_at(told, "/models/0") == "a/b");
  CHECK(text_at(told, "/datasets/0") == "c/d");
  CHECK(get("/api/models?sort=trendingScore").json().at(0).at("trendingScore").as_int64() == 0);
  CHECK(count("/api/spaces?linked=true") == 1);
  CHECK(count("/api/models?search=al&search=m") == 1);
  CHECK(count("/api/models?search=al&search=z") == 0);
  CHECK(count("/api/models?inference=warm") == 0);
  CHECK(count("/api/models?inference_provider=all") == 0);
  CHECK(count("/api/models?apps=ollama") == 0);
}

TEST_CASE_FIXTURE(storage_fixture, "models are found by how many parameters they have") {
  const auto file = [](const std::string& header) {
    std::string length(8, '\0');
    length[0] = static_cast<char>(header.size());
    return length + header;
  };
  make_repo("none");
  put_large("model-1.safetensors",
            file(R"({"__metadata__":{"a":"b"},"w":{"dtype":"BF16","shape":[1000,2]}})"));
  commit("alice/m", file_line("model-2.safetensors", file(R"({"b":{"dtype":"F32","shape":[]}})")));
  commit("alice/m", file_line("broken.safetensors", "no header"));
  const auto told = get("/api/models/alice/m?expand=safetensors").json();
  CHECK(told.at("safetensors").at("total").as_int64() == 2001);
  CHECK(told.at("safetensors").at("parameters").at("BF16").as_int64() == 2000);
  CHECK(told.at("safetensors").at("parameters").at("F32").as_int64() == 1);
  const auto count = [&](const std::string& range) {
    return get("/api/models?num_parameters=" + range).json().as_array().size();
  };
  CHECK(count("min:2K,max:1M") == 1);
  CHECK(count("min:2001") == 1);
  CHECK(count("max:2k") == 0);
  CHECK(count("min:6B") == 0);
}

TEST_CASE_FIXTURE(storage_fixture, "every answer has a length and echoes the trace") {
  for (const char* target :
       {"/api/models/alice/m", "/api/models/alice/none", "/alice/m/resolve/main/none",
        "/alice/m/resolve/main/.gitattributes", "/api/none", "/api/models/alice/m/refs",
        "/api/models/alice/m/xet-read-token/main"}) {
    CAPTURE(target);
    cohub::http::fields headers;
    headers.set("X-Amzn-Trace-Id", "trace-1");
    const auto got = get(target, headers);
    CHECK(got.header("X-Request-Id") == "trace-1");
    CHECK(got.header("Content-Length") == std::to_string(got.body.size()));
    CHECK_FALSE(got.headers.has("Transfer-Encoding"));
  }
}

TEST_CASE_FIXTURE(storage_fixture, "headers that no model has count for nothing") {
  const auto put_header = [&](const std::string& name, const std::string& header) {
    std::string length(8, '\0');
    length[0] = static_cast<char>(header.size() % 256);
    length[1] = static_cast<char>(header.size() / 256);
    commit("alice/m", file_line(name + ".safetensors", length + header));
  };
  put_header("a", R"({"w":{"dtype":"F32","shape":[3]}})");
  put_header("b", R"({"w":{"dtype":"F32","shape":[4294967296,4294967296]}})");
  put_header("c", R"({"w":{"dtype":"F32","shape":[-1]}})");
  std::string types = "{";
  for (int i = 0; i < 100; ++i)
    types +=
        "\"w" + std::to_string(i) + "\":{\"dtype\":\"T" + std::to_string(i) + "\",\"shape\":[1]},";
  types.back() = '}';
  put_header("d", types);
  const auto total = [&] {
    const auto told = get("/api/models/alice/m").json();
    return told.at("safetensors").at("total").to_number<std::uint64_t>();
  };
  CHECK(total() == 3);
  CHECK(total() == 3);  // from memory
  put_header("e", R"({"w":{"dtype":"F32","shape":[18446744073709551615]}})");
  CHECK(total() == 3);
}

TEST_CASE_FIXTURE(storage_fixture,
                  "what is uploaded for a repository that has gone does not stay") {
  const std::string content = "nobody's content";
  const auto sha256 = cohub::core::sha256_hex(content);
  const auto batch =
      post("/alice/m.git/info/lfs/objects/batch", batch_body(sha256, content.size()));
  const auto href = text_at(batch.json(), "/objects/0/actions/upload/href");
  CHECK(send(method::delete_, "/api/repos/delete", token, R"({"name":"m"})").status == 200);
  CHECK(send(method::put, href, {}, content).status == 404);
  CHECK_FALSE(is_stored(sha256));
  make_repo("m");
  CHECK(send(method::put, href, {}, content).status == 200);
  CHECK(is_stored(sha256));
}
