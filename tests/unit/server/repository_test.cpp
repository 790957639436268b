#include "commit_text.hpp"
#include "hub_caller.hpp"

#include <boost/json/parse.hpp>
#include <doctest/doctest.h>

#include <string>

using cohub::test::answer;
using cohub::test::file_line;
using cohub::test::hub_caller;
using cohub::test::lfs_line;
using cohub::test::text_at;
using method = cohub::http::method;

TEST_CASE_FIXTURE(hub_caller, "whoami tells whose token it is, and refuses the others") {
  const auto me = get("/api/whoami-v2");
  CHECK(me.status == 200);
  CHECK(text_at(me.json(), "/name") == "alice");
  CHECK(text_at(me.json(), "/auth/accessToken/role") == "write");
  CHECK(me.json().at("orgs").is_array());
  const auto nobody = send(method::get, "/api/whoami-v2", {});
  CHECK(nobody.status == 401);
  CHECK(nobody.header("X-Error-Message") == "Invalid username or password.");
  const auto unknown = send(method::get, "/api/whoami-v2", "hf_unknown");
  CHECK(unknown.status == 401);
  CHECK(unknown.header("X-Error-Message") == "Invalid credentials in Authorization header");
}

TEST_CASE_FIXTURE(hub_caller, "a repository is created once, with its url in both answers") {
  const std::string body = "{\"name\":\"m\",\"organization\":\"alice\",\"type\":\"dataset\"}";
  const auto made = post("/api/repos/create", body);
  CHECK(made.status == 200);
  CHECK(text_at(made.json(), "/url") == hub->endpoint() + "/datasets/alice/m");
  CHECK(text_at(made.json(), "/name") == "alice/m");
  const auto again = post("/api/repos/create", body);
  CHECK(again.status == 409);
  CHECK(text_at(again.json(), "/url") == hub->endpoint() + "/datasets/alice/m");
  CHECK(text_at(again.json(), "/error") == "You already created this dataset repo");
  CHECK(get("/api/datasets/alice/m").status == 200);
  CHECK(get("/api/models/alice/m").status == 404);
}

TEST_CASE_FIXTURE(hub_caller, "creating is refused for wrong names, tokens and owners") {
  CHECK(post("/api/repos/create", "{\"name\":\"../m\"}").status == 400);
  CHECK(post("/api/repos/create", "{\"name\":\"m.git\"}").status == 400);
  CHECK(post("/api/repos/create", "{\"name\":\"m\",\"type\":\"bucket\"}").status == 400);
  CHECK(post("/api/repos/create", "{\"name\":\"m\",\"type\":\"space\"}").status == 400);
  CHECK(post("/api/repos/create", R"({"name":"m","type":"space","sdk":"nope"})").status == 400);
  CHECK(post("/api/repos/create", "not json").status == 400);
  CHECK(post("/api/repos/create", "[1]").status == 400);
  CHECK(post("/api/repos/create", "{\"name\":\"m\",\"organization\":\"bob\"}").status == 403);
  CHECK(send(method::post, "/api/repos/create", reader, "{\"name\":\"m\"}").status == 403);
  CHECK(send(method::post, "/api/repos/create", {}, "{\"name\":\"m\"}").status == 401);
}

TEST_CASE_FIXTURE(hub_caller, "members of an organisation write to its repositories") {
  hub->set_organization("team", {"alice", "bob"});
  CHECK(post("/api/repos/create", "{\"name\":\"m\",\"organization\":\"team\",\"private\":true}")
            .status == 200);
  CHECK(send(method::get, "/api/models/team/m", other).status == 200);
  CHECK(send(method::get, "/api/models/team/m", {}).status == 401);
}

