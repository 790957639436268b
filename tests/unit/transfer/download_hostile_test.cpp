#include "content_fixture.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdio>
#include <string>
#include <utility>
#include <vector>

using namespace std::chrono_literals;
using namespace cohub;
using test::mib;
using test::scripted_reply;
using test::seen_request;

namespace {

enum class way { whole, stream, ranges };
enum class known { checksum, size };

/// A server of contents that does one thing wrong, whatever is asked.
struct hostile_fixture : test::content_fixture {
  hostile_fixture() { shared->retries.attempts = 3; }

  /// For servers that fall silent: others may take their time.
  void lose_patience() {
    shared->content_timeouts.emplace();
    shared->content_timeouts->stall = 100ms;
  }

  const std::string& content() { return files["f.bin"].content; }
  std::string part(const seen_request& request) {
    const auto range = range_of(request);
    return range ? content().substr(range->begin, range->size()) : content();
  }
  /// The head of a right answer, but for what tells the length.
  std::string head(const seen_request& request) {
    const auto range = range_of(request);
    if (!range) return "HTTP/1.1 200 OK\r\n";
    return "HTTP/1.1 206 Partial Content\r\nContent-Range: bytes " + std::to_string(range->begin) +
           '-' + std::to_string(range->end - 1) + '/' + std::to_string(content().size()) + "\r\n";
  }
  static std::string chunk(const std::string& bytes) {
    std::array<char, 20> size{};
    std::snprintf(size.data(), size.size(), "%zx\r\n", bytes.size());
    return size.data() + bytes + "\r\n";
  }
  static scripted_reply raw(std::string bytes, scripted_reply::then after) {
    scripted_reply reply;
    reply.bytes = std::move(bytes);
    reply.after = after;
    return reply;
  }

  /// What becomes of a download: success with the right file, or an error and no file.
  boost::system::error_code outcome(way how, known what) {
    host(how == way::whole ? mib / 4 : 3 * mib);
    settings.chunk_size = how == way::ranges ? mib : 0;
    auto description = describe("f.bin");
    if (what == known::size) description.etag = "opaque-12";
    boost::system::error_code code;
    try {
      run(transfer::download_content(shared, description, destination, destination, settings));
    } catch (const error& e) {
      code = e.code();
    }
    if (!code)
      CHECK(is_right());
    else
      CHECK_FALSE(std::filesystem::exists(destination));
    return code;
  }

  /// The same for all ways to download. Each ends as one of those, and after few requests.
  void expect(const std::vector<boost::system::error_code>& ends) {
    for (const auto how : {way::whole, way::stream, way::ranges})
      for (const auto what : {known::checksum, known::size}) {
        CAPTURE(static_cast<int>(how));
        CAPTURE(static_cast<int>(what));
        const auto before = requests();
        const auto code = outcome(how, what);
        CAPTURE(code.message());
        CHECK(std::find(ends.begin(), ends.end(), code) != ends.end());
        CHECK(requests() - before <= 60);
        for (const auto& entry : std::filesystem::directory_iterator(destination.parent_path()))
          std::filesystem::remove(entry.path());
      }
  }
};

const boost::system::error_code success;

}  // namespace

TEST_CASE_FIXTURE(hostile_fixture, "a server that says there is no such range") {
  content_fault = [](const seen_request&) { return scripted_reply::text(416, ""); };
  expect({errc::unexpected_status});
}

TEST_CASE_FIXTURE(hostile_fixture, "a server that refuses ranges is asked for all, once") {
  int refusal = 416;
  bool cuts = true;
  SUBCASE("the first of several") {
    host(3 * mib);
    cuts = false;
  }
  SUBCASE("to continue a stream") {
    host(3 * mib);
    settings.chunk_size = 0;
    refusal = 501;
  }
  SUBCASE("to continue what is small") { host(mib / 4); }
  const std::size_t wholes = cuts ? 2 : 1;
  content_fault = [&](const seen_request& request) -> std::optional<scripted_reply> {
    if (range_of(request)) return scripted_reply::text(refusal, "");
    if (!std::exchange(cuts, false)) return {};
    return cut(request, content().size() / 3);
  };
  download();
  CHECK(is_right());
  const auto& seen = contents.seen();
  CHECK(std::count_if(seen.begin(), seen.end(),
                      [](const seen_request& request) { return !range_of(request); }) == wholes);
  CHECK(seen.size() == wholes + 1);
}

TEST_CASE_FIXTURE(hostile_fixture, "what a server does not let continue can be begun afresh") {
  host(3 * mib);
  settings.chunk_size = 0;  // one stream
  bool cuts = true;
  content_fault = [&](const seen_request& request) -> std::optional<scripted_reply> {
    if (range_of(request)) return scripted_reply::text(405, "");
    if (!std::exchange(cuts, false)) return {};
    return cut(request, mib);
  };
  CHECK(failure() == errc::unexpected_status);
  CHECK(failure() == errc::unexpected_status);
  settings.afresh = true;
  download();
  CHECK(is_right());
}

TEST_CASE_FIXTURE(hostile_fixture, "a server that sends all where a part was asked for") {
  content_fault = [&](const seen_request& request) -> std::optional<scripted_reply> {
    const auto range = range_of(request);
    if (!range || range->begin == 0) return {};
    return scripted_reply::text(200, content());
  };
  expect({success});
}

TEST_CASE_FIXTURE(hostile_fixture, "a part whose place is not told") {
  content_fault = [&](const seen_request& request) {
    return scripted_reply::text(206, part(request));
  };
  expect({errc::invalid_response});
}

