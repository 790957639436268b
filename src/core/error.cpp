#include "cohub/error.hpp"

#include <utility>

namespace cohub {

namespace {

const char* text_of(errc code) noexcept {
  switch (code) {
    case errc::repository_not_found:
      return "repository not found, or not visible with this token";
    case errc::gated_repository:
      return "access to this repository must be asked for";
    case errc::disabled_repository:
      return "the repository is disabled";
    case errc::bucket_not_found:
      return "bucket not found, or not visible with this token";
    case errc::job_not_found:
      return "job not found";
    case errc::revision_not_found:
      return "revision not found";
    case errc::entry_not_found:
      return "file or folder not found";
    case errc::unauthorized:
      return "a token that the Hub accepts is needed";
    case errc::forbidden:
      return "the token may not do this";
    case errc::bad_request:
      return "the Hub refuses the request";
    case errc::conflict:
      return "it exists already or is being changed";
    case errc::commit_conflict:
      return "the branch has moved since the parent commit";
    case errc::rate_limited:
      return "too many requests";
    case errc::server_failure:
      return "the server failed";
    case errc::unexpected_status:
      return "unexpected status";
    case errc::certificate_rejected:
      return "the server's certificate is not trusted";
    case errc::truncated_body:
      return "the connection ended early";
    case errc::timed_out:
      return "timed out";
    case errc::too_many_redirects:
      return "too many redirects";
    case errc::invalid_response:
      return "the server's answer is not valid";
    case errc::not_a_hub:
      return "the server does not answer as a Hub does";
    case errc::content_mismatch:
      return "the content is not what was promised";
    case errc::ranges_unsupported:
      return "the server does not send parts of files";
    case errc::proxy_failure:
      return "the proxy does not let it through";
    case errc::invalid_repository_id:
      return "not a repository id (\"name\" or \"owner/name\")";
    case errc::invalid_path:
      return "not a path in a repository";
    case errc::invalid_url:
      return "not a valid address";
    case errc::invalid_argument:
      return "invalid argument";
    case errc::local_entry_not_found:
      return "not in the cache";
    case errc::incomplete_snapshot:
      return "the snapshot is incomplete";
    case errc::offline:
      return "offline";
    case errc::invalid_safetensors:
      return "not a valid safetensors file";
    case errc::not_safetensors_repo:
      return "not a repository of safetensors";
    case errc::invalid_config:
      return "the configuration does not fit";
    case errc::invalid_card:
      return "not a valid model card";
    case errc::incompatible_weights:
      return "the weights do not fit";
  }
  return "unknown error";
}

/// Whether it stands for an answer of the Hub (and not for what the wire or the caller did).
bool is_hub_answer(errc code) noexcept {
  return code >= errc::repository_not_found && code <= errc::unexpected_status;
}

bool is_of_kind(errc code, error_kind kind) noexcept {
  switch (kind) {
    case error_kind::repository_not_found:
      return code == errc::repository_not_found || code == errc::gated_repository;
    case error_kind::entry_not_found:
      return code == errc::entry_not_found || code == errc::local_entry_not_found ||
             code == errc::incomplete_snapshot;
    case error_kind::hub_answer:
      return is_hub_answer(code);
  }
  return false;
}

class kind_category final : public boost::system::error_category {
 public:
  const char* name() const noexcept override { return "cohub.kind"; }
  std::string message(int kind) const override {
    switch (static_cast<error_kind>(kind)) {
      case error_kind::repository_not_found:
        return "repository not found";
      case error_kind::entry_not_found:
        return "file or folder not found";
      case error_kind::hub_answer:
        return "the Hub did not do what was asked";
    }
    return "unknown kind of error";
  }
};

class hub_category final : public boost::system::error_category {
 public:
  const char* name() const noexcept override { return "cohub"; }
  std::string message(int code) const override { return text_of(static_cast<errc>(code)); }
  bool equivalent(int code,
                  const boost::system::error_condition& condition) const noexcept override {
    if (condition.category() == error_kind_category())
      return is_of_kind(static_cast<errc>(code), static_cast<error_kind>(condition.value()));
    return default_error_condition(code) == condition;
  }
};

/// One line: "doing: reason: server's words (404, https://..., request id)".
std::string describe(boost::system::error_code code, const std::string& doing,
                     const http_context& http) {
  std::string text = doing.empty() ? code.message() : doing + ": " + code.message();
  if (!http.server_message.empty()) text += ": " + http.server_message;
  std::string details;
  const auto add = [&details](const std::string& item) {
    if (item.empty()) return;
    if (!details.empty()) details += ", ";
    details += item;
  };
  if (http.status != 0) add("status " + std::to_string(http.status));
  if (!http.head.empty()) add("head " + http.head);
  add(http.url.substr(0, http.url.find('?')));
  if (!http.request_id.empty()) add("request " + http.request_id);
  if (!details.empty()) text += " (" + details + ")";
  for (char& c : text)
    if (static_cast<unsigned char>(c) < 0x20) c = ' ';
  return text;
}

}  // namespace

const boost::system::error_category& error_category() noexcept {
  static const hub_category category;
  return category;
}

const boost::system::error_category& error_kind_category() noexcept {
  static const kind_category category;
  return category;
}

error::error(boost::system::error_code code, const std::string& doing)
    : error(code, doing, http_context()) {}

error::error(boost::system::error_code code, const std::string& doing, http_context http)
    : system_error(code),
      doing_(std::make_shared<const std::string>(doing)),
      text_(std::make_shared<const std::string>(describe(code, doing, http))),
      http_(std::make_shared<const http_context>(std::move(http))) {}

}  // namespace cohub