TEST_CASE_FIXTURE(hub_caller, "a private repository exists for its owner alone") {
  make_repo("m", true);
  CHECK(get("/api/models/alice/m").status == 200);
  for (const char* target : {"/api/models/alice/m", "/alice/m/resolve/main/.gitattributes",
                             "/alice/m/raw/main/.gitattributes", "/api/models/alice/m/tree/main",
                             "/api/models/alice/m/refs", "/api/models/alice/m/commits/main"}) {
    CAPTURE(target);
    const auto stranger = send(method::get, target, other);
    CHECK(stranger.status == 404);
    CHECK(stranger.header("X-Error-Code") == "RepoNotFound");
    const auto nobody = send(method::get, target, {});
    CHECK(nobody.status == 401);
    CHECK(nobody.header("X-Error-Code") == "RepoNotFound");
  }
  const auto missing = get("/api/models/alice/nothing");
  CHECK(missing.status == 404);
  CHECK(missing.header("X-Error-Code") == "RepoNotFound");
}

TEST_CASE_FIXTURE(hub_caller, "deleting takes the owner's write token, and answers text") {
  make_repo("m");
  const std::string body = "{\"name\":\"m\",\"organization\":\"alice\"}";
  CHECK(send(method::delete_, "/api/repos/delete", other, body).status == 403);
  CHECK(send(method::delete_, "/api/repos/delete", reader, body).status == 403);
  const auto gone = send(method::delete_, "/api/repos/delete", token, body);
  CHECK(gone.status == 200);
  CHECK(gone.body == "OK");
  CHECK(get("/api/models/alice/m").status == 404);
  CHECK(send(method::delete_, "/api/repos/delete", token, body).status == 404);
}

TEST_CASE_FIXTURE(hub_caller, "numbers of a card that JSON does not have are null") {
  make_repo("m");
  const std::string card = "---\nvalue: .nan\nlist: [.inf, 1.5]\n---\n";
  REQUIRE(commit("alice/m", file_line("README.md", card)).status == 200);
  const auto info = get("/api/models/alice/m");
  CHECK(info.json().at("cardData") == boost::json::parse(R"({"value":null,"list":[null,1.5]})"));
}

TEST_CASE_FIXTURE(hub_caller, "info names the commit and the files, with sizes where asked") {
  make_repo("m");
  commit("alice/m", file_line("a.txt", "content"));
  const auto info = get("/api/models/alice/m/revision/main?blobs=true&unknown=1").json();
  CHECK(text_at(info, "/sha") == head_of("alice/m"));
  CHECK(text_at(info, "/siblings/1/rfilename") == "a.txt");
  CHECK(text_at(info, "/siblings/1/blobId") == "6b584e8ece562ebffc15d38808cd6b98fc3d97ea");
  CHECK(info.at_pointer("/siblings/1/size").as_int64() == 7);
  CHECK_FALSE(
      get("/api/models/alice/m").json().at_pointer("/siblings/0").as_object().contains("size"));
  const auto wrong = get("/api/models/alice/m/revision/nope");
  CHECK(wrong.status == 404);
  CHECK(wrong.header("X-Error-Code") == "RevisionNotFound");
  CHECK(wrong.header("X-Error-Message") == "Invalid rev id: nope");
}

TEST_CASE_FIXTURE(hub_caller,
                  "a tree is paged by absolute links, and an encoded path is one path") {
  make_repo("m");
  std::string lines;
  for (int i = 0; i < 25; ++i) lines += file_line("d e/f" + std::to_string(i), std::to_string(i));
  commit("alice/m", lines);
  std::string target = "/api/models/alice/m/tree/main?recursive=true&limit=10";
  std::size_t entries = 0, pages = 0;
  while (!target.empty()) {
    const auto page = get(target);
    REQUIRE(page.status == 200);
    entries += page.json().as_array().size();
    ++pages;
    const std::string link = page.header("Link");
    target = link.empty() ? "" : link.substr(1, link.find('>') - 1);
    if (!target.empty()) CHECK(target.starts_with(hub->endpoint() + "/api/models/alice/m/tree/"));
  }
  CHECK(pages == 3);
  CHECK(entries == 27);
  CHECK(get("/api/models/alice/m/tree/main/d%20e").json().as_array().size() == 25);
  const auto wrong = get("/api/models/alice/m/tree/main/nope");
  CHECK(wrong.status == 404);
  CHECK(wrong.header("X-Error-Code") == "EntryNotFound");
}

