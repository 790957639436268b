#include "hub/file_metadata.hpp"

#include "cohub/error.hpp"

#include <doctest/doctest.h>

#include <map>

using namespace cohub;
using namespace cohub::hub;

namespace {

const std::string commit(40, 'c');
const std::string sha256(64, 'a');

boost::system::result<file_metadata> read(int status, std::map<std::string, std::string> headers) {
  return read_file_metadata(status, [&](std::string_view name) -> std::string_view {
    const auto found = headers.find(std::string(name));
    return found == headers.end() ? std::string_view() : std::string_view(found->second);
  });
}

}  // namespace

TEST_CASE("etags lose their quotes and a weak marker") {
  const std::pair<const char*, const char*> cases[] = {{"\"abc\"", "abc"},
                                                       {"W/\"abc\"", "abc"},
                                                       {"abc", "abc"},
                                                       {"W/abc", "abc"},
                                                       {"\"abc-gzip\"", "abc-gzip"},
                                                       {"\"W/abc\"", "W/abc"},
                                                       {"\"\"", ""},
                                                       {"", ""},
                                                       {"Wabc", "Wabc"}};
  for (const auto& [given, expected] : cases) {
    CAPTURE(given);
    CHECK(normalize_etag(given) == expected);
  }
  CHECK(kind_of_etag(commit) == etag_kind::git_sha1);
  CHECK(kind_of_etag(sha256) == etag_kind::sha256);
  CHECK(kind_of_etag("d41d8cd98f00b204e9800998ecf8427e-12") == etag_kind::opaque);
}

TEST_CASE("an etag names a file only if it cannot lead elsewhere") {
  CHECK(is_safe_file_name(sha256));
  CHECK(is_safe_file_name("abc-12"));
  CHECK_FALSE(is_safe_file_name(normalize_etag("WWW/\"x\"")));  // not a mark of weakness
  for (const std::string& etag :
       {std::string(), std::string("W/abc"), std::string(".."), std::string("a..b"),
        std::string("a\\b"), std::string("."), std::string("a\0b", 3), std::string(201, 'x')}) {
    CAPTURE(etag);
    CHECK_FALSE(is_safe_file_name(etag));
  }
}

TEST_CASE("a redirect to the store of large files is the metadata") {
  const auto metadata = read(302, {{"X-Repo-Commit", commit},
                                   {"X-Linked-Etag", '"' + sha256 + '"'},
                                   {"ETag", "\"other\""},
                                   {"X-Linked-Size", "22972370"},
                                   {"Content-Length", "1208"}})
                            .value();
  CHECK(metadata.commit == commit);
  CHECK(metadata.etag == sha256);
  CHECK(metadata.size == 22972370);
}

TEST_CASE("a regular file has its own length") {
  const auto metadata =
      read(200, {{"X-Repo-Commit", commit}, {"ETag", "W/\"abc\""}, {"Content-Length", "7"}})
          .value();
  CHECK(metadata.etag == "abc");
  CHECK(metadata.size == 7);
}

TEST_CASE("what is no Hub's answer is told apart from a wrong one") {
  CHECK(read(200, {{"ETag", "a"}, {"Content-Length", "7"}}).error() == errc::not_a_hub);
  CHECK(read(200, {{"X-Repo-Commit", commit}, {"Content-Length", "7"}}).error() == errc::not_a_hub);
  CHECK(read(302, {{"X-Repo-Commit", commit}, {"ETag", "a"}, {"Content-Length", "7"}}).error() ==
        errc::not_a_hub);
  CHECK(read(200, {{"X-Repo-Commit", "../x"}, {"ETag", "a"}, {"Content-Length", "7"}}).error() ==
        errc::invalid_response);
  CHECK(read(200, {{"X-Repo-Commit", commit}, {"ETag", "\"../x\""}, {"Content-Length", "7"}})
            .error() == errc::invalid_response);
  CHECK(read(200, {{"X-Repo-Commit", commit}, {"ETag", "a"}, {"Content-Length", "-7"}}).error() ==
        errc::not_a_hub);
}
