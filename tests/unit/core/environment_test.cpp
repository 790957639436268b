#include "core/environment.hpp"

#include "support/temporary_folder.hpp"

#include <doctest/doctest.h>

#include <cstdlib>
#include <map>
#include <string>
#include <vector>

using namespace cohub::core;

namespace {

/// Sets variables, and puts all that matter back at the end.
class environment {
 public:
  environment() {
    for (const char* name :
         {"HF_HOME", "XDG_CACHE_HOME", "HOME", "HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE",
          "HF_ENDPOINT", "HF_TOKEN", "HUGGING_FACE_HUB_TOKEN", "HF_TOKEN_PATH", "HF_HUB_OFFLINE",
          "TRANSFORMERS_OFFLINE", "HF_HUB_ETAG_TIMEOUT", "HUGGINGFACE_CO_STAGING"}) {
      if (const char* value = std::getenv(name)) before_[name] = value;
      names_.emplace_back(name);
      ::unsetenv(name);
    }
  }
  ~environment() {
    for (const auto& name : names_) ::unsetenv(name.c_str());
    for (const auto& [name, value] : before_) ::setenv(name.c_str(), value.c_str(), 1);
  }
  void set(const char* name, const std::string& value) { ::setenv(name, value.c_str(), 1); }

 private:
  std::map<std::string, std::string> before_;
  std::vector<std::string> names_;
};

}  // namespace

TEST_CASE("only four words are true") {
  for (const char* text : {"1", "on", "Yes", "TRUE", "ON"}) CHECK(is_true(text));
  for (const char* text : {"0", "y", "t", "", "true ", "11"}) CHECK_FALSE(is_true(text));
}

TEST_CASE_FIXTURE(environment, "the cache is found as the Python client finds it") {
  set("HOME", "/home/x");
  CHECK(hub_cache_directory() == "/home/x/.cache/huggingface/hub");
  set("XDG_CACHE_HOME", "/xdg");
  CHECK(hub_cache_directory() == "/xdg/huggingface/hub");
  set("HF_HOME", "~/hf");
  CHECK(hub_cache_directory() == "/home/x/hf/hub");
  set("HUGGINGFACE_HUB_CACHE", "/legacy");
  CHECK(hub_cache_directory() == "/legacy");
  set("HF_HUB_CACHE", "$HOME/${HOME}/c/$NOT_SET_AT_ALL");
  CHECK(hub_cache_directory() == "/home/x//home/x/c/$NOT_SET_AT_ALL");
}

TEST_CASE_FIXTURE(environment, "the endpoint loses its final slash") {
  CHECK(hub_endpoint() == "https://huggingface.co");
  set("HF_ENDPOINT", "https://mirror.example/hub//");
  CHECK(hub_endpoint() == "https://mirror.example/hub");
}

TEST_CASE_FIXTURE(environment, "staging has a Hub, a home and a token of its own") {
  cohub::test::temporary_folder folder;
  set("HOME", folder.path().string());
  set("HF_ENDPOINT", "https://mirror.example");
  set("HF_HOME", "/elsewhere");
  set("HF_TOKEN_PATH", "/elsewhere/token");
  set("HUGGINGFACE_CO_STAGING", "0");
  CHECK(hub_endpoint() == "https://mirror.example");
  CHECK(hub_home() == "/elsewhere");
  CHECK(token_path() == "/elsewhere/token");
  set("HUGGINGFACE_CO_STAGING", "yes");
  CHECK(hub_endpoint() == "https://hub-ci.huggingface.co");
  CHECK(hub_home() == folder.path() / ".cache/huggingface_staging");
  CHECK(hub_cache_directory() == hub_home() / "hub");
  CHECK(token_path() == hub_home() / "token");
  set("HF_HUB_CACHE", "/cache");
  CHECK(hub_cache_directory() == "/cache");
}

TEST_CASE_FIXTURE(environment, "offline mode: the first variable decides if it is set") {
  CHECK_FALSE(hub_offline());
  set("TRANSFORMERS_OFFLINE", "1");
  CHECK(hub_offline());
  set("HF_HUB_OFFLINE", "0");
  CHECK_FALSE(hub_offline());
}

TEST_CASE("a token is cleaned of line breaks and of blanks around it") {
  CHECK(cohub::core::clean_token("\thf_x \r\n") == "hf_x");
  CHECK(cohub::core::clean_token("hf_\r\nx") == "hf_x");
  CHECK_FALSE(cohub::core::clean_token(" \r\n"));
}

TEST_CASE_FIXTURE(environment, "the token: variables, then the file, blanks stripped") {
  cohub::test::temporary_folder folder;
  set("HF_HOME", folder.path().string());
  CHECK_FALSE(discover_token());
  cohub::test::write_all(folder.path() / "token", " hf_file\r\n");
  CHECK(discover_token() == "hf_file");
  set("HUGGING_FACE_HUB_TOKEN", "hf_legacy");
  CHECK(discover_token() == "hf_legacy");
  set("HF_TOKEN", " \n");
  CHECK(discover_token() == "hf_legacy");
  set("HF_TOKEN", "hf_\nvariable ");
  CHECK(discover_token() == "hf_variable");
  set("HF_TOKEN", "");
  set("HUGGING_FACE_HUB_TOKEN", "");
  cohub::test::write_all(folder.path() / "other", "hf_other");
  set("HF_TOKEN_PATH", (folder.path() / "other").string());
  CHECK(discover_token() == "hf_other");
}

TEST_CASE("a number of seconds is whole and positive, or counts as unset") {
  environment variables;
  const auto read = [&](const std::string& text) {
    variables.set("HF_HUB_ETAG_TIMEOUT", text);
    return environment_seconds("HF_HUB_ETAG_TIMEOUT");
  };
  CHECK_FALSE(environment_seconds("HF_HUB_ETAG_TIMEOUT"));
  CHECK(read("30") == std::chrono::seconds(30));
  CHECK(read(" 5 ") == std::chrono::seconds(5));
  for (const char* text : {"", "0", "-1", "1.5", "ten", "99999999999"}) CHECK_FALSE(read(text));
}
