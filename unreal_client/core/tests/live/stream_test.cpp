// A voice in, a face out: through the C interface and a real server.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <iterator>
#include <limits>

#include "support/clip.h"
#include "support/server.h"
#include "support/talker.h"
#include "support/undisturbed.h"

namespace testing_support {
namespace {

const double kByItsClock = std::numeric_limits<double>::quiet_NaN();

class Stream : public testing::Test {
 protected:
  static void SetUpTestSuite() { server_ = new Server(); }
  static void TearDownTestSuite() { delete server_; }
  static Server* server_;
};
Server* Stream::server_ = nullptr;

TEST_F(Stream, LosslessGivesEveryFrameOfTheOfflineBake) {
  Talker talker(server_->address(), [](livetalker_config& config) { config.delivery = LIVETALKER_DELIVERY_LOSSLESS; });
  ASSERT_TRUE(talker.push_all(clip().samples, Clip::kRate, 120));
  ASSERT_EQ(static_cast<std::size_t>(clip().frames()), talker.frames().size());
  float worst = 0;
  for (std::size_t n = 0; n < talker.frames().size(); ++n) {
    const livetalker_frame& frame = talker.frames()[n].frame;
    ASSERT_EQ(static_cast<std::int64_t>(n), frame.index);
    ASSERT_EQ(frame.index * 1000000 / Clip::kFps, frame.time_us);
    for (std::size_t i = 0; i < 52; ++i) worst = std::max(worst, std::fabs(frame.weights[i] - clip().face[n * 52 + i]));
  }
  EXPECT_LE(worst, 1e-4F);
  ASSERT_NE(nullptr, talker.event(LIVETALKER_EVENT_STARTED));
  EXPECT_STREQ("diffusiontalker-compact", talker.event(LIVETALKER_EVENT_STARTED)->name);
  ASSERT_NE(nullptr, talker.event(LIVETALKER_EVENT_IDENTITY));
  EXPECT_NE('\0', talker.event(LIVETALKER_EVENT_IDENTITY)->name[0]);
  EXPECT_EQ(LIVETALKER_STATE_ENDED, livetalker_get_state(talker.get()));
  const float more = 0;
  EXPECT_EQ(LIVETALKER_ENDED, livetalker_push_audio(talker.get(), &more, 1));
}

struct Spoken {
  float widest = 0;         // jawOpen
  double longest_delay = 0;
  int playing = 0;
  int samples = 0;
};

TEST_F(Stream, AMicrophoneMovesTheSampledFaceInTime) {
  const Spoken spoken = undisturbed([] {
    Talker talker(server_->address());
    EXPECT_NE(nullptr, talker.wait_event(LIVETALKER_EVENT_STARTED, 30));
    Microphone microphone(talker.get(), clip().samples, Clip::kRate);
    Spoken made;
    float face[LIVETALKER_BLENDSHAPES];
    for (const double begin = now_s(); now_s() < begin + 4;) {
      livetalker_sample_info info{};
      info.struct_size = sizeof(info);
      EXPECT_EQ(LIVETALKER_OK, livetalker_sample(talker.get(), kByItsClock, face, &info));
      EXPECT_TRUE(std::all_of(std::begin(face), std::end(face), [](float weight) { return weight >= 0 && weight <= 1; }));
      made.widest = std::max(made.widest, face[17]);
      if (now_s() > begin + 1) {
        ++made.samples;
        made.playing += info.state == LIVETALKER_SHOWING_PLAYING ? 1 : 0;
        made.longest_delay = std::max(made.longest_delay, info.delay_s);
      }
      talker.collect();
      std::this_thread::sleep_for(std::chrono::microseconds(16667));
    }
    expect_in_order(talker.frames());
    return made;
  });
  EXPECT_GT(spoken.widest, 0.1F);
  EXPECT_GT(spoken.playing, spoken.samples * 9 / 10);
  EXPECT_LT(spoken.longest_delay, 0.5);
  std::printf("playing in %d of %d samples, %.0f ms behind the microphone\n", spoken.playing, spoken.samples,
              spoken.longest_delay * 1e3);
}

TEST_F(Stream, AnInterruptionDropsWhatWasNotShown) {
  Talker talker(server_->address(), [](livetalker_config& config) {
    config.delivery = LIVETALKER_DELIVERY_LOSSLESS;
    config.clock = LIVETALKER_CLOCK_PLAYBACK;
  });
  ASSERT_EQ(LIVETALKER_OK, livetalker_push_audio(talker.get(), clip().samples.data(), 3 * Clip::kRate));
  ASSERT_TRUE(wait_for(30, [&] {
    talker.collect();
    return talker.frames().size() > 30;
  }));
  ASSERT_EQ(LIVETALKER_OK, livetalker_interrupt(talker.get()));
  talker.collect();
  const std::int64_t position = livetalker_audio_position(talker.get());
  EXPECT_LE(position, 3 * Clip::kRate);
  const std::size_t before = talker.frames().size();
  ASSERT_EQ(LIVETALKER_OK, livetalker_push_audio(talker.get(), clip().samples.data(), Clip::kRate));
  livetalker_end_audio(talker.get());
  ASSERT_NE(nullptr, talker.wait_event(LIVETALKER_EVENT_ENDED, 30));
  talker.collect();
  ASSERT_GT(talker.frames().size(), before);
  EXPECT_GE(talker.frames()[before].frame.time_us, position * 1000000 / Clip::kRate - 1);
  expect_in_order(talker.frames());
  EXPECT_EQ(((position + Clip::kRate) * Clip::kFps + Clip::kRate - 1) / Clip::kRate, talker.frames().back().frame.index + 1);
}

TEST_F(Stream, AMutedMicrophoneClosesTheMouth) {
  Talker talker(server_->address(), [](livetalker_config& config) { config.delivery = LIVETALKER_DELIVERY_LOSSLESS; });
  ASSERT_EQ(LIVETALKER_OK, livetalker_push_audio(talker.get(), clip().samples.data(), 2 * Clip::kRate));
  ASSERT_EQ(LIVETALKER_OK, livetalker_set_muted(talker.get(), 1));
  ASSERT_EQ(LIVETALKER_OK, livetalker_push_audio(talker.get(), clip().samples.data(), 2 * Clip::kRate));
  livetalker_end_audio(talker.get());
  ASSERT_NE(nullptr, talker.wait_event(LIVETALKER_EVENT_ENDED, 30));
  talker.collect();
  ASSERT_EQ(4U * Clip::kFps, talker.frames().size());
  const auto widest = [&](std::size_t from, std::size_t to) {
    float jaw = 0;
    for (std::size_t n = from; n < to; ++n) jaw = std::max(jaw, talker.frames()[n].frame.weights[17]);
    return jaw;
  };
  EXPECT_GT(widest(0, 2 * Clip::kFps), 0.1F);
  EXPECT_LT(widest(3 * Clip::kFps, 4 * Clip::kFps), 0.05F);
}

TEST_F(Stream, ALosslessReaderThatTakesNothingHoldsTheServerBackAndLosesNothing) {
  Talker talker(server_->address(), [](livetalker_config& config) {
    config.delivery = LIVETALKER_DELIVERY_LOSSLESS;
    config.frame_queue = 20;
  });
  ASSERT_EQ(LIVETALKER_OK, livetalker_push_audio(talker.get(), clip().samples.data(), 3 * Clip::kRate));
  livetalker_end_audio(talker.get());
  std::this_thread::sleep_for(std::chrono::seconds(1));
  talker.collect();
  ASSERT_NE(nullptr, talker.wait_event(LIVETALKER_EVENT_ENDED, 30));
  talker.collect();
  ASSERT_EQ(3U * Clip::kFps, talker.frames().size());
  expect_in_order(talker.frames());
}

}  // namespace
}  // namespace testing_support
