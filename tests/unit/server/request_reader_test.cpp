#include "server/wire/request_reader.hpp"

#include "server/failure.hpp"
#include "support/run.hpp"
#include "support/temporary_folder.hpp"

#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <doctest/doctest.h>

#include <algorithm>
#include <cstring>
#include <optional>
#include <random>
#include <string>
#include <vector>

using namespace cohub;
using server::request_reader;

namespace {

/// What a client sends, in pieces of any size; what it is sent is kept.
class spoken final : public http::stream {
 public:
  spoken(std::string text, std::size_t piece) : text_(std::move(text)), piece_(piece) {}

  std::optional<std::size_t> try_read_some(std::span<std::byte> buffer) override {
    const auto count = std::min({buffer.size(), piece_, text_.size() - at_});
    std::memcpy(buffer.data(), text_.data() + at_, count);
    at_ += count;
    return count;
  }
  awaitable<void> wait_readable() override { co_return; }
  void set_read_mark(std::size_t) noexcept override {}
  awaitable<void> write(std::span<const std::byte> bytes) override {
    heard.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    co_return;
  }
  void set_silence_limit(std::chrono::milliseconds) override {}
  bool is_quiet() override { return true; }
  void close() noexcept override {}

  std::string heard;

 private:
  std::string text_;
  std::size_t piece_;
  std::size_t at_ = 0;
};

/// One line for each request that was understood, and one for what ended it.
awaitable<std::string> read_all(std::string text, std::size_t piece) {
  spoken connection(std::move(text), piece);
  request_reader reader(connection, std::chrono::milliseconds(0));
  std::string story;
  try {
    for (int count = 0; count < 1000; ++count) {
      auto head = co_await reader.read_head();
      if (!head) {
        story += "end";
        break;
      }
      std::string body;
      std::vector<std::byte> room(37);
      for (;;) {
        const std::size_t got = co_await reader.read_some(room);
        if (got == 0) break;
        body.append(reinterpret_cast<const char*>(room.data()), got);
      }
      story += head->method + ' ' + head->target + " [" + body + "]\n";
    }
  } catch (const server::failure& problem) {
    story += std::to_string(problem.status());
  }
  co_return story;
}

/// A client that sends its head at once, and then a byte now and then.
class trickle final : public http::stream {
 public:
  trickle(asio::any_io_executor executor, std::string text)
      : timer_(std::move(executor)), text_(std::move(text)) {}

  std::optional<std::size_t> try_read_some(std::span<std::byte> buffer) override {
    if (!ready_) return std::nullopt;
    const auto head = text_.find("\r\n\r\n") + 4;
    const auto count = std::min(buffer.size(), at_ < head ? head : std::size_t{1});
    std::memcpy(buffer.data(), text_.data() + at_, count);
    at_ += count;
    ready_ = false;
    return count;
  }
  awaitable<void> wait_readable() override {
    timer_.expires_after(std::chrono::milliseconds(2));
    co_await timer_.async_wait(asio::use_awaitable);
    ready_ = true;
  }
  void set_read_mark(std::size_t) noexcept override {}
  awaitable<void> write(std::span<const std::byte>) override { co_return; }
  void set_silence_limit(std::chrono::milliseconds) override {}
  bool is_quiet() override { return true; }
  void close() noexcept override {}

 private:
  asio::steady_timer timer_;
  std::string text_;
  std::size_t at_ = 0;
  bool ready_ = false;
};

/// The status of the refusal, 0 where all of the body came.
awaitable<int> read_slowly(trickle& connection) {
  request_reader reader(connection, std::chrono::milliseconds(20));
  const auto head = co_await reader.read_head();
  REQUIRE(head);
  std::vector<std::byte> room(100);
  int status = 0;
  try {
    while (!reader.at_end()) co_await reader.read_some(room);
  } catch (const server::failure& problem) {
    status = problem.status();
  }
  co_return status;
}

std::string story_of(const std::string& text, std::size_t piece) {
  asio::io_context context(1);
  return test::run(context, read_all(text, piece));
}

const std::string plain = "GET /a HTTP/1.1\r\nHost: x\r\n\r\n";
const std::string counted = "POST /b HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello";
const std::string chunked =
    "PUT /c HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: "
    "chunked\r\n\r\n3\r\nabc\r\nA;x=y\r\n0123456789\r\n"
    "0\r\nTrailer: t\r\n\r\n";

}  // namespace

TEST_CASE("a body that only trickles is given up") {
  asio::io_context context(1);
  trickle connection(
      context.get_executor(),
      "POST /b HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n" + std::string(1000, 'x'));
  const auto status = test::run(context, read_slowly(connection));
  CHECK(status == 408);
}

TEST_CASE("nor may the head of a chunk trickle") {
  asio::io_context context(1);
  trickle connection(context.get_executor(),
                     "POST /b HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n1;" +
                         std::string(1000, 'x') + "\r\n");
  const auto status = test::run(context, read_slowly(connection));
  CHECK(status == 408);
}

TEST_CASE("requests are read alike in pieces of any size") {
  const std::string all = plain + counted + chunked + plain;
  for (const std::size_t piece : {1u, 2u, 3u, 7u, 64u, 4096u}) {
    CAPTURE(piece);
    CHECK(story_of(all, piece) ==
          "GET /a []\nPOST /b [hello]\nPUT /c [abc0123456789]\nGET /a []\nend");
  }
}

