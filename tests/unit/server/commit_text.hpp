#pragma once

#include "core/base64.hpp"
#include "core/digest.hpp"
#include "hub_caller.hpp"

#include <string>

namespace cohub::test {

inline std::string file_line(const std::string& path, const std::string& content) {
  return "{\"key\":\"file\",\"value\":{\"content\":\"" + core::base64_encode(content) +
         "\",\"path\":\"" + path + "\",\"encoding\":\"base64\"}}\n";
}
inline std::string lfs_line(const std::string& path, const std::string& sha256, std::size_t size) {
  return "{\"key\":\"lfsFile\",\"value\":{\"path\":\"" + path +
         "\",\"algo\":\"sha256\",\"oid\":\"" + sha256 + "\",\"size\":" + std::to_string(size) +
         "}}\n";
}
inline std::string delete_line(const std::string& path) {
  return "{\"key\":\"deletedFile\",\"value\":{\"path\":\"" + path + "\"}}\n";
}
inline std::string delete_folder_line(const std::string& path) {
  return "{\"key\":\"deletedFolder\",\"value\":{\"path\":\"" + path + "\"}}\n";
}

inline std::string batch_body(const std::string& sha256, std::size_t size,
                              const std::string& operation = "upload") {
  return "{\"operation\":\"" + operation +
         "\",\"transfers\":[\"basic\"],\"hash_algo\":\"sha256\",\"objects\":[{\"oid\":\"" + sha256 +
         "\",\"size\":" + std::to_string(size) + "}]}";
}

}  // namespace cohub::test

inline std::string cohub::test::hub_caller::upload_object(const std::string& id,
                                                          const std::string& content) {
  const std::string sha256 = core::sha256_hex(content);
  const auto batch =
      post("/" + id + ".git/info/lfs/objects/batch", batch_body(sha256, content.size()));
  const std::string href = text_at(batch.json(), "/objects/0/actions/upload/href");
  if (!href.empty()) send(http::method::put, href, {}, content);
  return sha256;
}
