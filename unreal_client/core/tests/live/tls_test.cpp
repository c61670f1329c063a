// TLS, with certificates made by the openssl program: trusted, not trusted, on one side only, and of the client too.
#include <gtest/gtest.h>

#include <unistd.h>

#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <memory>

#include "support/server.h"
#include "support/talker.h"

namespace testing_support {
namespace {

class Tls : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    folder_ = new std::filesystem::path(std::filesystem::temp_directory_path() / ("livetalker-tls-" + std::to_string(getpid())));
    std::filesystem::create_directories(*folder_);
    authority("ca");
    authority("other");
    certificate("server", "ca", "/CN=localhost", "subjectAltName=DNS:localhost,IP:127.0.0.1");
    certificate("client", "ca", "/CN=a client", "extendedKeyUsage=clientAuth");
    server_ = new Server({"--tls-cert", pem("server"), "--tls-key", key("server")});
  }

  static void TearDownTestSuite() {
    delete server_;
    std::filesystem::remove_all(*folder_);
    delete folder_;
  }

  static std::string pem(const std::string& name) { return (*folder_ / (name + ".pem")).string(); }
  static std::string key(const std::string& name) { return (*folder_ / (name + ".key")).string(); }

  static void openssl(const std::string& arguments) {
    ASSERT_EQ(0, std::system(("openssl " + arguments + " >/dev/null 2>&1").c_str())) << arguments;
  }

  static void authority(const std::string& name) {
    openssl("req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj '/CN=" + name + "' -keyout " +
            key(name) + " -out " + pem(name));
  }

  static void certificate(const std::string& name, const std::string& by, const std::string& subject, const std::string& extension) {
    const std::string request = (*folder_ / "request").string();
    const std::string extensions = (*folder_ / "extensions").string();
    openssl("req -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -subj '" + subject + "' -keyout " + key(name) +
            " -out " + request);
    ASSERT_EQ(0, std::system(("echo '" + extension + "' > " + extensions).c_str()));
    openssl("x509 -req -days 2 -in " + request + " -CA " + pem(by) + " -CAkey " + key(by) + " -CAcreateserial -extfile " +
            extensions + " -out " + pem(name));
  }

  static livetalker_event first_complaint(const std::string& address, const std::function<void(livetalker_config&)>& change) {
    Talker talker(address, change);
    wait_for(30, [&] {
      talker.collect();
      return !talker.events().empty();
    });
    const livetalker_event event = talker.events().empty() ? livetalker_event{} : talker.events().front();
    std::printf("%s\n", event.message);
    return event;
  }

  static std::filesystem::path* folder_;
  static Server* server_;
};
std::filesystem::path* Tls::folder_ = nullptr;
Server* Tls::server_ = nullptr;

TEST_F(Tls, AServerWhoseAuthorityIsGivenIsTrusted) {
  const std::string ca = pem("ca");
  Talker talker(server_->address(), [&](auto& config) {
    config.tls = 1;
    config.tls_ca_file = ca.c_str();
  });
  EXPECT_NE(nullptr, talker.wait_event(LIVETALKER_EVENT_STARTED, 30));
}

TEST_F(Tls, AnUnknownAuthorityIsNot) {
  const std::string ca = pem("other");
  const livetalker_event event = first_complaint(server_->address(), [&](auto& config) {
    config.tls = 1;
    config.tls_ca_file = ca.c_str();
  });
  EXPECT_EQ(LIVETALKER_EVENT_FAILED, event.kind);
  EXPECT_EQ(LIVETALKER_ERROR_TLS, event.error);
  EXPECT_NE(nullptr, std::strstr(event.message, "tls_ca_file"));
}

TEST_F(Tls, ACertificateForAnotherNameIsNot) {
  const std::string ca = pem("ca");
  const livetalker_event event = first_complaint(server_->address(), [&](auto& config) {
    config.tls = 1;
    config.tls_ca_file = ca.c_str();
    config.tls_server_name = "elsewhere.example";
  });
  EXPECT_EQ(LIVETALKER_ERROR_TLS, event.error);
  EXPECT_NE(nullptr, std::strstr(event.message, "another name"));
}

TEST_F(Tls, AClientWithoutItIsToldToTurnItOn) {
  const livetalker_event event = first_complaint(server_->address(), [](auto&) {});
  EXPECT_EQ(LIVETALKER_EVENT_RETRYING, event.kind);
  EXPECT_NE(nullptr, std::strstr(event.message, "turn TLS on"));
}

TEST_F(Tls, AServerWithoutItIsNamed) {
  Server plain;
  const std::string ca = pem("ca");
  const livetalker_event event = first_complaint(plain.address(), [&](auto& config) {
    config.tls = 1;
    config.tls_ca_file = ca.c_str();
  });
  EXPECT_EQ(LIVETALKER_EVENT_FAILED, event.kind);
  EXPECT_EQ(LIVETALKER_ERROR_TLS, event.error);
  EXPECT_NE(nullptr, std::strstr(event.message, "does not speak TLS"));
}

TEST_F(Tls, AServerThatWantsCertificatesTakesThoseItKnows) {
  Server strict({"--tls-cert", pem("server"), "--tls-key", key("server"), "--tls-client-ca", pem("ca")});
  const std::string ca = pem("ca");
  const std::string certificate = pem("client");
  const std::string own_key = key("client");
  Talker known(strict.address(), [&](auto& config) {
    config.tls = 1;
    config.tls_ca_file = ca.c_str();
    config.tls_certificate_file = certificate.c_str();
    config.tls_key_file = own_key.c_str();
  });
  EXPECT_NE(nullptr, known.wait_event(LIVETALKER_EVENT_STARTED, 30));
  const livetalker_event event = first_complaint(strict.address(), [&](auto& config) {
    config.tls = 1;
    config.tls_ca_file = ca.c_str();
  });
  EXPECT_NE(nullptr, std::strstr(event.message, "tls_certificate_file"));
}

}  // namespace
}  // namespace testing_support
