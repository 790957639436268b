#include "http/proxy_settings.hpp"

#include "cohub/error.hpp"

#include "core/base64.hpp"

#include <doctest/doctest.h>

#include <map>
#include <string>
#include <vector>

using namespace cohub;

namespace {

http::proxy_settings read(const std::map<std::string, std::string>& variables) {
  return http::read_proxy_settings([&](const char* name) -> const char* {
    const auto found = variables.find(name);
    return found == variables.end() ? nullptr : found->second.c_str();
  });
}

core::origin target(const std::string& url) { return core::parse_url(url).value().origin; }

/// "host:port" of the proxy chosen, "" for none.
std::string chosen(const http::proxy_settings& settings, const std::string& url) {
  const auto found = http::choose_proxy(settings, target(url)).value();
  return found ? found->name() : "";
}

}  // namespace

TEST_CASE("a proxy's url gives its place and its credential") {
  struct row {
    std::string text, name, credential;
  };
  const std::vector<row> rows{
      {"http://proxy.example:3128", "proxy.example:3128", ""},
      {"proxy.example:3128", "proxy.example:3128", ""},
      {"proxy.example", "proxy.example:80", ""},
      {"HTTP://Proxy.Example:8080/", "proxy.example:8080", ""},
      {" http://10.0.0.1:3128 ", "10.0.0.1:3128", ""},
      {"http://[fd00::1]:3128", "[fd00::1]:3128", ""},
      {"http://joe:secret@proxy.example:3128", "proxy.example:3128", "joe:secret"},
      {"joe:secret@proxy.example:3128", "proxy.example:3128", "joe:secret"},
      {"http://joe@proxy.example", "proxy.example:80", "joe:"},
      {"http://j%40e:p%3Aa%25b@proxy.example", "proxy.example:80", "j@e:p:a%b"},
      {"http://joe:p@ss:word@proxy.example:1", "proxy.example:1", "joe:p@ss:word"},
      {"http://joe:p@ss/wo#r?d@proxy.example:1/", "proxy.example:1", "joe:p@ss/wo#r?d"},
  };
  for (const auto& [text, name, credential] : rows) {
    CAPTURE(text);
    const auto found = http::parse_proxy(text);
    REQUIRE(found.has_value());
    CHECK(found->name() == name);
    CHECK(found->authorization ==
          (credential.empty() ? "" : "Basic " + core::base64_encode(credential)));
  }
}

TEST_CASE("what is no HTTP proxy is refused") {
  for (const std::string text : {"", "http://", "socks5://proxy:1080", "https://proxy:3128",
                                 "http://proxy:99999", "http://pro xy", "http://a:b@"}) {
    CAPTURE(text);
    CHECK(http::parse_proxy(text).error() == errc::invalid_url);
  }
}

TEST_CASE("the environment is read in both cases, the lower one first") {
  auto settings = read({{"HTTP_PROXY", "upper:1"}, {"http_proxy", "lower:2"}});
  CHECK(settings.http == "lower:2");
  settings = read(
      {{"HTTP_PROXY", "a:1"}, {"HTTPS_PROXY", "b:2"}, {"ALL_PROXY", "c:3"}, {"NO_PROXY", "d"}});
  CHECK(settings.http == "a:1");
  CHECK(settings.https == "b:2");
  CHECK(settings.all == "c:3");
  CHECK(settings.bypass == "d");
  settings = read({{"HTTPS_PROXY", "upper:1"}, {"https_proxy", ""}});
  CHECK(settings.https == "");  // switched off
  // A CGI program gets "Proxy: evil" from its caller as HTTP_PROXY.
  settings = read({{"REQUEST_METHOD", "GET"}, {"HTTP_PROXY", "evil:1"}, {"HTTPS_PROXY", "b:2"}});
  CHECK(settings.http == "");
  CHECK(settings.https == "b:2");
}

TEST_CASE("the target's scheme chooses the proxy") {
  const auto settings = read({{"HTTP_PROXY", "a:1"}, {"HTTPS_PROXY", "b:2"}, {"ALL_PROXY", "c:3"}});
  CHECK(chosen(settings, "http://hub.example/") == "a:1");
  CHECK(chosen(settings, "https://hub.example/") == "b:2");
  CHECK(chosen(read({{"ALL_PROXY", "c:3"}}), "http://hub.example/") == "c:3");
  CHECK(chosen(read({{"ALL_PROXY", "c:3"}}), "https://hub.example/") == "c:3");
  CHECK(chosen(read({{"HTTPS_PROXY", "b:2"}}), "http://hub.example/") == "");
  CHECK(chosen({}, "https://hub.example/") == "");
}

TEST_CASE("only a proxy that is used must have a valid url") {
  const auto settings = read({{"HTTP_PROXY", "a:1"}, {"ALL_PROXY", "socks5://b:2"}});
  CHECK(chosen(settings, "http://hub.example/") == "a:1");
  CHECK(http::choose_proxy(settings, target("https://hub.example/")).error() == errc::invalid_url);
}

TEST_CASE("NO_PROXY exempts targets") {
  struct row {
    std::string list, url;
    bool exempt;
  };
  const std::vector<row> rows{
      {"*", "https://hub.example/", true},
      {"a.b, * ,c.d", "https://hub.example/", true},
      {"google.com", "https://google.com/", true},
      {"google.com", "https://www.google.com/", true},
      {"google.com", "https://wwwgoogle.com/", false},
      {"google.com", "https://google.com.evil/", false},
      {".google.com", "https://google.com/", false},
      {".google.com", "https://www.google.com/", true},
      {"*.google.com", "https://www.google.com/", true},
      {"*.google.com", "https://google.com/", false},
      {"GOOGLE.com", "https://Www.Google.COM/", true},
      {" a.b ,google.com ", "https://google.com/", true},
      {",,", "https://google.com/", false},
      {"https://google.com", "https://google.com/", true},
      {"https://google.com", "https://www.google.com/", false},
      {"https://google.com", "http://google.com/", false},
      {"all://google.com", "http://google.com/", true},
      {"http://localhost:8080", "http://localhost:8080/", true},
      {"http://localhost:8080", "http://localhost:8081/", false},
      {"google.com:8443", "https://google.com:8443/", true},
      {"google.com:8443", "https://google.com/", false},
      {"google.com:443", "https://google.com/", true},
      {"localhost", "http://localhost:5000/", true},
      {"localhost", "http://my.localhost/", false},
      {"127.0.0.1", "http://127.0.0.1:5000/", true},
      {"127.0.0.1:5001", "http://127.0.0.1:5000/", false},
      {"0.0.1", "http://127.0.0.1/", false},
      {"::1", "http://[::1]:5000/", true},
      {"[::1]:5000", "http://[::1]:5000/", true},
      {"[::1]:5000", "http://[::1]:5001/", false},
      {"0:0:0:0:0:0:0:1", "http://[::1]/", true},
      {"10.0.0.0/8", "http://10.200.3.4/", true},
      {"10.0.0.0/8", "http://11.0.0.1/", false},
      {"10.0.0.0/99", "http://10.0.0.1/", false},
      {"fd00::/8", "http://[fd12::1]/", true},
      {"fd00::/8", "http://10.0.0.1/", false},
      {"google.com:port", "https://google.com/", false},
      {"[::1", "http://[::1]/", false},
  };
  for (const auto& [list, url, exempt] : rows) {
    CAPTURE(list);
    CAPTURE(url);
    const auto settings = read({{"ALL_PROXY", "proxy:1"}, {"NO_PROXY", list}});
    CHECK(chosen(settings, url).empty() == exempt);
  }
}