TEST_CASE("a message whose length can be read in two ways is refused") {
  const std::string post = "POST / HTTP/1.1\r\n";
  for (const std::string headers :
       {"Content-Length: 5\r\nContent-Length: 6\r\n", "Content-Length: 5, 6\r\n",
        "Content-Length: +5\r\n", "Content-Length: 0x5\r\n", "Content-Length: 5 5\r\n",
        "Content-Length: 99999999999999999999\r\n",
        "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n",
        "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n", "Transfer-Encoding: identity\r\n",
        "Transfer-Encoding: chunked, gzip\r\n", "Transfer-Encoding: gzip, chunked\r\n",
        "Transfer-Encoding: xchunked\r\n", "Transfer-Encoding: chunked\r\nTransfer-Encoding: x\r\n",
        "Transfer-Encoding : chunked\r\n", " Content-Length: 5\r\n", "Content-Length\r\n"}) {
    CAPTURE(headers);
    for (const std::size_t piece : {1u, 4096u}) {
      const auto story = story_of(post + headers + "Host: x\r\n\r\nhello" + plain, piece);
      CHECK((story == "400" || story == "501"));
    }
  }
}

TEST_CASE("chunks that are malformed, endless or cut end the request") {
  const std::string head = "PUT / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n";
  for (const std::string& body :
       {std::string("x\r\nabc\r\n0\r\n\r\n"), std::string("-3\r\nabc\r\n0\r\n\r\n"),
        std::string("3\r\nabcd\r\n0\r\n\r\n"), std::string("fffffffffffffffff\r\nabc"),
        std::string("3\r\nab"), std::string("3\r\nabc\r\n"), std::string("3\r\nabc\r\n0\r\n"),
        "1;" + std::string(200'000, 'x') + "\r\na\r\n0\r\n\r\n", std::string(200'000, '0'),
        "0\r\nX: " + std::string(200'000, 'x') + "\r\n\r\n"}) {
    CAPTURE(body.substr(0, 30));
    for (const std::size_t piece : {7u, 4096u}) CHECK(story_of(head + body, piece) == "400");
  }
}

TEST_CASE("whatever comes, the reader ends with requests or with a refusal") {
  // Fixed seeds: a failure can be met again.
  std::minstd_rand random(7);
  const auto any = [&](std::size_t limit) { return random() % limit; };
  const std::vector<std::string> words{
      "\r\n",     "\r\n\r\n",    "\n",       "\0x",      "Content-Length: ",
      "chunked",  "0\r\n\r\n",   "HTTP/1.1", " ",        "GET ",
      "\xff\xfe", "99999999999", ":",        "Expect: ", "100-continue",
      ";",        "%00",         "\t",       "\r",       "HTTP/9.9",
      "-1"};
  const std::string all = plain + counted + chunked + plain;
  std::size_t refused = 0;
  for (int round = 0; round < 3000; ++round) {
    std::string text = all;
    for (std::size_t changes = 1 + any(4); changes > 0; --changes) {
      const auto at = any(text.size() + 1);
      switch (any(4)) {
        case 0:
          text.insert(at, words[any(words.size())]);
          break;
        case 1:
          text.erase(at, any(20));
          break;
        case 2:
          if (at < text.size()) text[at] = static_cast<char>(any(256));
          break;
        default:
          text.insert(at, text.substr(any(text.size() + 1), any(60)));
      }
      if (text.empty()) text = " ";
    }
    CAPTURE(text);
    const auto piece = 1 + any(50);
    const auto story = story_of(text, piece);
    const bool ended = story.ends_with("end");
    CHECK((ended || story.ends_with("400") || story.ends_with("431") || story.ends_with("501")));
    CHECK(story == story_of(text, 4096));
    refused += ended ? 0 : 1;
  }
  CHECK(refused > 300);
  CHECK(refused < 2900);
}

TEST_CASE("a request names one host, by a header or by a whole url") {
  const std::string line = "GET /a HTTP/1.1\r\n";
  CHECK(story_of(line + "\r\n", 4096) == "400");
  CHECK(story_of(line + "Host: x\r\nHost: x\r\n\r\n", 4096) == "400");
  CHECK(story_of("GET /a HTTP/1.0\r\n\r\n", 4096) == "GET /a []\nend");
  CHECK(story_of("GET HTTP://h:80/a/b?c=d HTTP/1.1\r\nHost: x\r\n\r\n", 4096) ==
        "GET /a/b?c=d []\nend");
  CHECK(story_of("GET https://h?c HTTP/1.1\r\nHost: x\r\n\r\n", 4096) == "GET /?c []\nend");
  CHECK(story_of("GET http HTTP/1.1\r\nHost: x\r\n\r\n", 4096) == "GET http []\nend");
}

TEST_CASE("empty lines before a request are none of it") {
  for (const std::size_t piece : {1u, 3u, 4096u}) {
    CAPTURE(piece);
    CHECK(story_of("\r\n\r\n" + plain + "\r\n" + counted + "\r\n" + plain, piece) ==
          "GET /a []\nPOST /b [hello]\nGET /a []\nend");
    CHECK(story_of(plain + "\r\n", piece) == "GET /a []\nend");
    CHECK(story_of(std::string(200'000, '\n') + plain, piece) == "400");
  }
}

TEST_CASE("the pace of a body is known once it has been waited for") {
  asio::io_context context(1);
  spoken connection(counted, 4096);
  request_reader reader(connection, std::chrono::milliseconds(0));
  const auto head = test::run(context, reader.read_head());
  REQUIRE(head);
  CHECK_FALSE(reader.pace());
}
