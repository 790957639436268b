#include "support/test_certificate.hpp"

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <cstdio>
#include <stdexcept>

namespace cohub::test {

namespace {

struct closer {
  void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
  void operator()(X509* certificate) const { X509_free(certificate); }
  void operator()(X509_EXTENSION* extension) const { X509_EXTENSION_free(extension); }
  void operator()(std::FILE* file) const { std::fclose(file); }
};

void add_extension(X509* certificate, int kind, const std::string& value) {
  std::unique_ptr<X509_EXTENSION, closer> extension(
      X509V3_EXT_conf_nid(nullptr, nullptr, kind, value.c_str()));
  X509_add_ext(certificate, extension.get(), -1);
}

}  // namespace

test_certificate::test_certificate(const std::filesystem::path& folder, const std::string& host)
    : certificate(folder / (host + ".crt")), key(folder / (host + ".key")) {
  std::unique_ptr<EVP_PKEY, closer> pair(EVP_EC_gen("P-256"));
  std::unique_ptr<X509, closer> paper(X509_new());
  X509_set_version(paper.get(), 2);
  ASN1_INTEGER_set(X509_get_serialNumber(paper.get()), 1);
  X509_gmtime_adj(X509_getm_notBefore(paper.get()), -3600);
  X509_gmtime_adj(X509_getm_notAfter(paper.get()), 24L * 3600);
  X509_set_pubkey(paper.get(), pair.get());
  X509_NAME* const name = X509_get_subject_name(paper.get());
  X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC,
                             reinterpret_cast<const unsigned char*>(host.c_str()), -1, -1, 0);
  X509_set_issuer_name(paper.get(), name);
  add_extension(paper.get(), NID_subject_alt_name, "DNS:" + host);
  add_extension(paper.get(), NID_basic_constraints, "critical,CA:TRUE");
  X509_sign(paper.get(), pair.get(), EVP_sha256());

  std::unique_ptr<std::FILE, closer> out(std::fopen(certificate.c_str(), "w"));
  std::unique_ptr<std::FILE, closer> secret(std::fopen(key.c_str(), "w"));
  if (!out || !secret || PEM_write_X509(out.get(), paper.get()) != 1 ||
      PEM_write_PrivateKey(secret.get(), pair.get(), nullptr, nullptr, 0, nullptr, nullptr) != 1)
    throw std::runtime_error("cannot write a certificate for tests");
}

std::shared_ptr<boost::asio::ssl::context> test_certificate::server_context() const {
  auto context = std::make_shared<boost::asio::ssl::context>(boost::asio::ssl::context::tls_server);
  context->use_certificate_chain_file(certificate.string());
  context->use_private_key_file(key.string(), boost::asio::ssl::context::pem);
  return context;
}

}  // namespace cohub::test