TEST_CASE_FIXTURE(hostile_fixture, "a server that gives less of a range than was asked for") {
  std::uint64_t most = mib / 4 + 1;
  content_fault = [&](const seen_request& request) -> std::optional<scripted_reply> {
    auto range = range_of(request);
    if (!range) return cut(request, mib);  // so that a stream must ask for the rest
    range->end = std::min({range->end, range->begin + most, std::uint64_t{content().size()}});
    return scripted_reply::text(206, content().substr(range->begin, range->size()),
                                "Content-Range: bytes " + std::to_string(range->begin) + '-' +
                                    std::to_string(range->end - 1) + '/' +
                                    std::to_string(content().size()) + "\r\n");
  };
  expect({success});
  most = 1000;  // would take thousands of requests
  CHECK(outcome(way::ranges, known::checksum) == errc::invalid_response);
}

TEST_CASE_FIXTURE(hostile_fixture, "a server that is always busy, or always refuses") {
  const std::vector<std::pair<int, errc>> refusals{{500, errc::server_failure},
                                                   {503, errc::server_failure},
                                                   {429, errc::rate_limited},
                                                   {403, errc::forbidden},
                                                   {404, errc::unexpected_status}};
  for (const auto& [number, code_of_it] : refusals) {
    const int status = number;
    CAPTURE(status);
    content_fault = [=](const seen_request&) { return scripted_reply::text(status, ""); };
    const auto before = requests();
    CHECK(outcome(way::ranges, known::checksum) == code_of_it);
    CHECK(requests() - before <= 60);
  }
}

TEST_CASE_FIXTURE(hostile_fixture, "a body that ceases and leaves its connection open") {
  lose_patience();
  content_fault = [&](const seen_request& request) {
    return raw(head(request) + "Content-Length: " + std::to_string(part(request).size()) +
                   "\r\n\r\n" + part(request).substr(0, 10),
               scripted_reply::then::stall);
  };
  expect({errc::timed_out});
}

TEST_CASE_FIXTURE(hostile_fixture, "a chunked body that has all and then does not end") {
  lose_patience();
  content_fault = [&](const seen_request& request) {
    return raw(head(request) + "Transfer-Encoding: chunked\r\n\r\n" + chunk(part(request)),
               scripted_reply::then::stall);
  };
  expect({success});
}

TEST_CASE_FIXTURE(hostile_fixture, "a chunked body that goes on beyond the content") {
  lose_patience();
  content_fault = [&](const seen_request& request) {
    auto bytes = head(request) + "Transfer-Encoding: chunked\r\n\r\n" + chunk(part(request));
    for (int i = 0; i < 20; ++i) bytes += chunk(std::string(1000, 'x'));
    return raw(std::move(bytes), scripted_reply::then::stall);
  };
  expect({success, errc::content_mismatch});
}

TEST_CASE_FIXTURE(hostile_fixture, "a body without a length that ends early") {
  content_fault = [&](const seen_request& request) {
    const auto bytes = part(request);
    auto start = head(request);
    start.replace(0, 8, "HTTP/1.0");
    return raw(start + "\r\n" + bytes.substr(0, bytes.size() / 2), scripted_reply::then::close);
  };
  const auto small = outcome(way::whole, known::size);
  CHECK((small == success || small == errc::truncated_body));
  CHECK(requests() <= 60);
}

TEST_CASE_FIXTURE(hostile_fixture, "compressed bodies, by either of the headers that tell so") {
  for (const char* field : {"Content-Encoding: gzip\r\n", "Transfer-Encoding: gzip\r\n"}) {
    const std::string coding = field;
    CAPTURE(coding);
    content_fault = [&, coding](const seen_request& request) {
      return raw(head(request) + coding + "\r\n" + part(request), scripted_reply::then::close);
    };
    expect({errc::invalid_response});
  }
}

TEST_CASE_FIXTURE(hostile_fixture, "redirects that lead nowhere, in circles or out of the web") {
  for (const char* location : {"/again", "ftp://127.0.0.1/", "http://[::1", "//", "\\\\host\\x"}) {
    const std::string to = location;
    CAPTURE(to);
    content_fault = [to](const seen_request&) {
      return scripted_reply::text(302, "", "Location: " + to + "\r\n");
    };
    const auto before = requests();
    const auto code = outcome(way::ranges, known::checksum);
    CHECK((code == errc::invalid_response || code == errc::too_many_redirects));
    CHECK(requests() - before <= 60);
    // What must not be followed is no mishap: no request is made a second time, but those of the
    // connections that went out with it.
    if (to.starts_with("ftp")) CHECK(requests() - before <= 3);
  }
}

TEST_CASE_FIXTURE(hostile_fixture, "a content that is another one each time") {
  int answers = 0;
  content_fault = [&](const seen_request& request) {
    return send(request, content(), "ETag: \"" + std::to_string(++answers) + "\"\r\n");
  };
  expect({success, errc::content_mismatch});
}

TEST_CASE_FIXTURE(hostile_fixture, "more bytes than were announced") {
  content_fault = [&](const seen_request& request) {
    return raw(head(request) + "Content-Length: " + std::to_string(part(request).size()) +
                   "\r\n\r\n" + part(request) + std::string(5000, 'x'),
               scripted_reply::then::keep);
  };
  expect({success});
}

TEST_CASE_FIXTURE(hostile_fixture, "a size that no disk has room for") {
  host(3 * mib);
  for (const std::uint64_t size :
       {std::uint64_t{1} << 62, std::uint64_t{1} << 63, ~std::uint64_t{0}}) {
    CAPTURE(size);
    auto description = describe("f.bin");
    description.size = size;
    CHECK_THROWS_AS(
        run(transfer::download_content(shared, description, destination, destination, settings)),
        error);
    CHECK_FALSE(std::filesystem::exists(destination));
  }
}
