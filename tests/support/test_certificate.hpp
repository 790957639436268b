#pragma once

#include <boost/asio/ssl/context.hpp>

#include <filesystem>
#include <memory>
#include <string>

namespace cohub::test {

/// A fresh self-signed certificate and its key, written as PEM files into `folder`.
struct test_certificate {
  std::filesystem::path certificate;
  std::filesystem::path key;

  /// @param host  DNS name it is for
  test_certificate(const std::filesystem::path& folder, const std::string& host);

  /// A server's context with it.
  std::shared_ptr<boost::asio::ssl::context> server_context() const;
};

}  // namespace cohub::test
