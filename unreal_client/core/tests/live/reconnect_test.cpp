// A server that is killed and comes back: the face goes on within a second, and no frame comes twice.
#include <gtest/gtest.h>

#include <unistd.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <limits>
#include <memory>

#include "support/clip.h"
#include "support/server.h"
#include "support/talker.h"
#include "support/undisturbed.h"

namespace testing_support {
namespace {

// An eye that blinks moves as fast as a pop.
constexpr int kNoBlinks = 0;
// The clip's reference face blinks; the shapes of the eyes come first.
constexpr std::size_t kFirstAfterTheEyes = 14;

// What a session of which the server was killed and came back has seen.
struct Outcome {
  std::vector<TimedFrame> frames;
  std::size_t first = 0;  // position of the first frame after the break
  double back_s = 0;      // when the server was there again
  double largest_move = 0;
  livetalker_state state_meanwhile = LIVETALKER_STATE_CONNECTING;
  int retrying = 0;
  int resumed = 0;
  livetalker_stats stats{};
};

// Samples the face at 60 Hz for some seconds.
void render(Talker& talker, double seconds, std::array<float, LIVETALKER_BLENDSHAPES>& last, Outcome& outcome) {
  const double until = now_s() + seconds;
  while (now_s() < until) {
    std::array<float, LIVETALKER_BLENDSHAPES> face{};
    livetalker_sample(talker.get(), std::numeric_limits<double>::quiet_NaN(), face.data(), nullptr);
    for (std::size_t i = 0; i < face.size(); ++i) {
      outcome.largest_move = std::max(outcome.largest_move, std::fabs(static_cast<double>(face[i] - last[i])));
    }
    last = face;
    talker.collect();
    std::this_thread::sleep_for(std::chrono::microseconds(16667));
  }
}

// Speaks for `before` seconds, kills the server, starts it again after `gone` seconds, speaks for `after` more.
Outcome break_and_return(const std::vector<std::string>& options, double before, double gone, double after) {
  auto server = std::make_unique<Server>(options);
  const int port = server->port();
  Talker talker(server->address(), [](livetalker_config& config) { config.blinks = kNoBlinks; });
  Outcome outcome;
  EXPECT_NE(nullptr, talker.wait_event(LIVETALKER_EVENT_STARTED, 30));
  Microphone microphone(talker.get(), clip().samples, Clip::kRate);
  std::array<float, LIVETALKER_BLENDSHAPES> last{};
  render(talker, before, last, outcome);
  server->kill();
  talker.collect();
  outcome.first = talker.frames().size();
  render(talker, gone, last, outcome);
  outcome.state_meanwhile = livetalker_get_state(talker.get());
  server = std::make_unique<Server>(options, port);  // returns when it says that it is serving
  outcome.back_s = now_s();
  render(talker, after, last, outcome);
  outcome.frames = talker.frames();
  outcome.retrying = talker.count(LIVETALKER_EVENT_RETRYING);
  outcome.resumed = talker.count(LIVETALKER_EVENT_RESUMED);
  outcome.stats.struct_size = sizeof(outcome.stats);
  livetalker_get_stats(talker.get(), &outcome.stats);
  return outcome;
}

void expect_goes_on(const Outcome& outcome) {
  expect_in_order(outcome.frames);
  EXPECT_EQ(LIVETALKER_STATE_RECONNECTING, outcome.state_meanwhile);
  ASSERT_GT(outcome.frames.size(), outcome.first) << "nothing came after the break";
  const double took = outcome.frames[outcome.first].arrived_s - outcome.back_s;
  EXPECT_LT(took, 1.0);
  EXPECT_EQ(1, outcome.retrying);
  EXPECT_EQ(1, outcome.resumed);
  EXPECT_EQ(1, outcome.stats.reconnects);
  EXPECT_LE(outcome.largest_move, 0.25);
  std::printf("first frame %.0f ms after the server's return; largest move %.3f\n", took * 1e3, outcome.largest_move);
}

// Nothing is missing while the outage is shorter than what the library remembers.
void expect_no_hole(const std::vector<TimedFrame>& frames) {
  for (std::size_t i = 0; i < frames.size(); ++i) ASSERT_EQ(static_cast<std::int64_t>(i), frames[i].frame.index);
}

TEST(Reconnect, AServerThatForgotTheStreamGoesOnWithANewOne) {
  const Outcome outcome = undisturbed([] { return break_and_return({}, 4.0, 0.3, 3.0); });
  expect_goes_on(outcome);
  expect_no_hole(outcome.frames);
}

TEST(Reconnect, AServerWithTheSameKeyResumesTheStream) {
  const auto key = std::filesystem::temp_directory_path() / ("livetalker-key-" + std::to_string(getpid()));
  std::ofstream(key) << "a key for a test that is long enough to be one, 0123456789abcdef\n";
  const Outcome outcome = undisturbed([&] { return break_and_return({"--resume-key-file", key.string()}, 4.0, 0.3, 3.0); });
  std::filesystem::remove(key);
  expect_goes_on(outcome);
  expect_no_hole(outcome.frames);
  // The face after the break is that of a stream that never broke.
  double total = 0;
  std::size_t values = 0;
  for (std::size_t n = outcome.first; n < outcome.frames.size(); ++n) {
    const livetalker_frame& frame = outcome.frames[n].frame;
    for (std::size_t i = kFirstAfterTheEyes; i < 52; ++i, ++values) {
      const float whole = clip().face[static_cast<std::size_t>(frame.index) * 52 + i];
      total += std::fabs(static_cast<double>(frame.weights[i] - whole));
    }
  }
  const double mean = total / static_cast<double>(values);
  EXPECT_LT(mean, 0.02);
  std::printf("mean difference from the uninterrupted stream: %.4f\n", mean);
}

TEST(Reconnect, ALongOutageLosesAudioAndStillGoesOn) {
  const Outcome outcome = undisturbed([] { return break_and_return({}, 2.0, 5.0, 3.0); });
  expect_goes_on(outcome);
  // What the ring forgot is a hole in the numbers, and the clock goes on.
  EXPECT_GT(outcome.frames[outcome.first].frame.index, outcome.frames[outcome.first - 1].frame.index + 30);
  EXPECT_GT(outcome.stats.samples_lost, 0);
}

TEST(Reconnect, ALosslessLineLosesNothing) {
  auto server = std::make_unique<Server>();
  const int port = server->port();
  Talker talker(server->address(), [](livetalker_config& config) { config.delivery = LIVETALKER_DELIVERY_LOSSLESS; });
  ASSERT_EQ(LIVETALKER_OK, livetalker_push_audio(talker.get(), clip().samples.data(), 3 * Clip::kRate));
  ASSERT_TRUE(wait_for(30, [&] {
    talker.collect();
    return talker.frames().size() > 60;
  }));
  server->kill();
  server = std::make_unique<Server>(std::vector<std::string>{}, port);
  ASSERT_TRUE(talker.push_all(std::vector<float>(clip().samples.begin() + 3 * Clip::kRate, clip().samples.end()), Clip::kRate, 60));
  ASSERT_EQ(static_cast<std::size_t>(clip().frames()), talker.frames().size());
  expect_no_hole(talker.frames());
}

}  // namespace
}  // namespace testing_support
