// Every way a connection can be wrong gives one clear message that says what to do.
#include <gtest/gtest.h>

#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <memory>

#include "support/server.h"
#include "support/talker.h"

namespace testing_support {
namespace {

using testing::Test;

std::string refusal(const std::function<void(livetalker_config&)>& change) {
  livetalker_config config;
  livetalker_config_init(&config, sizeof(config));
  change(config);
  livetalker_session* session = nullptr;
  char message[512] = "";
  EXPECT_EQ(LIVETALKER_INVALID_ARGUMENT, livetalker_open(&config, &session, message, sizeof(message)));
  EXPECT_EQ(nullptr, session);
  livetalker_close(session);
  return message;
}

// The only event of a session that cannot stream.
livetalker_event only_event(Talker& talker, int kind, double seconds = 20) {
  EXPECT_NE(nullptr, talker.wait_event(kind, seconds));
  std::this_thread::sleep_for(std::chrono::milliseconds(1200));  // further attempts say no more
  talker.collect();
  EXPECT_EQ(1U, talker.events().size());
  const livetalker_event event = talker.events().empty() ? livetalker_event{} : talker.events().front();
  EXPECT_EQ(kind, event.kind);
  std::printf("%s\n", event.message);
  return event;
}

bool says(const std::string& message, const char* part) { return message.find(part) != std::string::npos; }

TEST(Errors, AConfigurationThatCannotBeUsedIsRefusedAtOnce) {
  EXPECT_TRUE(says(refusal([](auto& config) { config.address = "localhost"; }), "host:port"));
  EXPECT_TRUE(says(refusal([](auto& config) { config.address = "http://localhost:50051"; }), "host:port"));
  EXPECT_TRUE(says(refusal([](auto& config) { config.address = "localhost:99999"; }), "host:port"));
  EXPECT_TRUE(says(refusal([](auto& config) { config.sample_rate = 4000; }), "8000 to 48000"));
  EXPECT_TRUE(says(refusal([](auto& config) { config.frame_rate = 25; }), "30 or 60"));
  EXPECT_TRUE(says(refusal([](auto& config) { config.delivery = 0; }), "delivery"));
  EXPECT_TRUE(says(refusal([](auto& config) { config.struct_size = 0; }), "livetalker_config_init"));
  EXPECT_TRUE(says(refusal([](auto& config) { config.token = "line\nbreak"; }), "printable"));
  EXPECT_TRUE(says(refusal([](auto& config) { config.tls_ca_file = "/no/such/file.pem"; }), "tls is 0"));
  EXPECT_TRUE(says(refusal([](auto& config) {
                     config.tls = 1;
                     config.tls_key_file = "/no/such/file.pem";
                   }),
                   "belong together"));
}

// Files are read on the session's thread, so that a slow disk does not hold the caller up.
TEST(Errors, TlsFilesThatCannotBeUsed) {
  const auto told = [](const char* file) {
    Talker talker("127.0.0.1:1", [&](auto& config) {
      config.tls = 1;
      config.tls_ca_file = file;
    });
    const livetalker_event event = only_event(talker, LIVETALKER_EVENT_FAILED);
    EXPECT_EQ(LIVETALKER_ERROR_TLS, event.error);
    EXPECT_EQ(LIVETALKER_STATE_FAILED, livetalker_get_state(talker.get()));
    const float silence[16] = {};
    EXPECT_EQ(LIVETALKER_ENDED, livetalker_push_audio(talker.get(), silence, 16));
    return std::string(event.message);
  };
  EXPECT_TRUE(says(told("/no/such/file.pem"), "cannot be read"));
  EXPECT_TRUE(says(told(TEST_SOURCES "/exports.sh"), "PEM"));
}

TEST(Errors, ATokenThatOthersCouldReadIsWarnedOf) {
  Talker talker("192.0.2.7:50051", [](auto& config) { config.token = "anna-0123456789abcdef"; });
  const livetalker_event* event = talker.wait_event(LIVETALKER_EVENT_WARNING, 5);
  ASSERT_NE(nullptr, event);
  EXPECT_STREQ("TOKEN_IN_PLAIN_TEXT", event->name);
  EXPECT_TRUE(says(event->message, "use TLS"));
}

TEST(Errors, ABadAddress) {
  Talker talker("127.0.0.1:1");
  const livetalker_event event = only_event(talker, LIVETALKER_EVENT_RETRYING);
  EXPECT_EQ(LIVETALKER_ERROR_UNREACHABLE, event.error);
  EXPECT_TRUE(says(event.message, "127.0.0.1:1"));
  EXPECT_TRUE(says(event.message, "is `livetalker serve` running there?"));
  EXPECT_EQ(LIVETALKER_STATE_CONNECTING, livetalker_get_state(talker.get()));
}

TEST(Errors, AHostThatDoesNotExist) {
  Talker talker("no-such-host.invalid:50051");
  const livetalker_event event = only_event(talker, LIVETALKER_EVENT_RETRYING, 60);
  EXPECT_EQ(LIVETALKER_ERROR_UNREACHABLE, event.error);
  EXPECT_TRUE(says(event.message, "no-such-host.invalid:50051"));
}

TEST(Errors, GivingUpWhenAskedTo) {
  Talker talker("127.0.0.1:1", [](auto& config) { config.give_up_after_s = 0.5F; });
  const livetalker_event* event = talker.wait_event(LIVETALKER_EVENT_FAILED, 20);
  ASSERT_NE(nullptr, event);
  EXPECT_TRUE(says(event->message, "given up"));
  EXPECT_EQ(LIVETALKER_STATE_FAILED, livetalker_get_state(talker.get()));
}

TEST(Errors, SomethingElseThanALiveTalkerServer) {
  const auto other = run_python({TEST_SOURCES "/support/other_server.py"});
  Talker talker("127.0.0.1:" + other->read_line());
  const livetalker_event event = only_event(talker, LIVETALKER_EVENT_FAILED);
  EXPECT_EQ(LIVETALKER_ERROR_VERSION, event.error);
  EXPECT_TRUE(says(event.message, "does not know livetalker.v1"));
}

TEST(Errors, AFullServerIsTriedAgainUntilThereIsRoom) {
  Server server({"--max-streams", "1"});
  auto first = std::make_unique<Talker>(server.address());
  ASSERT_NE(nullptr, first->wait_event(LIVETALKER_EVENT_STARTED, 30));
  Talker second(server.address());
  const livetalker_event event = only_event(second, LIVETALKER_EVENT_RETRYING);
  EXPECT_EQ(LIVETALKER_ERROR_SERVER_FULL, event.error);
  EXPECT_GE(event.retry_after_s, 1.0F);  // as the server asked
  EXPECT_TRUE(says(event.message, "try again later"));
  first.reset();
  EXPECT_NE(nullptr, second.wait_event(LIVETALKER_EVENT_STARTED, 10));
}

TEST(Errors, AStyleThatTheModelDoesNotHave) {
  Server server;
  Talker talker(server.address(), [](auto& config) { config.identity = "nobody"; });
  const livetalker_event event = only_event(talker, LIVETALKER_EVENT_FAILED);
  EXPECT_EQ(LIVETALKER_ERROR_REFUSED, event.error);
  EXPECT_TRUE(says(event.message, "nobody"));
}

TEST(Errors, AWrongTokenAndNone) {
  const auto file = std::filesystem::temp_directory_path() / ("livetalker-tokens-" + std::to_string(getpid()));
  std::ofstream(file) << "a-token-that-is-long-enough-for-anybody\n";
  std::filesystem::permissions(file, std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
  Server server({"--token-file", file.string()});
  for (const char* token : {static_cast<const char*>(nullptr), "wrong"}) {
    Talker talker(server.address(), [=](auto& config) { config.token = token; });
    const livetalker_event event = only_event(talker, LIVETALKER_EVENT_FAILED);
    EXPECT_EQ(LIVETALKER_ERROR_TOKEN, event.error);
    EXPECT_TRUE(says(event.message, "token"));
  }
  Talker talker(server.address(), [](auto& config) { config.token = "a-token-that-is-long-enough-for-anybody"; });
  EXPECT_NE(nullptr, talker.wait_event(LIVETALKER_EVENT_STARTED, 30));
  std::filesystem::remove(file);
}

}  // namespace
}  // namespace testing_support