TEST_CASE_FIXTURE(hub_caller, "paths-info takes forms and JSON, and leaves unknown paths out") {
  make_repo("m");
  commit("alice/m", file_line("a b", "1") + file_line("c/d", "2"));
  cohub::http::fields json{{"Content-Type", "application/json"}};
  const std::string target = "/api/models/alice/m/paths-info/main";
  const auto form = post(target, "paths=a+b&paths=c%2Fd&paths=nope&expand=false",
                         {{"Content-Type", "application/x-www-form-urlencoded"}});
  CHECK(form.json().as_array().size() == 2);
  const auto body = post(target, "{\"paths\":[\"c\",\"c/d\",\"..\"],\"expand\":true}", json);
  REQUIRE(body.json().as_array().size() == 2);
  CHECK(text_at(body.json(), "/0/type") == "directory");
  CHECK(text_at(body.json(), "/1/lastCommit/id") == head_of("alice/m"));
  std::string many = "paths=x";
  for (int i = 0; i < 1000; ++i) many += "&paths=x";
  CHECK(post(target, many).status == 413);
  CHECK(post(target, "{\"paths\":1}", json).status == 400);
}

TEST_CASE_FIXTURE(hub_caller, "branches and tags are made, listed and deleted") {
  make_repo("m");
  const std::string api = "/api/models/alice/m/";
  const auto head = head_of("alice/m");
  CHECK(post(api + "branch/dev%2Fx", "{}").status == 200);
  const auto again = post(api + "branch/dev%2Fx", "{}");
  CHECK(again.status == 409);
  CHECK(again.header("X-Error-Message") == "Reference refs/heads/dev/x already exists");
  CHECK(post(api + "branch/refs%2Fx", "{}").status == 400);
  CHECK(post(api + "branch/a..b", "{}").status == 400);
  CHECK(post(api + "branch/" + std::string(251, 'b'), "{}").status == 400);
  CHECK(post(api + "branch/x%2F" + std::string(251, 'b') + "%2Fy", "{}").status == 400);
  CHECK(post(api + "tag/main", "{\"tag\":\"" + std::string(300, 't') + "\"}").status == 400);
  CHECK(post(api + "branch/" + std::string(250, 'b'), "{}").status == 200);
  CHECK(send(method::delete_, api + "branch/" + std::string(250, 'b'), token).status == 200);
  CHECK(post(api + "branch/y", "{\"startingPoint\":\"nope\"}").status == 404);
  CHECK(post(api + "tag/dev%2Fx", "{\"tag\":\"v1\"}").status == 200);
  CHECK(post(api + "tag/main", "{\"tag\":\"v1\"}").status == 409);
  const auto refs = get(api + "refs?include_prs=1").json();
  CHECK(text_at(refs, "/branches/0/name") == "dev/x");
  CHECK(text_at(refs, "/branches/1/ref") == "refs/heads/main");
  CHECK(text_at(refs, "/tags/0/targetCommit") == head);
  CHECK(refs.at("pullRequests").as_array().empty());
  CHECK(send(method::delete_, api + "tag/v1", token).status == 200);
  CHECK(send(method::delete_, api + "tag/v1", token).header("X-Error-Code") == "RevisionNotFound");
  CHECK(send(method::delete_, api + "branch/main", token).status == 400);
  CHECK(send(method::delete_, api + "branch/dev%2Fx", other).status == 403);
  CHECK(send(method::delete_, api + "branch/dev%2Fx", token).status == 200);
}

