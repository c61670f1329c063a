// Opening and closing, thousands of times and from everywhere: nothing leaks, nothing races, nothing waits.
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <filesystem>
#include <limits>
#include <string>
#include <thread>
#include <vector>

#include "support/server.h"
#include "support/talker.h"
#include "support/undisturbed.h"

namespace testing_support {
namespace {

int cycles() {
  const char* asked = std::getenv("LIVETALKER_CYCLES");
  return std::atoi(asked != nullptr ? asked : LIVETALKER_CYCLES);
}

// Open files of this process: all, or sockets only.
int open_files(bool sockets_only) {
  int count = 0;
  for (const auto& entry : std::filesystem::directory_iterator("/proc/self/fd")) {
    std::error_code gone;
    const std::string target = std::filesystem::read_symlink(entry.path(), gone).string();
    count += !sockets_only || target.rfind("socket:", 0) == 0 ? 1 : 0;
  }
  return count;
}

// One life of a session, cut off wherever it happens to be.
void live(const std::string& address, int number) {
  livetalker_config config;
  livetalker_config_init(&config, sizeof(config));
  config.address = address.c_str();
  livetalker_session* session = nullptr;
  ASSERT_EQ(LIVETALKER_OK, livetalker_open(&config, &session, nullptr, 0));
  const std::vector<float> audio(320, 0.1F);
  float face[LIVETALKER_BLENDSHAPES];
  for (int i = 0; i < number % 4; ++i) {
    livetalker_push_audio(session, audio.data(), 320);
    livetalker_sample(session, std::numeric_limits<double>::quiet_NaN(), face, nullptr);
  }
  if (number % 5 == 1) livetalker_interrupt(session);
  if (number % 7 == 1) livetalker_end_audio(session);
  if (number % 10 == 0) std::this_thread::sleep_for(std::chrono::milliseconds(number % 30));
  livetalker_close(session);
}

TEST(Lifecycle, ManyCyclesFromTwoThreadsLeaveNothingBehind) {
  Server server;
  live(server.address(), 1);
  livetalker_shutdown();
  const int sockets = open_files(true);
  const int files = open_files(false);
  const int count = cycles();
  const double begin = now_s();
  for (int done = 0; done < count;) {
    // Nine of ten find nobody; the tenth talks to the server.
    const int batch = std::min(100, count - done);
    std::atomic<int> next{done};
    const auto work = [&, until = done + batch] {
      for (int number = next++; number < until; number = next++) {
        live(number % 10 == 0 ? server.address() : "127.0.0.1:1", number);
      }
    };
    std::thread other(work);
    work();
    other.join();
    livetalker_shutdown();
    done += batch;
  }
  const double took = now_s() - begin;
  std::printf("%d cycles in %.1f s, %.2f ms each\n", count, took, took / count * 1e3);
  EXPECT_EQ(sockets, open_files(true));
  EXPECT_LE(open_files(false), files + 4);  // gRPC keeps some pollers
}

TEST(Lifecycle, ClosingNeverWaits) {
  Server server;
  const double longest = undisturbed([&] {
    double seen = 0;
    for (int i = 0; i < 50; ++i) {
      livetalker_config config;
      livetalker_config_init(&config, sizeof(config));
      const std::string address = server.address();
      config.address = address.c_str();
      livetalker_session* session = nullptr;
      EXPECT_EQ(LIVETALKER_OK, livetalker_open(&config, &session, nullptr, 0));
      std::this_thread::sleep_for(std::chrono::milliseconds(i));
      const double begin = now_s();
      livetalker_close(session);
      seen = std::max(seen, now_s() - begin);
    }
    return seen;
  });
  livetalker_shutdown();
  EXPECT_LT(longest, 0.05);
  std::printf("longest close: %.2f ms\n", longest * 1e3);
}

TEST(Lifecycle, EveryFunctionAtOnceOnOneSession) {
  Server server;
  Talker talker(server.address());
  ASSERT_NE(nullptr, talker.wait_event(LIVETALKER_EVENT_STARTED, 60));
  std::atomic<bool> stop{false};
  std::vector<std::thread> threads;
  livetalker_session* const session = talker.get();
  const auto repeat = [&](auto work) {
    threads.emplace_back([&stop, work] {
      while (!stop) {
        work();
        std::this_thread::sleep_for(std::chrono::milliseconds(1));
      }
    });
  };
  const std::vector<float> audio(160, 0.1F);
  repeat([&] { livetalker_push_audio(session, audio.data(), 160); });
  repeat([&] {
    float face[LIVETALKER_BLENDSHAPES];
    livetalker_sample(session, std::numeric_limits<double>::quiet_NaN(), face, nullptr);
  });
  repeat([&] {
    livetalker_stats stats{};
    stats.struct_size = sizeof(stats);
    livetalker_get_stats(session, &stats);
    livetalker_get_state(session);
    livetalker_audio_position(session);
  });
  repeat([&] {
    livetalker_set_muted(session, 1);
    livetalker_set_muted(session, 0);
    livetalker_interrupt(session);
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
  });
  wait_for(2, [&] {
    talker.collect();
    return false;
  });
  stop = true;
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(LIVETALKER_STATE_STREAMING, livetalker_get_state(session));
  expect_in_order(talker.frames());
}

}  // namespace
}  // namespace testing_support
