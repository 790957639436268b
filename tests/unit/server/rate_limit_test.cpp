#include "commit_text.hpp"
#include "hub_caller.hpp"
#include "server/handlers/rate_limiter.hpp"

#include <doctest/doctest.h>

#include <string>

using namespace cohub::test;
using cohub::server::rate_limiter;
using method = cohub::http::method;
using namespace std::chrono_literals;

namespace {

cohub::local_hub_config with_limits(std::uint64_t api, std::uint64_t resolvers) {
  cohub::local_hub_config settings;
  settings.rate_limits = cohub::local_hub_rate_limits{api, resolvers, 300s};
  return settings;
}

struct limited_hub : hub_caller {
  limited_hub() : hub_caller(with_limits(5, 3)) {}
};

}  // namespace

TEST_CASE("requests are counted by bucket and caller, until the window ends") {
  rate_limiter limiter({2, 1, 300s});
  const rate_limiter::clock::time_point start{1000s};
  const auto first = limiter.admit("/api/whoami-v2", "a", start);
  CHECK(first.admitted);
  CHECK(first.bucket == "api");
  CHECK(first.left == 1);
  CHECK(first.ends == 300s);
  CHECK(limiter.admit("/api/models/a/b", "a", start + 100ms).left == 0);
  const auto spent = limiter.admit("/api/models/a/b", "a", start + 245s);
  CHECK_FALSE(spent.admitted);
  CHECK(spent.left == 0);
  CHECK(spent.ends == 55s);
  CHECK(limiter.admit("/api/models/a/b", "b", start + 245s).admitted);
  CHECK(limiter.admit("/a/b/resolve/main/x", "a", start + 245s).admitted);
  CHECK_FALSE(limiter.admit("/api/resolve-cache/models/a/b/x/y", "a", start + 299s).admitted);
  CHECK(limiter.admit("/a/b/resolve/main/x", "a", start + 300s).admitted);
  limiter.end_window();
  CHECK(limiter.admit("/a/b/resolve/main/x", "a", start + 301s).ends == 300s);
}

TEST_CASE("what is not limited is not counted") {
  rate_limiter limiter({0, 1, 300s});
  const auto now = rate_limiter::clock::now();
  CHECK(limiter.admit("/api/whoami-v2", "a", now).bucket.empty());
  CHECK(limiter.admit("/x/y/resolve/main/z", "a", now).admitted);
  CHECK_FALSE(limiter.admit("/x/y/resolve/main/z", "a", now).admitted);
  CHECK(rate_limiter::bucket_of("/a/b.git/info/lfs/objects/batch") == "api");
  CHECK(rate_limiter::bucket_of("/%61pi/models") == "api");
  CHECK(rate_limiter::bucket_of("/a/b.git/%69nfo/lfs/objects/batch") == "api");
  CHECK(rate_limiter::bucket_of("/api/resolve-cache/models/a/b/c/d") == "resolvers");
  CHECK(rate_limiter::bucket_of("/%zz") == "resolvers");
  CHECK(rate_limiter::bucket_of("/a/b/resolve/main/x?y=.git/info/lfs/") == "resolvers");
}

TEST_CASE_FIXTURE(limited_hub, "answers tell what is left, and 429 when it is spent") {
  const auto first = get("/api/whoami-v2");
  CHECK(first.status == 200);
  CHECK(first.header("ratelimit") == "\"api\";r=4;t=300");
  CHECK(first.header("ratelimit-policy") == "\"fixed window\";\"api\";q=5;w=300");
  CHECK(get("/api/nothing").header("ratelimit").starts_with("\"api\";r=3;t="));
  CHECK(post("/api/repos/create", R"({"name":"m"})").status == 200);
  for (int i = 0; i < 2; ++i) CHECK(get("/api/whoami-v2").status == 200);
  const auto spent = get("/api/whoami-v2");
  CHECK(spent.status == 429);
  CHECK(spent.header("ratelimit").starts_with("\"api\";r=0;t="));
  CHECK_FALSE(spent.header("X-Error-Message").empty());
  CHECK_FALSE(spent.header("X-Request-Id").empty());
  CHECK(post("/api/repos/create", R"({"name":"n"})").status == 429);

  // The other bucket, another user and those without a token have their own counts.
  const auto file = get("/alice/m/resolve/main/.gitattributes");
  CHECK(file.status == 200);
  CHECK(file.header("ratelimit").starts_with("\"resolvers\";r=2;t="));
  CHECK(send(method::get, "/api/whoami-v2", other).status == 200);
  CHECK(send(method::get, "/api/models/alice/m", {}).status == 200);
  // Guessed tokens are one caller.
  for (int i = 0; i < 4; ++i)
    CHECK(send(method::get, "/api/whoami-v2", "hf_guess" + std::to_string(i)).status == 401);
  CHECK(send(method::get, "/api/whoami-v2", "hf_other_guess").status == 429);

  hub->end_rate_limit_window();
  CHECK(get("/api/whoami-v2").header("ratelimit") == "\"api\";r=4;t=300");
}

TEST_CASE_FIXTURE(hub_caller, "a Hub without limits does not speak of them") {
  hub->end_rate_limit_window();
  CHECK_FALSE(get("/api/whoami-v2").headers.has("ratelimit"));
}

TEST_CASE_FIXTURE(hub_caller, "signed urls expire all at once, for good") {
  make_repo("m");
  const std::string content = noise(1000);
  const auto sha256 = upload_object("alice/m", content);
  commit("alice/m", lfs_line("w.bin", sha256, content.size()));
  const auto old = get("/alice/m/resolve/main/w.bin").header("Location");
  CHECK(send(method::get, old, {}).status == 200);
  hub->expire_urls();
  CHECK(send(method::get, old, {}).status == 403);
  const auto fresh = get("/alice/m/resolve/main/w.bin").header("Location");
  CHECK(send(method::get, fresh, {}).body == content);
  restart();
  const auto path_of = [](const std::string& url) { return url.substr(url.find("/objects/")); };
  CHECK(send(method::get, hub->content_endpoint() + path_of(old), {}).status == 403);
  CHECK(send(method::get, hub->content_endpoint() + path_of(fresh), {}).body == content);
}