TEST_CASE_FIXTURE(hub_caller, "a branch may begin empty, and stays where nothing says otherwise") {
  make_repo("m");
  const std::string api = "/api/models/alice/m/";
  const auto first = head_of("alice/m");
  commit("alice/m", file_line("a.txt", "1"));
  CHECK(post(api + "branch/e", "{\"emptyBranch\":true}").status == 200);
  CHECK(get(api + "tree/e").json().as_array().empty());
  CHECK(text_at(get(api + "commits/e").json(), "/0/title") == "initial commit");
  CHECK(post(api + "branch/e", "{\"emptyBranch\":true}").status == 409);
  CHECK(post(api + "branch/f", "{\"emptyBranch\":true,\"startingPoint\":\"main\"}").status == 400);
  CHECK(post(api + "branch/b", "{\"startingPoint\":\"" + first + "\"}").status == 200);
  CHECK(post(api + "branch/b", "{\"overwrite\":true}").status == 200);
  CHECK(head_of("alice/m", "b") == first);
  CHECK(post(api + "branch/b", "{\"overwrite\":true,\"startingPoint\":\"main\"}").status == 200);
  CHECK(head_of("alice/m", "b") == head_of("alice/m"));
  CHECK(post(api + "branch/b", "{\"overwrite\":true,\"emptyBranch\":true}").status == 200);
  CHECK(get(api + "tree/b").json().as_array().empty());
}

TEST_CASE_FIXTURE(hub_caller, "what is asked for by name is told, and unknown names are refused") {
  make_repo("m");
  commit("alice/m",
         file_line("config.json", R"({"model_type":"bert","architectures":["A"],"x":1})"));
  const auto told = get("/api/models/alice/m?expand=config&expand=downloadsAllTime").json();
  CHECK(told.at("config") ==
        cohub::hub::parse_json(R"({"architectures":["A"],"model_type":"bert"})").value());
  CHECK(told.at("downloadsAllTime") == 0);
  CHECK_FALSE(told.as_object().contains("sha"));
  CHECK_FALSE(get("/api/models/alice/m").json().as_object().contains("downloadsAllTime"));
  const auto listed = get("/api/models?expand=config").json();
  CHECK(text_at(listed, "/0/config/model_type") == "bert");
  CHECK(get("/api/models/alice/m?expand=foo").status == 400);
  CHECK(get("/api/models?expand=foo").status == 400);
  post("/api/repos/create", R"({"name":"My.app_1","type":"space","sdk":"static"})");
  CHECK(text_at(get("/api/spaces/alice/My.app_1?expand=subdomain").json(), "/subdomain") ==
        "alice-my-app-1");
}

TEST_CASE_FIXTURE(hub_caller, "an error that answers HEAD does not say that it is JSON") {
  const auto refused = head("/alice/none/resolve/main/a.txt");
  CHECK(refused.status == 404);
  CHECK(refused.header("X-Error-Code") == "RepoNotFound");
  CHECK(refused.header("Content-Type") == "text/plain; charset=utf-8");
}

TEST_CASE_FIXTURE(hub_caller, "history comes in pages with its total") {
  make_repo("m");
  commit("alice/m", file_line("a", "1"));
  commit("alice/m", file_line("a", "2"));
  const auto page = get("/api/models/alice/m/commits/main?limit=2");
  CHECK(page.header("X-Total-Count") == "3");
  CHECK(page.json().as_array().size() == 2);
  CHECK(text_at(page.json(), "/0/id") == head_of("alice/m"));
  const std::string link = page.header("Link");
  const auto rest = get(link.substr(1, link.find('>') - 1));
  CHECK(text_at(rest.json(), "/0/title") == "initial commit");
  CHECK(rest.header("Link").empty());
}

TEST_CASE_FIXTURE(hub_caller, "everything acknowledged is there after a restart") {
  make_repo("m", true);
  commit("alice/m", file_line("a", "1"));
  const auto head = head_of("alice/m");
  restart();
  CHECK(head_of("alice/m") == head);
  CHECK(get("/alice/m/resolve/main/a").body == "1");
  CHECK(send(method::get, "/api/models/alice/m", other).status == 404);
}

TEST_CASE_FIXTURE(hub_caller, "a listing has folders first, where it does not go into them") {
  make_repo("m");
  commit("alice/m",
         file_line("a", "1") + file_line("b/x", "2") + file_line("c", "3") + file_line("d/x", "4"));
  std::string told;
  std::string target = "/api/models/alice/m/tree/main?limit=1";
  while (!target.empty()) {
    const auto page = get(target);
    told += text_at(page.json(), "/0/path") + ' ';
    const auto link = page.header("Link");
    target = link.empty() ? link : link.substr(1, link.find('>') - 1);
  }
  CHECK(told == "b d .gitattributes a c ");
  const auto all = get("/api/models/alice/m/tree/main?recursive=true").json();
  CHECK(text_at(all, "/1/path") == "a");
}

