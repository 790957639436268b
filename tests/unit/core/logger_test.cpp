#include "core/logger.hpp"

#include <doctest/doctest.h>

#include <cstdlib>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

using namespace cohub;

TEST_CASE("a logger tells what is important enough, with the time") {
  std::vector<log_record> told;
  const core::logger log([&](const log_record& record) { told.push_back(record); },
                         log_level::warning);
  CHECK_FALSE(log.wants(log_level::info));
  CHECK(log.wants(log_level::error));
  log_record record;
  record.level = log_level::info;
  log.write(record);
  record.level = log_level::warning;
  log.write(record);
  REQUIRE(told.size() == 1);
  CHECK(told[0].time.time_since_epoch().count() > 0);
}

TEST_CASE("what a sink throws is dropped, and without a sink nothing is wanted") {
  const core::logger angry([](const log_record&) { throw std::runtime_error("full"); },
                           log_level::debug);
  angry.write({});
  CHECK_FALSE(core::logger({}, log_level::debug).wants(log_level::error));
}

TEST_CASE("a record is one line, whatever is in it") {
  log_record record;
  record.level = log_level::warning;
  record.time = std::chrono::system_clock::time_point(std::chrono::milliseconds(1'714'557'600'123));
  record.operation = "request";
  record.method = "GET";
  record.url = "https://hub/a";
  record.status = 429;
  record.duration = std::chrono::microseconds(12'345);
  record.request_id = "r1";
  record.message = "slow\r\ndown\x1b[2J";
  CHECK(to_line(record) ==
        "2024-05-01T10:00:00.123Z warning request GET https://hub/a 429 12.3 ms request r1: slow  "
        "down [2J");
}

TEST_CASE("the environment names a level as Python does") {
  CHECK(core::parse_log_level("DEBUG") == log_level::debug);
  CHECK(core::parse_log_level("info") == log_level::info);
  CHECK(core::parse_log_level("Warning") == log_level::warning);
  CHECK(core::parse_log_level("error") == log_level::error);
  for (const char* name : {"critical", "", "loud", "debugging"})
    CHECK_FALSE(core::parse_log_level(name).has_value());
  const char* const verbosity = std::getenv("HF_HUB_VERBOSITY");
  const std::optional<std::string> before =
      verbosity == nullptr ? std::nullopt : std::optional<std::string>(verbosity);
  ::unsetenv("HF_DEBUG");
  ::unsetenv("HF_HUB_VERBOSITY");
  CHECK_FALSE(core::environment_log_level().has_value());
  ::setenv("HF_HUB_VERBOSITY", "info", 1);
  CHECK(core::environment_log_level() == log_level::info);
  ::setenv("HF_DEBUG", "1", 1);
  CHECK(core::environment_log_level() == log_level::debug);
  ::unsetenv("HF_DEBUG");
  ::unsetenv("HF_HUB_VERBOSITY");
  if (before) ::setenv("HF_HUB_VERBOSITY", before->c_str(), 1);
}