TEST_CASE_FIXTURE(hub_caller, "a card may bear any license that the public Hub knows") {
  const auto status_of = [&](const std::string& license) {
    return post("/api/validate-yaml",
                R"({"repoType":"model","content":"---\nlicense: )" + license + R"(\n---\n"})")
        .status;
  };
  for (const char* known : {"mit", "mpl-2.0", "llama3.1", "openrail++", "cc-by-nc-sa-3.0", "other"})
    CHECK(status_of(known) == 200);
  CHECK(status_of("my-own") == 400);
}

TEST_CASE_FIXTURE(hub_caller, "where several words may stand in a card, one may stand alone") {
  const auto check = [&](const std::string& type, const std::string& card,
                         cohub::http::fields headers = {}) {
    return post("/api/validate-yaml",
                R"({"repoType":")" + type + R"(","content":"---\n)" + card + R"(\n---\n"})",
                std::move(headers));
  };
  CHECK(check("model", R"(tags: a\ndatasets: glue\nmetrics: acc)").status == 200);
  CHECK(check("dataset", R"(size_categories: n<1K\ntask_categories: [a, b])").status == 200);
  CHECK(check("model", "tags: 1").status == 400);
  CHECK(check("dataset", "task_categories: [1]").status == 400);
}

TEST_CASE_FIXTURE(hub_caller, "what is wrong with a card is told as text, too") {
  const std::string body = R"({"repoType":"model","content":"---\nlicense: asdf\ntags: 1\n---\n"})";
  const auto told = post("/api/validate-yaml", body, {{"Accept", "text/plain"}});
  CHECK(told.status == 400);
  CHECK(told.body.starts_with("- Error: \"license\" must be one of [apache-2.0, "));
  CHECK(told.body.find("\n- Error: \"tags\" must be ") != std::string::npos);
  const auto fine = R"({"repoType":"model","content":"no metadata"})";
  CHECK(post("/api/validate-yaml", fine, {{"Accept", "text/plain"}}).body ==
        "- Warning: empty or missing yaml metadata in repo card\n");
}

TEST_CASE_FIXTURE(hub_caller, "a space begins with a card, unless one comes along") {
  post("/api/repos/create", R"({"name":"1.0","type":"space","sdk":"static","license":"mit"})");
  CHECK(get("/spaces/alice/1.0/resolve/main/README.md").body ==
        "---\ntitle: '1.0'\nemoji: \xf0\x9f\x9a\x80\ncolorFrom: blue\ncolorTo: gray\n"
        "sdk: static\npinned: false\nlicense: mit\n---\n");
  post("/api/repos/create", R"({"name":"own","type":"space","sdk":"static",)"
                            R"("files":[{"path":"README.md","content":"# mine"}]})");
  CHECK(get("/spaces/alice/own/resolve/main/README.md").body == "# mine");
}

TEST_CASE_FIXTURE(hub_caller, "a new repository names no large object that it does not have") {
  const auto create =
      post("/api/repos/create", R"({"name":"m","files":[{"path":"w.bin","content":)"
                                R"("version https://git-lfs.github.com/spec/v1\noid sha256:)" +
                                    std::string(64, 'a') + R"(\nsize 3\n"}]})");
  CHECK(create.status == 400);
  CHECK(get("/api/models/alice/m").status == 404);
}

TEST_CASE_FIXTURE(hub_caller, "refs are not called what clients take for something else") {
  make_repo("m");
  const std::string api = "/api/models/alice/m/";
  for (const std::string& name : {std::string("-x"), std::string("HEAD"), std::string(40, 'a')}) {
    CAPTURE(name);
    CHECK(post(api + "branch/" + name, "{}").status == 400);
    CHECK(post(api + "tag/main", "{\"tag\":\"" + name + "\"}").status == 400);
  }
  CHECK(post(api + "tag/main", R"({"tag":"v1","message":"a\u0000b"})").status == 422);
  // Where the revision is not there either, that is what is said.
  CHECK(post(api + "tag/none", "{\"tag\":\"not a name\"}").header("X-Error-Code") ==
        "RevisionNotFound");
}

TEST_CASE_FIXTURE(hub_caller, "a like of a repository without an owner is of none") {
  CHECK(send(method::delete_, "/api/models/none/like", token).header("X-Error-Code") ==
        "RepoNotFound");
  CHECK(send(method::delete_, "/api/models/alice/none/like", token).header("X-Error-Code") ==
        "RepoNotFound");
}

TEST_CASE_FIXTURE(hub_caller, "a name in other letters leads to the repository, and is taken") {
  make_repo("F1");
  commit("alice/F1", file_line("a.txt", "content"));
  const auto elsewhere = get("/api/models/Alice/f1/tree/main");
  CHECK(elsewhere.status == 307);
  CHECK(elsewhere.header("Location") == "/api/models/alice/F1/tree/main");
  CHECK(get("/alice/f1/resolve/main/a.txt").header("Location") == "/alice/F1/resolve/main/a.txt");
  const auto twin = post("/api/repos/create", R"({"name":"f1"})");
  CHECK(twin.status == 409);
  CHECK(text_at(twin.json(), "/url") == hub->endpoint() + "/alice/F1");
  make_repo("other");
  const auto move = [&](const std::string& from, const std::string& to) {
    return post("/api/repos/move", R"({"fromRepo":"alice/)" + from + R"(","toRepo":"alice/)" + to +
                                       R"(","type":"model"})")
        .status;
  };
  CHECK(move("other", "f1") == 409);
  CHECK(move("F1", "f1") == 200);
  CHECK(get("/api/models/alice/F1").header("Location") == "/api/models/alice/f1");
  make_repo("hidden", true);
  CHECK(send(method::get, "/api/models/alice/Hidden", {}).status == 401);
}

TEST_CASE_FIXTURE(hub_caller, "a card may have very many tags, of which the first are told") {
  make_repo("m");
  std::string card = "---\ntags:\n- twice\n- twice\n";
  for (int i = 0; i < 50'000; ++i) card += "- t" + std::to_string(i) + '\n';
  REQUIRE(commit("alice/m", file_line("README.md", card + "---\n")).status == 200);
  const auto tags = get("/api/models/alice/m?expand=tags").json().at("tags").as_array();
  CHECK(tags.size() == 1000);
  CHECK(tags.at(1).as_string() == "t0");
}

TEST_CASE_FIXTURE(hub_caller, "a card is checked, however its text is written as JSON") {
  std::string content = R"(---\nlicense: mit\n---\n)";
  for (int i = 0; i < 400'000; ++i) content += "\\u0041";
  CHECK(post("/api/validate-yaml", R"({"repoType":"model","content":")" + content + "\"}").status ==
        200);
  content.append(4u << 20, 'x');
  CHECK(post("/api/validate-yaml", R"({"repoType":"model","content":")" + content + "\"}").status ==
        413);
}

TEST_CASE_FIXTURE(hub_caller, "results of a card and the storage taken are told by name") {
  make_repo("m");
  const std::string content(1000, 'w');
  const auto sha256 = upload_object("alice/m", content);
  commit("alice/m", lfs_line("w.bin", sha256, content.size()) +
                        file_line("README.md", "---\nmodel-index:\n- name: x\n---\n"));
  const auto told = get("/api/models/alice/m?expand=model-index&expand=usedStorage").json();
  CHECK(text_at(told, "/model-index/0/name") == "x");
  CHECK(told.at("usedStorage").to_number<int>() == 1000);
  const auto listed = get("/api/models?expand=usedStorage").json();
  CHECK(listed.at(0).at("usedStorage").to_number<int>() == 1000);
}
